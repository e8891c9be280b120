//! The pipeline that the agent runs: the one that is named, or the clinic with sample data.

use std::sync::Arc;

use anyhow::Context;
use tempfile::TempDir;
use voicegraph_engine::graph::Graph;

use crate::args::{self, Playground};
use crate::sample_database::SampleDatabase;
use crate::{clinic, clock, pipeline};

/// A graph, and the folder of its sample data.
pub(super) struct Ready {
    pub(super) graph: Arc<Graph>,
    _folder: Option<TempDir>,
}

impl Ready {
    /// Compiles the pipeline and asks the outside whether it fits, as `serve` does.
    pub(super) fn make(arguments: &Playground) -> anyhow::Result<Self> {
        if let Some(pipeline) = &arguments.pipeline {
            let named = args::Pipeline { pipeline: pipeline.clone(), env: arguments.env.clone() };
            let graph = pipeline::block_on(pipeline::connect(&named))??;
            return Ok(Self { graph, _folder: None });
        }
        let folder = tempfile::tempdir().context("there is no place for sample data")?;
        let database = SampleDatabase::make(&folder.path().join("clinic.db"), clock::now())?;
        let graph = database.connect(&clinic::sources())?;
        Ok(Self { graph, _folder: Some(folder) })
    }
}
