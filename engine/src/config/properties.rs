//! What holds for every pipeline.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::interpolate::interpolate;
use super::load::load;
use super::merge::{Merged, merge};
use super::parse::parse;
use super::testing::{SECRET, SMALLEST, compile_text, found, registry, variable};
use super::tree::{self, Table, Text, Tree, Value};
use super::{Sources, compile};
use crate::diagnostic::{Diagnostics, Files, SourceId};
use crate::graph::EdgeName;

/// A graph of `mix` nodes: how many, an order of them, and edges forward along it.
#[derive(Clone, Debug)]
struct Dag {
    order: Vec<usize>,
    edges: BTreeSet<(usize, usize)>,
}

impl Dag {
    fn edge(&self, from: usize, to: usize) -> String {
        format!("n{}.audio -> n{}.audio", self.order[from], self.order[to])
    }

    fn text(&self, more: Option<&str>) -> String {
        let mut text = SMALLEST.to_owned();
        for (from, to) in &self.edges {
            text.push_str(&format!("\"{}\" = {{}}\n", self.edge(*from, *to)));
        }
        text.extend(more.map(|edge| format!("\"{edge}\" = {{}}\n")));
        for node in 0..self.order.len() {
            text.push_str(&format!("[nodes.n{node}]\nkind = \"mix\"\n"));
        }
        text
    }

    /// Whether a path leads from one place in the order to another.
    fn leads(&self, from: usize, to: usize) -> bool {
        from == to || self.edges.iter().any(|edge| edge.0 == from && self.leads(edge.1, to))
    }
}

fn any_dag() -> impl Strategy<Value = Dag> {
    (1usize..12).prop_flat_map(|nodes| {
        let order = Just((0..nodes).collect::<Vec<_>>()).prop_shuffle();
        let edges = prop::collection::btree_set((0..nodes, 0..nodes), 0..20);
        (order, edges).prop_map(|(order, edges)| {
            let edges = edges.into_iter().filter(|(from, to)| from < to).collect();
            Dag { order, edges }
        })
    })
}

/// A graph, and an edge from a node to itself or to one that leads to it.
fn any_edge_back() -> impl Strategy<Value = (Dag, String)> {
    any_dag().prop_flat_map(|dag| {
        let nodes = 0..dag.order.len();
        let ends = nodes.clone().flat_map(|from| nodes.clone().map(move |to| (from, to)));
        let back: Vec<String> = ends
            .filter(|&(from, to)| dag.leads(to, from))
            .map(|(from, to)| dag.edge(from, to))
            .collect();
        (Just(dag), prop::sample::select(back))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_dag_compiles_in_order(dag in any_dag()) {
        let compiled = compile_text(&dag.text(None));
        prop_assert!(compiled.is_ok(), "{:?}", found(&compiled));
        let Ok(compiled) = compiled else { unreachable!("it is ok") };
        prop_assert_eq!(compiled.graph.edges().len(), dag.edges.len() + 2);
        prop_assert!(compiled.graph.edges().iter().all(|edge| edge.from < edge.to));
    }

    #[test]
    fn an_edge_back_is_named_as_a_cycle_with_its_path((dag, back) in any_edge_back()) {
        let outcome = compile_text(&dag.text(Some(&back)));
        prop_assert_eq!(found(&outcome), ["E0504"]);
        let Err(diagnostics) = outcome else { unreachable!("it has mistakes") };
        let message = &diagnostics.iter().next().expect("one is found").message;
        let path = message.split_once(": ").expect("a path follows").1;
        let path: Vec<EdgeName> =
            path.split(", ").map(|edge| edge.parse().expect("an edge")).collect();
        prop_assert!(path.iter().any(|edge| edge.to_string() == back));
        for (at, edge) in path.iter().enumerate() {
            prop_assert_eq!(&edge.to.node, &path[(at + 1) % path.len()].from.node);
        }
    }
}

/// Text that could be in a file.
fn any_text() -> impl Strategy<Value = String> {
    let soup = r#"[\[\]{}="'.,#$ \n\r\ta-z0-9_>-]{0,80}"#;
    prop_oneof![
        soup,
        "\\PC{0,60}",
        prop::collection::vec(any::<char>(), 0..40).prop_map(|c| { c.into_iter().collect() })
    ]
}

/// [`SMALLEST`] with a few places replaced by something else.
fn any_mutation() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0usize..12, any_text());
    prop::collection::vec(change, 1..4).prop_map(|changes| {
        let mut chars: Vec<char> = SMALLEST.chars().collect();
        for (at, length, text) in changes {
            let start = at.index(chars.len() + 1);
            let end = (start + length).min(chars.len());
            let text: Vec<char> = text.chars().take(12).collect();
            chars.splice(start..end, text);
        }
        chars.into_iter().collect()
    })
}

/// What is said of a pipeline in all forms.
fn shown(diagnostics: &Diagnostics) -> String {
    let json = diagnostics.to_json().to_string();
    format!("{}{}{json}", diagnostics.to_text(false), diagnostics.to_text(true))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_makes_it_panic(base in any_text(), overlay in any_text()) {
        let sources = Sources::from_text(&base, Some(("staging", &overlay)));
        let outcome = compile(&sources, &variable, &registry());
        prop_assert!(!shown(&outcome.map_or_else(|found| found, |ok| ok.warnings)).is_empty());
    }

    #[test]
    fn no_mutation_makes_it_panic_or_tell_a_secret(
        text in any_mutation(),
        as_overlay in any::<bool>(),
    ) {
        let sources = match as_overlay {
            true => Sources::from_text(SMALLEST, Some(("staging", &text))),
            false => Sources::from_text(&text, None),
        };
        let outcome = compile(&sources, &variable, &registry());
        let shown = shown(&outcome.map_or_else(|found| found, |ok| ok.warnings));
        prop_assert!(!shown.contains(SECRET), "{shown}");
    }
}

/// The tree of a text without mistakes.
fn tree(text: &str) -> (Files, SourceId, Table) {
    let mut files = Files::default();
    let source = files.add("pipeline.toml", text);
    let (table, found) = load(&files, source);
    assert!(found.is_empty(), "{found:?}");
    (files, source, table.expect("no mistake, so a tree"))
}

/// A file in which the same key always has the same shape.
fn any_file() -> impl Strategy<Value = toml::Table> {
    let value = prop_oneof![
        any::<i64>().prop_map(toml::Value::Integer),
        "\\PC{0,8}".prop_map(toml::Value::String),
        prop::collection::vec(any::<i64>().prop_map(toml::Value::Integer), 0..3)
            .prop_map(toml::Value::Array),
    ];
    let options = prop::collection::btree_map("[a-d]", value.clone(), 0..4).prop_map(as_table);
    let nested = prop::collection::btree_map("[t-w]", options.clone(), 0..3)
        .prop_map(|tables| as_table(tables.into_iter().map(|(k, t)| (k, t.into()))));
    let node = (options.clone(), nested).prop_map(|(mut options, nested)| {
        options.extend(nested);
        options.insert("kind".to_owned(), "mix".into());
        options
    });
    let nodes = prop::collection::btree_map("n[0-3]", node, 0..4)
        .prop_map(|nodes| as_table(nodes.into_iter().map(|(k, t)| (k, t.into()))));
    let edges = prop::collection::btree_map("n[0-3]\\.a -> n[0-3]\\.b", options.clone(), 0..4)
        .prop_map(|edges| as_table(edges.into_iter().map(|(k, t)| (k, t.into()))));
    (options, nodes, edges).prop_map(|(pipeline, nodes, edges)| {
        let sections = [("pipeline", pipeline), ("nodes", nodes), ("edges", edges)];
        as_table(sections.map(|(key, table)| (key.to_owned(), table.into())))
    })
}

fn as_table(entries: impl IntoIterator<Item = (String, toml::Value)>) -> toml::Table {
    entries.into_iter().collect()
}

/// The file laid over another; without places, which differ.
fn laid(base: &toml::Table, overlay: Option<&toml::Table>) -> toml::Table {
    let written = |table: &toml::Table| tree(&toml::to_string(table).expect("TOML")).2;
    let (Merged { table, .. }, found) = merge(written(base), overlay.map(written));
    assert!(found.is_empty(), "{found:?}");
    tree::to_toml(&table)
}

/// Whether each value of `part` is found in `whole`.
fn holds(whole: &toml::Value, part: &toml::Value) -> bool {
    match (whole, part) {
        (toml::Value::Table(whole), toml::Value::Table(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| holds(whole, part)))
        }
        (whole, part) => whole == part,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_empty_overlay_changes_nothing(base in any_file()) {
        prop_assert_eq!(laid(&base, None), base.clone());
        prop_assert_eq!(laid(&base, Some(&toml::Table::new())), base);
    }

    #[test]
    fn an_overlay_twice_is_an_overlay_once(base in any_file(), overlay in any_file()) {
        let once = laid(&base, Some(&overlay));
        prop_assert_eq!(laid(&once, Some(&overlay)), once);
        prop_assert_eq!(laid(&base, Some(&base)), base);
    }

    #[test]
    fn the_overlay_wins_and_the_base_fills(base in any_file(), overlay in any_file()) {
        let merged = laid(&base, Some(&overlay));
        prop_assert!(holds(&merged.clone().into(), &overlay.clone().into()));
        prop_assert_eq!(laid(&merged, Some(&base)), laid(&overlay, Some(&base)));
    }

    #[test]
    fn overlays_associate(a in any_file(), b in any_file(), c in any_file()) {
        let left = laid(&laid(&a, Some(&b)), Some(&c));
        let right = laid(&a, Some(&laid(&b, Some(&c))));
        prop_assert_eq!(left, right);
    }
}

/// The tree with all text taken out.
fn shape(tree: &Tree) -> Tree {
    let value = match &tree.value {
        Value::String(_) => Value::String(Text::default()),
        Value::Array(items) => Value::Array(items.iter().map(shape).collect()),
        Value::Table(table) => {
            let mut table = table.clone();
            table.values_mut().for_each(|entry| entry.tree = shape(&entry.tree));
            Value::Table(table)
        }
        other => other.clone(),
    };
    Tree { span: tree.span, value }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn variables_never_change_structure(value in "(\\PC|[\"'\n\r\t\\\\=\\[\\]{}$#]){0,40}") {
        let text = "[pipeline]\nname = \"p\"\n[nodes.a]\nkind = \"mix\"\n\
                    text = \"<${A}>\"\n[nodes.a.parts.x]\nlist = [1, \"${A}\", { b = '${A}' }]\n";
        let (files, source, table) = tree(text);
        let (draft, found) = parse(merge(table, None).0, source);
        prop_assert!(found.is_empty());
        let before: Vec<Tree> =
            draft.nodes[0].options.values().map(|entry| shape(&entry.tree)).collect();
        let (draft, _, found) = interpolate(draft, &files, &|_| Some(value.clone()));
        prop_assert!(found.is_empty());
        let options = &draft.nodes[0].options;
        let after: Vec<Tree> = options.values().map(|entry| shape(&entry.tree)).collect();
        prop_assert_eq!(before, after);
        let text = options["text"].tree.as_text().expect("a string");
        prop_assert_eq!(&text.text, &format!("<{value}>"));
    }

    #[test]
    fn a_tree_is_what_toml_reads(file in any_file()) {
        let text = toml::to_string(&file).expect("TOML");
        prop_assert_eq!(tree::to_toml(&tree(&text).2), file);
    }
}
