//! The mistakes in options, in words.
//!
//! Nodes, edges and variables make the same mistakes, some under codes of their own. Values of
//! secret options come by here in no case.

use super::{Field, Rule, TableRule, describe, example};
use crate::config::suggest;
use crate::config::tree::Tree;
use crate::diagnostic::{Diagnostic, Span, codes};

/// Whose options are checked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    /// A node's.
    Node {
        /// Its name.
        name: &'a str,
        /// Its kind.
        kind: &'a str,
    },
    /// An edge's.
    Edge {
        /// Its written form.
        name: &'a str,
    },
    /// A variable's.
    Variable {
        /// Its name.
        name: &'a str,
    },
}

impl Subject<'_> {
    /// "node `stt`".
    fn described(self) -> String {
        match self {
            Self::Node { name, .. } => format!("node `{name}`"),
            Self::Edge { name } => format!("edge `{name}`"),
            Self::Variable { name } => format!("variable `{name}`"),
        }
    }

    pub(super) fn unknown(
        self,
        key: &str,
        path: &str,
        key_span: Span,
        rule: &TableRule,
    ) -> Diagnostic {
        let (code, message) = match self {
            Self::Node { name, kind } => {
                let message = format!("`{path}` is no option of kind `{kind}` (node `{name}`)");
                (&codes::UNKNOWN_OPTION, message)
            }
            Self::Edge { name } => {
                let message = format!("`{path}` is no option of an edge (`{name}`)");
                (&codes::UNKNOWN_EDGE_OPTION, message)
            }
            Self::Variable { name } => {
                let message = format!("`{path}` is no option of a variable (`{name}`)");
                (&codes::UNKNOWN_VARIABLE_OPTION, message)
            }
        };
        let names = rule.fields.keys().map(String::as_str);
        Diagnostic::new(code, message).label(key_span, "unknown option").help(suggest::help(
            key,
            "the options are",
            names,
        ))
    }

    pub(super) fn missing(self, path: &str, name: &str, field: &Field, place: Span) -> Diagnostic {
        let message = format!("{} lacks the option `{path}`", self.described());
        let example = example(&field.rule, name);
        Diagnostic::new(&codes::MISSING_OPTION, message)
            .label(place, "an option is missing")
            .help(format!("add `{name} = {example}`{}", gloss(&field.doc)))
    }

    pub(super) fn wrong_type(self, path: &str, tree: &Tree, rule: &Rule) -> Diagnostic {
        let expected = describe(rule);
        let (described, found) = (self.described(), tree.described());
        let message = format!("`{path}` of {described} is {found}, not {expected}");
        let help = match (rule, tree.as_text()) {
            (Rule::Integer { .. } | Rule::Number { .. } | Rule::Boolean, Some(_)) => {
                "write it without quotes".to_owned()
            }
            (Rule::Text { .. }, _) => "write it in quotes".to_owned(),
            _ => format!("write {expected}"),
        };
        Diagnostic::new(&codes::WRONG_TYPE, message)
            .label(tree.span, format!("expected {expected}"))
            .help(help)
    }

    pub(super) fn out_of_range(
        self,
        path: &str,
        value: &str,
        wrong: &str,
        rule: &Rule,
        span: Span,
    ) -> Diagnostic {
        let code = match self {
            Self::Node { .. } | Self::Variable { .. } => &codes::OUT_OF_RANGE,
            Self::Edge { .. } => &codes::LIMIT_OUT_OF_BOUNDS,
        };
        Diagnostic::new(code, format!("`{path}` of {} is {value}: {wrong}", self.described()))
            .label(span, wrong)
            .help(format!("write {}", describe(rule)))
    }

    pub(super) fn wrong_length(
        self,
        path: &str,
        length: &str,
        bound: &str,
        span: Span,
    ) -> Diagnostic {
        let message = format!("`{path}` of {} has {length}: it takes {bound}", self.described());
        Diagnostic::new(&codes::OUT_OF_RANGE, message)
            .label(span, format!("not {bound}"))
            .help(format!("write {bound}"))
    }

    pub(super) fn unknown_choice(
        self,
        path: &str,
        word: &str,
        words: &[String],
        span: Span,
    ) -> Diagnostic {
        let code = match self {
            Self::Node { .. } | Self::Variable { .. } => &codes::UNKNOWN_CHOICE,
            Self::Edge { .. } => &codes::UNKNOWN_OVERFLOW,
        };
        Diagnostic::new(code, format!("`{path}` of {} has no value {word:?}", self.described()))
            .label(span, "unknown value")
            .help(suggest::help(word, "the values are", words.iter().map(String::as_str)))
    }

    pub(super) fn unfit(
        self,
        path: &str,
        rule: &Rule,
        variable: &str,
        value: &str,
        span: Span,
    ) -> Diagnostic {
        let (described, expected) = (self.described(), describe(rule));
        let message = format!(
            "`{path}` of {described} must be {expected}, but the variable {variable} gives {value:?}"
        );
        Diagnostic::new(&codes::UNFIT_VARIABLE, message)
            .label(span, "from this variable")
            .help(format!("set {variable} to {expected}"))
    }

    pub(super) fn written_secret(self, path: &str, span: Span) -> Diagnostic {
        let message = format!("a secret, `{path}` of {}, is written in the file", self.described());
        let variable = path.rsplit('.').next().unwrap_or(path).to_uppercase();
        Diagnostic::new(&codes::WRITTEN_SECRET, message)
            .label(span, "a secret in plain text")
            .help(format!("name a variable in its place: `\"${{{variable}:?}}\"`"))
    }
}

/// The first sentence of an option's manual entry, to follow its example.
fn gloss(doc: &str) -> String {
    let paragraph = doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let sentence = paragraph.split(". ").next().unwrap_or_default().trim_end_matches('.');
    if sentence.is_empty() { String::new() } else { format!(": {sentence}") }
}
