//! All passes in a row: the one way to a [`Graph`].

use super::interpolate::Lookup;
use super::source::Sources;
use super::tree::Table;
use super::{check, interpolate, load, merge, parse, resolve};
use crate::diagnostic::{Diagnostic, Diagnostics, Files, Severity, SourceId};
use crate::graph::Graph;
use crate::registry::Registry;

/// A pipeline that can run.
pub struct Compiled {
    /// The checked graph.
    pub graph: Graph,
    /// What someone should look at.
    pub warnings: Diagnostics,
}

/// Compiles a pipeline. `variables` gives the values of variables by name; an empty value counts as one.
///
/// # Errors
/// Every mistake that was found. A file that is no TOML keeps the passes after `load` from running, and
/// so do variables that are not set keep options from being checked that are made of them.
pub fn compile(
    sources: &Sources,
    variables: &Lookup<'_>,
    registry: &Registry,
) -> Result<Compiled, Diagnostics> {
    let mut files = sources.files.clone();
    let mut found = sources.found.clone();
    let tables = load_all(sources, &mut found);
    let graph = tables.and_then(|(source, base, overlay)| {
        let pipeline = Pipeline { source, base, overlay };
        build(pipeline, sources, variables, registry, &mut files, &mut found)
    });
    let refused = found.iter().any(|one| one.severity() == Severity::Error);
    let diagnostics = Diagnostics::new(files, found);
    match graph {
        Some(graph) if !refused => Ok(Compiled { graph, warnings: diagnostics }),
        _ => {
            assert!(refused, "a pipeline without a mistake makes a graph");
            Err(diagnostics)
        }
    }
}

/// The trees of a pipeline's files.
struct Pipeline {
    source: SourceId,
    base: Table,
    overlay: Option<Table>,
}

/// The trees of base and overlay; `None` where one of them cannot be read.
fn load_all(
    sources: &Sources,
    found: &mut Vec<Diagnostic>,
) -> Option<(SourceId, Table, Option<Table>)> {
    let complete = sources.found.is_empty();
    let mut load = |source: SourceId| {
        let (table, mistakes) = load::load(&sources.files, source);
        found.extend(mistakes);
        table
    };
    let base = sources.base.and_then(|source| Some((source, load(source)?)));
    let overlay = sources.overlay.map(load);
    match (base, overlay) {
        (Some(_), Some(None)) | (None, _) => None,
        (Some((source, base)), overlay) => complete.then_some((source, base, overlay.flatten())),
    }
}

/// The passes after `load`.
fn build(
    pipeline: Pipeline,
    sources: &Sources,
    variables: &Lookup<'_>,
    registry: &Registry,
    files: &mut Files,
    found: &mut Vec<Diagnostic>,
) -> Option<Graph> {
    let (merged, mistakes) = merge::merge(pipeline.base, pipeline.overlay);
    found.extend(mistakes);
    let (draft, mistakes) = parse::parse(merged, pipeline.source);
    found.extend(mistakes);
    let (draft, mistakes) = interpolate::interpolate(draft, files, variables);
    found.extend(mistakes);
    let (resolved, mistakes, masks) = resolve::resolve(draft, registry);
    found.extend(mistakes);
    masks.into_iter().for_each(|mask| files.mask(mask));
    let (graph, mistakes) = check::check(resolved, &sources.environment, registry);
    found.extend(mistakes);
    graph
}
