//! A SQLite file with the clinic's schema and sample data, made for one call.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context;
use chrono::{DateTime, Utc};
use voicegraph_database::appointments::{self, Appointment};
use voicegraph_database::migrate::Migrator;
use voicegraph_database::seed::{self, Guard};
use voicegraph_database::{Database, Options, Settings};
use voicegraph_engine::config::Sources;
use voicegraph_engine::graph::Graph;

use crate::pipeline;

/// The environment that the file belongs to.
const ENVIRONMENT: &str = "dev";

/// What SQLite keeps beside a file, and the migrations' lock.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", ".migrate-lock"];

/// A database that is there.
pub(crate) struct SampleDatabase {
    url: String,
    settings: Settings,
}

impl SampleDatabase {
    /// Makes the file anew, with data around the day of `at`.
    pub(crate) fn make(path: &Path, at: SystemTime) -> anyhow::Result<Self> {
        remove(path).with_context(|| format!("cannot make {} anew", path.display()))?;
        let url = Options::file_url(path);
        let settings = Options::new(&url).build(ENVIRONMENT);
        let settings = settings.map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let today = DateTime::<Utc>::from(at).date_naive();
        pipeline::block_on(async {
            Migrator::new(&settings).up(None).await?;
            seed::seed(&settings, today, Some(ENVIRONMENT), Guard::Up).await?;
            anyhow::Ok(())
        })?
        .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { url, settings })
    }

    /// The graph of `sources` on this database, whatever the environment's variables say.
    pub(crate) fn connect(&self, sources: &Sources) -> anyhow::Result<Arc<Graph>> {
        let variables = |name: &str| match name {
            "DATABASE_URL" => Some(self.url.clone()),
            name => pipeline::environment(name),
        };
        pipeline::block_on(pipeline::connect_sources(sources, &variables))?
    }

    /// What the call booked.
    pub(crate) fn appointments(&self, session_id: &str) -> anyhow::Result<Vec<Appointment>> {
        let database = Database::open(self.settings.clone());
        let found = pipeline::block_on(appointments::of_call(&database, session_id))?;
        found.context("what was booked cannot be read")
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    for end in BESIDE {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match fs::remove_file(name) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
