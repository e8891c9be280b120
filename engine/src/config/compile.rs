//! All passes in a row: the one way to a [`Graph`].

use super::interpolate::Lookup;
use super::outside::Written;
use super::source::Sources;
use super::tree::Table;
use super::{check, interpolate, load, merge, parse, resolve, scrub};
use crate::diagnostic::{Diagnostic, Diagnostics, Files, Severity, SourceId};
use crate::graph::Graph;
use crate::registry::Registry;

/// A pipeline that can run.
pub struct Compiled {
    /// The checked graph.
    pub graph: Graph,
    /// What someone should look at.
    pub warnings: Diagnostics,
    pub(super) written: Written,
}

/// Compiles a pipeline. `variables` gives the values of variables by name; an empty value counts as
/// one.
///
/// # Errors
/// Every mistake that was found. A file that is no TOML keeps the passes after `load` from running,
/// and so do variables that are not set keep options from being checked that are made of them.
pub fn compile(
    sources: &Sources,
    variables: &Lookup<'_>,
    registry: &Registry,
) -> Result<Compiled, Diagnostics> {
    let mut files = sources.files.clone();
    let mut found = sources.found.clone();
    let tables = load_all(sources, &mut found);
    let built = tables.and_then(|(source, base, overlay)| {
        let pipeline = Pipeline { source, base, overlay };
        build(pipeline, sources, variables, registry, &mut files, &mut found)
    });
    let refused = found.iter().any(|one| one.severity() == Severity::Error);
    let diagnostics = Diagnostics::new(files, found);
    match built {
        Some((graph, written)) if !refused => {
            Ok(Compiled { graph, warnings: diagnostics, written })
        }
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
) -> Option<(Graph, Written)> {
    let (merged, mistakes) = merge::merge(pipeline.base, pipeline.overlay);
    found.extend(mistakes);
    let (draft, mistakes) = parse::parse(merged, pipeline.source);
    found.extend(mistakes);
    let (draft, values, mistakes) = interpolate::interpolate(draft, files, variables);
    found.extend(mistakes);
    let (mut resolved, mistakes) = resolve::resolve(draft, registry, &sources.environment);
    found.extend(mistakes);
    let secrets = std::mem::take(&mut resolved.secrets);
    secrets.places.into_iter().for_each(|place| files.mask(place));
    let written =
        Written::new(&resolved.nodes, files.clone(), values.clone(), secrets.variables.clone());
    let (graph, mistakes) = check::check(resolved, &sources.environment, registry, files);
    found.extend(mistakes);
    scrub::scrub(found, &values, &secrets.variables);
    graph.map(|graph| (graph, written))
}

#[cfg(test)]
mod tests {
    use crate::config::Sources;
    use crate::config::compile;
    use crate::config::testing::{SMALLEST, compile_text, found, registry, variable};
    use crate::variables::Value;

    /// [`SMALLEST`] with more options on its `mix`.
    fn mixed(options: &str) -> String {
        SMALLEST.replace("key = \"${KEY:?}\"", &format!("key = \"${{KEY:?}}\", {options}"))
    }

    #[test]
    fn options_of_every_shape_are_taken() {
        for options in [
            "port = 80",
            "port = \"${PORT:-8080}\"",
            "gain = 1",
            "gain = \"${GAIN:-1.5}\"",
            "on = \"${ON:-true}\"",
            "mode = \"${MODE:-loudest}\"",
            "text = \"${TEXT:-}, $$5 and $5\"",
            "parts = { left = { weight = 9 }, right = { weight = \"${W:-1}\" } }",
            "extra = [1, 2.5, \"three\", { four = true }]",
        ] {
            assert_eq!(found(&compile_text(&mixed(options))), [""; 0], "{options}");
        }
    }

    #[test]
    fn options_out_of_shape_are_refused() {
        for (options, code) in [
            ("port = 65536", "E0404"),
            ("port = \"80${PORT:-80}\"", "E0403"),
            ("port = \"${PORT:-80a}\"", "E0303"),
            ("gain = nan", "E0404"),
            ("gain = -0.1", "E0404"),
            ("gain = 99999999999999999999", "E0101"),
            ("on = \"true\"", "E0403"),
            ("mode = \"sums\"", "E0406"),
            ("mode = 1", "E0403"),
            ("key2 = 1", "E0402"),
            ("parts = { left = { weight = 10 } }", "E0404"),
            ("parts = { left = {} }", "E0405"),
            ("parts = [{ weight = 1 }]", "E0403"),
        ] {
            assert_eq!(found(&compile_text(&mixed(options))), [code], "{options}");
        }
    }

    #[test]
    fn one_mistake_hides_no_other() {
        let text = mixed("gian = 1, port = -1").replace("limit_ms = 100", "limit = 100");
        let text = format!("{text}\"mic.audio -> mixer.audio\" = {{}}\n");
        assert_eq!(found(&compile_text(&text)), ["E0402", "E0404", "E0511", "E0501"]);
    }

    #[test]
    fn another_kind_in_the_overlay_starts_afresh() {
        let base = format!("{SMALLEST}[nodes.probe]\nkind = \"mix\"\ngain = 2\n");
        let base = format!("{base}[edges.\"mic.audio -> probe.audio\"]\n");
        let other = (
            "other",
            "nodes.probe = { kind = \"speaker\" }\nnodes.speaker = false\n\
                      edges.\"mix.audio->speaker.audio\" = false\n",
        );
        let outcome = compile(&Sources::from_text(&base, Some(other)), &variable, &registry());
        assert_eq!(found(&outcome), [""; 0]);
    }

    #[test]
    fn nodes_and_edges_can_be_added_by_an_overlay() {
        let more = "[nodes.more]\nkind = \"mix\"\n[edges]\n\"mic.audio -> more.audio\" = {}\n";
        let sources = Sources::from_text(SMALLEST, Some(("staging", more)));
        let compiled = compile(&sources, &variable, &registry());
        let graph = compiled.unwrap_or_else(|found| panic!("{found}")).graph;
        assert_eq!(graph.environment(), "staging");
        assert_eq!((graph.nodes().len(), graph.edges().len()), (5, 3));
    }

    const DECLARED: &str = r#"
[variables]
name = { type = "string", max_length = 40, attribute = "sip.name" }
visits = { type = "integer", default = 3, description = "How often they came." }
share = { type = "number", default = 1 }
new = { type = "boolean", default = false }
"#;

    #[test]
    fn variables_are_declared_and_an_overlay_may_change_them() {
        let base = format!("{SMALLEST}{DECLARED}");
        let overlay =
            ("other", "[variables.visits]\ndefault = 4\n[variables.more]\ntype=\"string\"");
        let compiled = compile(&Sources::from_text(&base, Some(overlay)), &variable, &registry());
        let graph = compiled.unwrap_or_else(|found| panic!("{found}")).graph;
        let names: Vec<&str> = graph.variables().iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["more", "name", "new", "share", "visits"]);
        let name = graph.variables().get("name").expect("it is declared");
        assert_eq!((name.max_length, name.attribute.as_deref()), (40, Some("sip.name")));
        let visits = graph.variables().get("visits").expect("it is declared");
        assert_eq!(visits.default, Some(Value::Integer(4)));
        assert_eq!(graph.variables().get("share").expect("it").default, Some(Value::Number(1.0)));
    }

    #[test]
    fn declarations_out_of_shape_are_refused() {
        for (variables, code) in [
            ("variables = 1", "E0203"),
            ("variables.x = \"string\"", "E0203"),
            ("variables.x = {}", "E0405"),
            ("variables.x = { type = \"text\" }", "E0406"),
            ("variables.x = { type = \"string\", max_length = 4001 }", "E0404"),
            ("variables.x = { type = \"string\", default = 1 }", "E0408"),
            ("variables.x = { type = \"number\", default = nan }", "E0408"),
            ("variables.x = { type = \"string\", default = 2026-01-05 }", "E0408"),
            ("variables.x = { type = \"string\", default = \"\\u0007\" }", "E0408"),
            ("variables.\"9x\" = { type = \"string\" }", "E0204"),
            ("variables.x = { type = \"string\", defualt = \"\" }", "E0212"),
        ] {
            let text = format!("{variables}\n{SMALLEST}");
            assert_eq!(found(&compile_text(&text)), [code], "{variables}");
        }
    }

    #[test]
    fn a_declaration_counts_in_the_fingerprint_and_its_description_does_not() {
        let print = |text: &str| {
            let compiled = compile_text(text).unwrap_or_else(|found| panic!("{found}"));
            compiled.graph.fingerprint().to_owned()
        };
        let base = format!("{SMALLEST}{DECLARED}");
        assert_ne!(print(&base), print(SMALLEST));
        assert_ne!(print(&base), print(&base.replace("default = 3", "default = 4")));
        assert_ne!(print(&base), print(&base.replace("sip.name", "sip.other")));
        assert_eq!(print(&base), print(&base.replace("How often they came.", "Visits.")));
    }
}
