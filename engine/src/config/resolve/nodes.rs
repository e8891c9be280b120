//! A node's kind and options.

use std::sync::Arc;

use crate::config::options::{self, Rule, Subject, Verified};
use crate::config::parse::DraftNode;
use crate::config::tree::{self, Table};
use crate::config::{fingerprint, suggest};
use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::node::{NodeFactory, NodeKind, Problem};
use crate::registry::Registry;
use crate::signature::Signature;
use crate::variables::Declarations;

/// A node, as far as it is understood.
pub(crate) struct ResolvedNode {
    /// Its name.
    pub(crate) name: String,
    /// Where its name is written.
    pub(crate) key: Span,
    /// Its kind; `None` where that is unknown.
    pub(crate) kind: Option<ResolvedKind>,
    /// Its options, variables put in.
    pub(crate) options: Table,
    /// What stands for its options in the fingerprint.
    pub(crate) canonical: String,
}

/// A node's kind.
pub(crate) struct ResolvedKind {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its ports.
    pub(crate) signature: Signature,
    /// What it made of the options; `None` where it refused them.
    pub(crate) factory: Option<Arc<dyn NodeFactory>>,
}

/// Finds the node's kind, checks its options and configures it.
pub(super) fn resolve(
    draft: DraftNode,
    registry: &Registry,
    environment: &str,
    variables: &Declarations,
) -> (ResolvedNode, Verified) {
    let DraftNode { name, key, kind, mut options } = draft;
    let unresolved =
        ResolvedNode { name, key, kind: None, options: Table::new(), canonical: String::new() };
    let written = kind.as_ref().and_then(|kind| Some((kind.as_text()?, kind.span)));
    let Some((written, span)) = written.filter(|(text, _)| !text.unknown) else {
        return (unresolved, Verified::default());
    };
    let Some(kind) = registry.get(&written.text) else {
        let found = vec![unknown_kind(&written.text, span, registry)];
        return (unresolved, Verified { found, ..Verified::default() });
    };
    let rule = options::rule_of(kind.options().as_value());
    let around = Around { environment, variables };
    let (factory, verified) = configure(&unresolved, kind, around, &rule, &mut options);
    let canonical = fingerprint::canonical(&options, &rule);
    let kind = ResolvedKind { name: kind.name(), signature: kind.signature(), factory };
    (ResolvedNode { kind: Some(kind), options, canonical, ..unresolved }, verified)
}

fn unknown_kind(written: &str, span: Span, registry: &Registry) -> Diagnostic {
    let names: Vec<&str> = registry.kinds().map(NodeKind::name).collect();
    Diagnostic::new(&codes::UNKNOWN_KIND, format!("there is no kind {written:?}"))
        .label(span, "unknown kind")
        .help(suggest::help(written, "the kinds are", names))
}

/// What the pipeline tells a kind besides its options.
#[derive(Clone, Copy)]
struct Around<'a> {
    environment: &'a str,
    variables: &'a Declarations,
}

/// The factory, where the options are right by the schema and by the kind's own judgement.
fn configure(
    node: &ResolvedNode,
    kind: &dyn NodeKind,
    around: Around<'_>,
    rule: &Rule,
    options: &mut Table,
) -> (Option<Arc<dyn NodeFactory>>, Verified) {
    let subject = Subject::Node { name: &node.name, kind: kind.name() };
    let mut verified = match rule {
        Rule::Table(rule) => options::verify(options, rule, subject, node.key),
        // A kind without options has a schema without fields.
        _ => Verified::default(),
    };
    if verified.unsure || verified.found.iter().any(|one| one.severity() == Severity::Error) {
        return (None, verified);
    }
    match kind.configure(tree::to_toml(options), around.environment, around.variables) {
        Ok(factory) => (Some(factory), verified),
        Err(problems) => {
            verified
                .found
                .extend(problems.iter().map(|one| refusal(&node.name, node.key, options, one)));
            (None, verified)
        }
    }
}

/// What the node `name` holds against its options, at its place in them.
pub(crate) fn refusal(name: &str, key: Span, options: &Table, problem: &Problem) -> Diagnostic {
    let message = match problem.path.as_str() {
        "" => format!("node `{name}`: {}", problem.message),
        path => format!("`{path}` of node `{name}`: {}", problem.message),
    };
    let place = options::find(options, &problem.path).unwrap_or(key);
    let found = Diagnostic::new(&codes::REFUSED_OPTION, message).label(place, "refused");
    match &problem.help {
        Some(help) => found.help(help),
        None => found.help("`voicegraph nodes` with the kind's name says what it takes"),
    }
}
