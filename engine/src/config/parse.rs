//! Pass 4, `parse`: the merged tree into nodes and edges.
//!
//! Takes names and kinds apart and leaves options as they are: what they may be is known to their
//! kinds alone. This is the first of two steps, by which spans survive; the second is in `resolve`.

use std::collections::BTreeMap;

use super::merge::Merged;
use super::suggest;
use super::tree::{Entry, Table, Tree, Value};
use crate::diagnostic::{Diagnostic, SourceId, Span, codes};
use crate::graph::{EdgeName, is_name};
use crate::variables::{MAX_VARIABLES, is_variable_name};

/// The most nodes that a pipeline may have.
pub const MAX_NODES: usize = 256;

/// The most edges that a pipeline may have.
pub const MAX_EDGES: usize = 1024;

/// A pipeline whose words are told apart, and not yet understood.
#[derive(Debug)]
pub(crate) struct Draft {
    /// `[pipeline]`, or the beginning of the file without one.
    pub(crate) place: Span,
    /// The pipeline's name.
    pub(crate) name: Option<Tree>,
    /// The nodes, in the order of the file.
    pub(crate) nodes: Vec<DraftNode>,
    /// The edges, in the order of the file.
    pub(crate) edges: Vec<DraftEdge>,
    /// What calls may be given, in the order of the file.
    pub(crate) variables: Vec<DraftVariable>,
    /// Whether some key of `[nodes]` or `[edges]` had to be left out, so that what seems to be
    /// missing may only be misspelt.
    pub(crate) incomplete: bool,
    /// Nodes that the overlay removed, and where.
    pub(crate) removed: BTreeMap<String, Span>,
}

/// A node.
#[derive(Debug)]
pub(crate) struct DraftNode {
    /// Its name.
    pub(crate) name: String,
    /// Where its name is written.
    pub(crate) key: Span,
    /// Its kind, as a string.
    pub(crate) kind: Option<Tree>,
    /// All but its kind.
    pub(crate) options: Table,
}

/// An edge.
#[derive(Debug)]
pub(crate) struct DraftEdge {
    /// Its name.
    pub(crate) name: EdgeName,
    /// Where its name is written.
    pub(crate) key: Span,
    /// Its limit and overflow.
    pub(crate) options: Table,
}

/// A variable of calls.
#[derive(Debug)]
pub(crate) struct DraftVariable {
    /// Its name.
    pub(crate) name: String,
    /// Where its name is written.
    pub(crate) key: Span,
    /// Its type, default and limits.
    pub(crate) options: Table,
}

/// The tables of a pipeline.
const SECTIONS: [&str; 4] = ["pipeline", "variables", "nodes", "edges"];

/// Takes the merged tree of `base` apart.
pub(crate) fn parse(merged: Merged, base: SourceId) -> (Draft, Vec<Diagnostic>) {
    let mut parser = Parser { found: Vec::new() };
    let mut sections = merged.table;
    let pipeline = sections.shift_remove("pipeline");
    let nodes = sections.shift_remove("nodes");
    let edges = sections.shift_remove("edges");
    let variables = sections.shift_remove("variables");
    for (key, entry) in &sections {
        parser.unknown(key, entry.key, "the tables are", &SECTIONS);
    }
    let draft = Draft {
        place: pipeline.as_ref().map_or(Span::new(base, 0..0), |entry| entry.key),
        name: parser.name(pipeline, base),
        nodes: parser.nodes(nodes),
        edges: parser.edges(edges),
        variables: parser.variables(variables),
        incomplete: false,
        removed: merged.removed,
    };
    let incomplete = parser.found.iter().any(|one| one.code != &codes::NAMELESS_PIPELINE);
    (Draft { incomplete, ..draft }, parser.found)
}

struct Parser {
    found: Vec<Diagnostic>,
}

impl Parser {
    fn unknown(&mut self, key: &str, span: Span, what: &str, known: &[&str]) {
        let found = Diagnostic::new(&codes::UNKNOWN_TABLE, format!("`{key}` means nothing here"))
            .label(span, "unknown")
            .help(suggest::help(key, what, known.iter().copied()));
        self.found.push(found);
    }

    fn name(&mut self, pipeline: Option<Entry>, base: SourceId) -> Option<Tree> {
        let place = pipeline.as_ref().map_or(Span::new(base, 0..0), |entry| entry.key);
        let mut options = self.table(pipeline, "pipeline")?;
        let name = options.shift_remove("name");
        for (key, entry) in &options {
            self.unknown(key, entry.key, "`[pipeline]` has", &["name"]);
        }
        let Some(name) = name else {
            let found = Diagnostic::new(&codes::NAMELESS_PIPELINE, "the pipeline has no name")
                .label(place, "a `[pipeline]` with a `name` is missing")
                .help("write `[pipeline]` and below it `name = \"clinic\"`, or what fits");
            self.found.push(found);
            return None;
        };
        self.string(name.tree, "the pipeline's name")
    }

    /// A table that may be left out; `None` where something else stands in its place.
    fn table(&mut self, entry: Option<Entry>, name: &str) -> Option<Table> {
        let Some(entry) = entry else { return Some(Table::new()) };
        match entry.tree.value {
            Value::Table(table) => Some(table),
            _ => {
                let help = format!("write `[{name}]` and the entries below it");
                self.wrong_shape(&entry.tree, &format!("`{name}`"), "a table", help);
                None
            }
        }
    }

    fn string(&mut self, tree: Tree, what: &str) -> Option<Tree> {
        if tree.as_text().is_some() {
            return Some(tree);
        }
        self.wrong_shape(&tree, what, "a string", "write it in quotes".to_owned());
        None
    }

    fn wrong_shape(&mut self, tree: &Tree, what: &str, expected: &str, help: String) {
        let message = format!("{what} is {}, not {expected}", tree.described());
        let found = Diagnostic::new(&codes::WRONG_SHAPE, message)
            .label(tree.span, format!("expected {expected}"))
            .help(help);
        self.found.push(found);
    }

    fn variables(&mut self, variables: Option<Entry>) -> Vec<DraftVariable> {
        let place = variables.as_ref().map(|entry| entry.key);
        let variables = self.table(variables, "variables").unwrap_or_default();
        if let (Some(place), true) = (place, variables.len() > MAX_VARIABLES) {
            let message =
                format!("{} variables: at most {MAX_VARIABLES} are allowed", variables.len());
            let found = Diagnostic::new(&codes::TOO_MANY_VARIABLES, message)
                .label(place, "too many variables")
                .help("give calls less, or one text with all of it");
            self.found.push(found);
            return Vec::new();
        }
        variables.into_iter().filter_map(|(name, entry)| self.variable(name, entry)).collect()
    }

    fn variable(&mut self, name: String, entry: Entry) -> Option<DraftVariable> {
        if !is_variable_name(&name) {
            let found =
                Diagnostic::new(&codes::BAD_NAME, format!("{name:?} cannot name a variable"))
                    .label(entry.key, "not a name")
                    .help("begin with a letter; go on with letters, digits and `_`, 64 at most");
            self.found.push(found);
            return None;
        }
        match entry.tree.value {
            Value::Table(options) => Some(DraftVariable { name, key: entry.key, options }),
            _ => {
                let help = format!("write `variables.{name} = {{ type = \"string\" }}`");
                self.wrong_shape(&entry.tree, &format!("the variable `{name}`"), "a table", help);
                None
            }
        }
    }

    fn nodes(&mut self, nodes: Option<Entry>) -> Vec<DraftNode> {
        let place = nodes.as_ref().map(|entry| entry.key);
        let nodes = self.table(nodes, "nodes").unwrap_or_default();
        if let (Some(place), true) = (place, nodes.len() > MAX_NODES) {
            let message = format!("{} nodes: at most {MAX_NODES} are allowed", nodes.len());
            let found = Diagnostic::new(&codes::TOO_MANY_NODES, message)
                .label(place, "too many nodes")
                .help("split the pipeline");
            self.found.push(found);
            return Vec::new();
        }
        nodes.into_iter().filter_map(|(name, entry)| self.node(name, entry)).collect()
    }

    fn node(&mut self, name: String, entry: Entry) -> Option<DraftNode> {
        if !is_name(&name) {
            let message = format!("{name:?} cannot name a node");
            let found = Diagnostic::new(&codes::BAD_NAME, message)
                .label(entry.key, "not a name")
                .help("begin with a letter; go on with letters, digits, `_` and `-`, 64 at most");
            self.found.push(found);
            return None;
        }
        let Value::Table(mut options) = entry.tree.value else {
            let help = format!("write `[nodes.{name}]` and the options below it");
            self.wrong_shape(&entry.tree, &format!("the node `{name}`"), "a table", help);
            return Some(DraftNode { name, key: entry.key, kind: None, options: Table::new() });
        };
        let kind = options.shift_remove("kind");
        if kind.is_none() {
            let message = format!("the node `{name}` has no `kind`");
            let found = Diagnostic::new(&codes::KINDLESS_NODE, message)
                .label(entry.key, "what is it?")
                .help("add `kind = \"…\"`; `voicegraph nodes` lists the kinds");
            self.found.push(found);
        }
        let what = format!("the `kind` of node `{name}`");
        let kind = kind.and_then(|kind| self.string(kind.tree, &what));
        Some(DraftNode { name, key: entry.key, kind, options })
    }

    fn edges(&mut self, edges: Option<Entry>) -> Vec<DraftEdge> {
        let place = edges.as_ref().map(|entry| entry.key);
        let edges = self.table(edges, "edges").unwrap_or_default();
        if let (Some(place), true) = (place, edges.len() > MAX_EDGES) {
            let message = format!("{} edges: at most {MAX_EDGES} are allowed", edges.len());
            let found = Diagnostic::new(&codes::TOO_MANY_EDGES, message)
                .label(place, "too many edges")
                .help("split the pipeline");
            self.found.push(found);
            return Vec::new();
        }
        edges.into_iter().filter_map(|(written, entry)| self.edge(&written, entry)).collect()
    }

    fn edge(&mut self, written: &str, entry: Entry) -> Option<DraftEdge> {
        let name = match written.parse::<EdgeName>() {
            Ok(name) => name,
            Err(error) => {
                let found = Diagnostic::new(&codes::MALFORMED_EDGE, format!("no edge: {error}"))
                    .label(entry.key, "not an edge")
                    .help("write `\"node.output -> node.input\" = {}`");
                self.found.push(found);
                return None;
            }
        };
        match entry.tree.value {
            Value::Table(options) => Some(DraftEdge { name, key: entry.key, options }),
            _ => {
                let help = format!("write `\"{name}\" = {{}}`");
                self.wrong_shape(&entry.tree, &format!("the edge `{name}`"), "a table", help);
                None
            }
        }
    }
}
