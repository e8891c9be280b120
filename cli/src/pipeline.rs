//! Compiles the pipeline that the arguments name.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::sync::Arc;

use anyhow::Context;
use tokio::runtime::Builder;
use voicegraph_engine::config::{self, Compiled, Lookup, Sources};
use voicegraph_engine::diagnostic::Diagnostics;
use voicegraph_engine::graph::Graph;

use crate::args;

/// A wrong configuration, rendered for people. It ends the command with exit code 78.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// The graph that the arguments name. Warnings go to standard error.
pub(crate) fn compile(arguments: &args::Pipeline) -> anyhow::Result<Arc<Graph>> {
    Ok(Arc::new(compiled(&sources(arguments), &environment)?.graph))
}

/// The same, once the outside was asked whether the options fit it: what it refuses is told like
/// any mistake, before a caller meets it.
pub(crate) async fn connect(arguments: &args::Pipeline) -> anyhow::Result<Arc<Graph>> {
    connect_sources(&sources(arguments), &environment).await
}

/// The same for other files, with other variables.
pub(crate) async fn connect_sources(
    sources: &Sources,
    variables: &Lookup<'_>,
) -> anyhow::Result<Arc<Graph>> {
    let compiled = compiled(sources, variables)?;
    let found = compiled.verify().await;
    if found.has_errors() {
        return Err(Refused(text(&found)).into());
    }
    Ok(Arc::new(compiled.graph))
}

/// The files that the arguments name.
pub(crate) fn sources(arguments: &args::Pipeline) -> Sources {
    Sources::read(&arguments.pipeline, arguments.env.as_deref())
}

/// Runs what needs a runtime for a moment, before the call has one.
pub(crate) fn block_on<T>(what: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build();
    Ok(runtime.context("no runtime can be made")?.block_on(what))
}

fn compiled(sources: &Sources, variables: &Lookup<'_>) -> anyhow::Result<Compiled> {
    let registry = voicegraph_nodes::registry();
    match config::compile(sources, variables, &registry) {
        Ok(compiled) => {
            eprint!("{}", text(&compiled.warnings));
            Ok(compiled)
        }
        Err(diagnostics) => Err(Refused(text(&diagnostics)).into()),
    }
}

/// The value of a variable of the process's environment.
#[expect(clippy::disallowed_methods, reason = "the command line is where surroundings come in")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Diagnostics for people, in colour where they are read on a terminal.
pub(crate) fn text(diagnostics: &Diagnostics) -> String {
    diagnostics.to_text(stderr().is_terminal())
}
