//! What a call may be given: the declarations in `[variables]`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Secrets;
use crate::config::options::{self, Rule, Subject, Verified};
use crate::config::parse::DraftVariable;
use crate::config::tree::{self, Table, Tree, Value as Written};
use crate::diagnostic::{Diagnostic, Severity, Span, codes};
use crate::variables::{DEFAULT_LENGTH, Declaration, Declarations, Refusal, Value, VariableType};

/// What can be written for a variable.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VariableOptions {
    /// What the variable may be.
    #[serde(rename = "type")]
    pub(crate) kind: WrittenType,
    /// What it is where nothing is given. Without it a call that is given nothing is refused.
    #[expect(dead_code, reason = "it is read from the tree, where it has a place")]
    pub(crate) default: Option<serde_json::Value>,
    /// What the variable is for.
    pub(crate) description: Option<String>,
    /// How many characters a string may have, 1 to 4000; default 256. What comes in stands in
    /// prompts and statements: allow no more than it needs.
    #[schemars(range(min = 1, max = 4000))]
    pub(crate) max_length: Option<u32>,
    /// The attribute of a room's participant that fills it where nothing else does:
    /// `sip.phoneNumber`.
    #[schemars(length(min = 1, max = 256))]
    pub(crate) attribute: Option<String>,
}

/// What a variable may be, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WrittenType {
    /// Text without control characters but line breaks and tabs.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
}

impl From<WrittenType> for VariableType {
    fn from(written: WrittenType) -> Self {
        match written {
            WrittenType::String => Self::String,
            WrittenType::Integer => Self::Integer,
            WrittenType::Number => Self::Number,
            WrittenType::Boolean => Self::Boolean,
        }
    }
}

/// The variables of a pipeline.
#[derive(Default)]
pub(crate) struct Declared {
    /// Those that are declared rightly, in the order of the file.
    pub(crate) right: Vec<ResolvedVariable>,
    /// The names of the others.
    wrong: BTreeSet<String>,
}

/// A variable, as declared.
pub(crate) struct ResolvedVariable {
    /// The declaration.
    pub(crate) declaration: Declaration,
    /// Where its name is written.
    pub(crate) key: Span,
}

impl Declared {
    /// Reads all declarations.
    pub(super) fn resolve(
        drafts: Vec<DraftVariable>,
        found: &mut Vec<Diagnostic>,
        secrets: &mut Secrets,
    ) -> Self {
        let rule = rule();
        let mut declared = Self::default();
        for draft in drafts {
            let (name, key) = (draft.name.clone(), draft.key);
            let (declaration, verified) = resolve(draft, &rule);
            found.extend(verified.found);
            secrets.places.extend(verified.masks);
            match declaration {
                Some(declaration) => declared.right.push(ResolvedVariable { declaration, key }),
                None => drop(declared.wrong.insert(name)),
            }
        }
        declared
    }

    /// What kinds and calls are told.
    pub(crate) fn declarations(&self) -> Declarations {
        Declarations::new(self.right.iter().map(|one| one.declaration.clone()))
    }

    /// Whether the variable is declared, rightly or wrongly.
    pub(crate) fn has(&self, name: &str) -> bool {
        let is = |one: &ResolvedVariable| &*one.declaration.name == name;
        self.wrong.contains(name) || self.right.iter().any(is)
    }
}

/// The rule by which declarations are checked.
fn rule() -> Rule {
    let schema = schemars::SchemaGenerator::default().into_root_schema_for::<VariableOptions>();
    options::rule_of(schema.as_value())
}

/// Reads one declaration; `None` where it is wrong.
fn resolve(draft: DraftVariable, rule: &Rule) -> (Option<Declaration>, Verified) {
    let DraftVariable { name, key, mut options } = draft;
    let Rule::Table(rule) = rule else { unreachable!("a struct with fields is a table") };
    let mut verified = options::verify(&mut options, rule, Subject::Variable { name: &name }, key);
    if verified.unsure || verified.found.iter().any(|one| one.severity() == Severity::Error) {
        return (None, verified);
    }
    let read: VariableOptions = toml::Value::Table(tree::to_toml(&options))
        .try_into()
        .expect("what the schema allows can be read");
    let declaration = Declaration {
        name: name.into(),
        kind: read.kind.into(),
        default: None,
        description: read.description,
        max_length: read.max_length.map_or(DEFAULT_LENGTH, |max| max as usize),
        attribute: read.attribute,
    };
    let (default, found) = default(&declaration, &options);
    verified.found.extend(found);
    verified.found.extend(unfit_length(&declaration, &options));
    let is_right = verified.found.is_empty();
    (is_right.then_some(Declaration { default, ..declaration }), verified)
}

/// The default, where it is one of the declared type.
fn default(declaration: &Declaration, options: &Table) -> (Option<Value>, Option<Diagnostic>) {
    let Some(entry) = options.get("default") else { return (None, None) };
    let Declaration { name, kind, .. } = declaration;
    let Some(value) = value(&entry.tree, *kind) else {
        let found = entry.tree.described();
        let message = format!("the default of the variable `{name}` is {found}, not {kind}");
        let found = Diagnostic::new(&codes::UNFIT_DECLARATION, message)
            .label(entry.tree.span, format!("expected {kind}"))
            .help(format!("write {kind}, or change `type`"));
        return (None, Some(found));
    };
    let refused = declaration.fits(&value).err().map(|refusal| {
        let help = match refusal {
            Refusal::TooLong { .. } => "shorten it, or raise `max_length`",
            _ => "write plain text",
        };
        let message = format!("the default of the variable {refusal}");
        Diagnostic::new(&codes::UNFIT_DECLARATION, message)
            .label(entry.tree.span, "unfit")
            .help(help)
    });
    (Some(value), refused)
}

fn value(written: &Tree, kind: VariableType) -> Option<Value> {
    match (kind, &written.value) {
        (VariableType::String, Written::String(text)) => {
            Some(Value::Text(text.text.as_str().into()))
        }
        (VariableType::Integer, Written::Integer(integer)) => Some(Value::Integer(*integer)),
        (VariableType::Number, Written::Integer(integer)) => Some(Value::Number(*integer as f64)),
        (VariableType::Number, Written::Float(number)) if number.is_finite() => {
            Some(Value::Number(*number))
        }
        (VariableType::Boolean, Written::Boolean(boolean)) => Some(Value::Boolean(*boolean)),
        _ => None,
    }
}

fn unfit_length(declaration: &Declaration, options: &Table) -> Option<Diagnostic> {
    let entry = options.get("max_length")?;
    let Declaration { name, kind, .. } = declaration;
    (*kind != VariableType::String).then(|| {
        let message = format!("the variable `{name}` is {kind}, which has no `max_length`");
        Diagnostic::new(&codes::UNFIT_DECLARATION, message)
            .label(entry.key, "only a string can have it")
            .help("remove it, or change `type`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variables::MAX_LENGTH;

    #[test]
    fn schema_and_constants_agree() {
        let Rule::Table(rule) = rule() else { panic!("a table") };
        let range = Rule::Integer { min: Some(1), max: i64::try_from(MAX_LENGTH).ok() };
        assert_eq!(rule.fields["max_length"].rule, range);
        assert!(rule.fields["type"].required && !rule.fields["default"].required);
    }
}
