//! An edge's ends, limit and overflow.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ResolvedEdge, ResolvedNode};
use crate::config::options::{self, Rule, Subject};
use crate::config::parse::DraftEdge;
use crate::config::suggest;
use crate::config::tree::{self, Table};
use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::edge::{Limit, Overflow};
use crate::graph::{EdgeName, PortName};
use crate::message::PayloadKind;
use crate::signature::{PortSpec, Signature};

/// The most messages that an edge may hold.
pub const MAX_LIMIT: u32 = 65_536;

/// The most sound that an edge may hold, in milliseconds: about 2 MB at 16 kHz.
pub const MAX_LIMIT_MS: u32 = 60_000;

/// What can be written for an edge. All of it has defaults, from the port that the edge leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeOptions {
    /// How many messages the edge holds, for payloads without a length in time. From 1, the
    /// tightest coupling, to 65536.
    #[schemars(range(min = 1, max = 65_536))]
    pub limit: Option<u32>,
    /// How much sound the edge holds, in milliseconds, for audio. From 1 to 60000; one frame always
    /// fits.
    #[schemars(range(min = 1, max = 60_000))]
    pub limit_ms: Option<u32>,
    /// What happens when the edge is full: `block` makes the sender wait, `drop_oldest` makes room,
    /// `drop_newest` drops the new message, `fail` ends the call.
    pub overflow: Option<WrittenOverflow>,
}

/// An overflow policy as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WrittenOverflow {
    /// The sender waits for room. Nothing is dropped.
    Block,
    /// The oldest messages make room, and are counted.
    DropOldest,
    /// The new message is dropped, and counted.
    DropNewest,
    /// The call ends with an error: this must not happen.
    Fail,
}

impl From<WrittenOverflow> for Overflow {
    fn from(written: WrittenOverflow) -> Self {
        match written {
            WrittenOverflow::Block => Self::Block,
            WrittenOverflow::DropOldest => Self::DropOldest,
            WrittenOverflow::DropNewest => Self::DropNewest,
            WrittenOverflow::Fail => Self::Fail,
        }
    }
}

/// What edges can begin and end in.
pub(super) struct Ends<'a> {
    nodes: &'a [ResolvedNode],
    places: BTreeMap<&'a str, usize>,
    removed: &'a BTreeMap<String, Span>,
    rule: Rule,
}

/// What became of an edge.
#[derive(Default)]
pub(super) struct Outcome {
    /// The edge, where both ends exist and fit.
    pub(super) edge: Option<ResolvedEdge>,
    /// Ends that could not be resolved: (node, is an input).
    pub(super) gaps: Vec<(usize, bool)>,
    /// The mistakes.
    pub(super) found: Vec<Diagnostic>,
}

/// An end of an edge, as far as it is understood.
#[derive(Clone, Copy)]
enum End<'a> {
    /// A port that exists.
    Port(usize, &'a PortSpec),
    /// A node that exists, and nothing that it has.
    Node(usize),
    /// Nothing.
    Nowhere,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    From,
    To,
}

impl<'a> Ends<'a> {
    pub(super) fn new(nodes: &'a [ResolvedNode], removed: &'a BTreeMap<String, Span>) -> Self {
        let places = nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect();
        let schema = schemars::SchemaGenerator::default().into_root_schema_for::<EdgeOptions>();
        Self { nodes, places, removed, rule: options::rule_of(schema.as_value()) }
    }

    /// Finds both ends and reads the options.
    pub(super) fn resolve(&self, draft: DraftEdge) -> Outcome {
        let DraftEdge { name, key, mut options } = draft;
        let mut outcome = Outcome::default();
        let from = self.end(&name, &name.from, Side::From, key, &mut outcome.found);
        let to = self.end(&name, &name.to, Side::To, key, &mut outcome.found);
        let read = self.options(&name, key, &mut options, &mut outcome.found);
        let (from, output, to, input) = match (from, to) {
            (End::Port(from, output), End::Port(to, input)) => (from, output, to, input),
            (from, to) => {
                outcome.gaps.extend(from.node().map(|node| (node, false)));
                outcome.gaps.extend(to.node().map(|node| (node, true)));
                return outcome;
            }
        };
        if output.payload != input.payload {
            outcome.gaps.extend([(from, false), (to, true)]);
            outcome.found.push(self.mismatch(&name, key, output.payload, input.payload));
            return outcome;
        }
        let (limit, overflow) = limits(&name, key, input, read, &options, &mut outcome.found);
        let (output, input, payload) = (output.name, input.name, input.payload);
        outcome.edge =
            Some(ResolvedEdge { name, key, from, output, to, input, payload, limit, overflow });
        outcome
    }

    fn end(
        &self,
        edge: &EdgeName,
        port: &PortName,
        side: Side,
        key: Span,
        found: &mut Vec<Diagnostic>,
    ) -> End<'a> {
        let Some(&at) = self.places.get(port.node.as_str()) else {
            found.push(self.unknown_node(edge, &port.node, key));
            return End::Nowhere;
        };
        let Some(kind) = &self.nodes[at].kind else { return End::Node(at) };
        let spec = match side {
            Side::From => kind.signature.output(&port.port),
            Side::To => kind.signature.input(&port.port),
        };
        match spec {
            Some(spec) => End::Port(at, spec),
            None => {
                found.push(unknown_port(edge, port, side, kind.name, &kind.signature, key));
                End::Node(at)
            }
        }
    }

    fn unknown_node(&self, edge: &EdgeName, node: &str, key: Span) -> Diagnostic {
        let message = format!("the edge `{edge}` names the node `{node}`, which does not exist");
        let found =
            Diagnostic::new(&codes::UNKNOWN_NODE, message).label(key, format!("no node `{node}`"));
        match self.removed.get(node) {
            Some(&removed) => found
                .label(removed, "the overlay removes it here")
                .help(format!("remove the edge too: `\"{edge}\" = false`")),
            None => {
                let names = self.nodes.iter().map(|node| node.name.as_str());
                found.help(suggest::help(node, "the nodes are", names))
            }
        }
    }

    fn mismatch(
        &self,
        edge: &EdgeName,
        key: Span,
        output: PayloadKind,
        input: PayloadKind,
    ) -> Diagnostic {
        let message = format!("`{}` makes {output}, but `{}` takes {input}", edge.from, edge.to);
        let found = Diagnostic::new(&codes::PAYLOAD_MISMATCH, message)
            .label(key, format!("{output} -> {input}"));
        let mut fitting = Vec::new();
        for node in self.nodes {
            let outputs = node.kind.iter().flat_map(|kind| &kind.signature.outputs);
            let outputs = outputs.filter(|output| output.payload == input);
            fitting.extend(outputs.map(|output| format!("{}.{}", node.name, output.name)));
        }
        match fitting.is_empty() {
            true => found.help(format!("add a node that makes {input}")),
            false => {
                let fitting = suggest::list(fitting.iter().map(String::as_str));
                found.help(format!("{input} is made by {fitting}"))
            }
        }
    }

    /// The options that are right; the mistakes in the others go to `found`.
    fn options(
        &self,
        name: &EdgeName,
        key: Span,
        options: &mut Table,
        found: &mut Vec<Diagnostic>,
    ) -> Option<EdgeOptions> {
        let Rule::Table(rule) = &self.rule else { return None };
        let name = name.to_string();
        let verified = options::verify(options, rule, Subject::Edge { name: &name }, key);
        let wrong = verified.found.iter().any(|one| one.severity() == Severity::Error);
        found.extend(verified.found);
        if wrong || verified.unsure {
            return None;
        }
        Some(tree::to_toml(options).try_into().expect("the options passed their own schema"))
    }
}

impl End<'_> {
    fn node(self) -> Option<usize> {
        match self {
            Self::Port(node, _) | Self::Node(node) => Some(node),
            Self::Nowhere => None,
        }
    }
}

fn unknown_port(
    edge: &EdgeName,
    port: &PortName,
    side: Side,
    kind: &str,
    signature: &Signature,
    key: Span,
) -> Diagnostic {
    let (specs, others, what, other) = match side {
        Side::From => (&signature.outputs, &signature.inputs, "output", "input"),
        Side::To => (&signature.inputs, &signature.outputs, "input", "output"),
    };
    let message = format!("the edge `{edge}` names no {what} of kind `{kind}`: `{port}`");
    let found = Diagnostic::new(&codes::UNKNOWN_PORT, message)
        .label(key, format!("`{}` has no {what} `{}`", port.node, port.port));
    let names = specs.iter().map(|spec| spec.name);
    if names.len() == 0 {
        return found.help(format!("the kind `{kind}` has no {what}s"));
    }
    let is_other = others.iter().any(|spec| spec.name == port.port);
    match suggest::closest(&port.port, names.clone()) {
        None if is_other => found.help(format!(
            "`{}` is an {other}; the {what}s are: {}",
            port.port,
            suggest::list(names)
        )),
        _ => found.help(suggest::help(&port.port, &format!("the {what}s are"), names)),
    }
}

/// The written limit and overflow, or those of the input.
fn limits(
    name: &EdgeName,
    key: Span,
    input: &PortSpec,
    read: Option<EdgeOptions>,
    options: &Table,
    found: &mut Vec<Diagnostic>,
) -> (Limit, Overflow) {
    let read = read.unwrap_or_default();
    let overflow = read.overflow.map_or(input.overflow, Overflow::from);
    let place = |option: &str| options.get(option).map_or(key, |entry| entry.key);
    let timed = input.payload.has_duration();
    let (fits, unit) = if timed { ("limit_ms", "milliseconds") } else { ("limit", "messages") };
    let limit = match (read.limit, read.limit_ms) {
        (Some(_), Some(_)) => {
            let message = format!("the edge `{name}` has both `limit` and `limit_ms`");
            let two = Diagnostic::new(&codes::TWO_LIMITS, message)
                .label(place("limit"), "one")
                .label(place("limit_ms"), "the other");
            let carries = format!("keep `{fits}`: {} is limited in {unit}", input.payload);
            found.push(two.help(carries));
            input.limit
        }
        (Some(count), None) if !timed => Limit::count(count),
        (None, Some(millis)) if timed => Limit::millis(millis),
        (None, None) => input.limit,
        (wrong, _) => {
            let wrong = if wrong.is_some() { "limit" } else { "limit_ms" };
            let message =
                format!("the edge `{name}` carries {}, which has no `{wrong}`", input.payload);
            let unfit = Diagnostic::new(&codes::WRONG_LIMIT, message)
                .label(place(wrong), "the wrong unit")
                .help(format!("write `{fits}`, in {unit}; the default is {}", input.limit));
            found.push(unfit);
            input.limit
        }
    };
    (limit, overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_and_constants_agree() {
        let schema = schemars::SchemaGenerator::default().into_root_schema_for::<EdgeOptions>();
        let Rule::Table(rule) = options::rule_of(schema.as_value()) else { panic!("a table") };
        let range = |max: u32| Rule::Integer { min: Some(1), max: Some(i64::from(max)) };
        assert_eq!(rule.fields["limit"].rule, range(MAX_LIMIT));
        assert_eq!(rule.fields["limit_ms"].rule, range(MAX_LIMIT_MS));
        let words = Overflow::ALL.map(|overflow| overflow.name().to_owned()).to_vec();
        assert_eq!(rule.fields["overflow"].rule, Rule::Choice(words));
    }
}
