//! What one call is given.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Declarations, VariableType, is_variable_name};
use crate::diagnostic::suggest;

/// How many refusals are told at once; a dispatch with more is not meant for this pipeline.
const MAX_REFUSALS: usize = 32;

/// The variables of one call. Prints its names alone: values may be private.
#[derive(Clone, Default, PartialEq)]
pub struct Variables(Arc<BTreeMap<Arc<str>, Value>>);

/// A variable's value. Its `Display` is how a prompt says it.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(Arc<str>),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

/// Why something given is refused. No value is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The pipeline declares no such variable.
    #[error("{name:?} is no variable of the pipeline{}", meant(.closest.as_deref()))]
    Unknown {
        /// Its name.
        name: String,
        /// The variable that was most likely meant.
        closest: Option<String>,
    },
    /// What stands in a name's place can be none, and may be a value.
    #[error("a name is none of a variable: write a letter, then letters, digits and `_`")]
    NoName,
    /// The value has another type.
    #[error("`{name}` is {given}: write {expected}")]
    WrongType {
        /// The variable.
        name: String,
        /// The type as declared.
        expected: VariableType,
        /// The type as given, with its article.
        given: &'static str,
    },
    /// The string is too long.
    #[error("`{name}` is too long: at most {max} characters are allowed")]
    TooLong {
        /// The variable.
        name: String,
        /// How many characters it may have.
        max: usize,
    },
    /// The string has characters that no text has.
    #[error("`{name}` holds control characters: write plain text")]
    Control {
        /// The variable.
        name: String,
    },
    /// Nothing is given, and there is no default.
    #[error("`{name}` is missing, and has no default")]
    Missing {
        /// The variable.
        name: String,
    },
}

fn meant(closest: Option<&str>) -> String {
    closest.map_or_else(String::new, |name| format!(": did you mean `{name}`?"))
}

/// Refusals in one line.
pub fn told(refusals: &[Refusal]) -> String {
    refusals.iter().map(Refusal::to_string).collect::<Vec<_>>().join("; ")
}

impl Variables {
    pub(super) fn new(values: BTreeMap<Arc<str>, Value>) -> Self {
        Self(Arc::new(values))
    }

    /// Reads what is given by its declarations; what is not given gets its default.
    ///
    /// # Errors
    /// All that is wrong, at most `MAX_REFUSALS` of it.
    pub fn parse(
        declarations: &Declarations,
        given: &BTreeMap<String, Json>,
    ) -> Result<Self, Vec<Refusal>> {
        let mut refused = Vec::new();
        let mut values = BTreeMap::new();
        for (name, json) in given {
            let Some(declaration) = declarations.get(name) else {
                refused.push(unknown(name, declarations));
                continue;
            };
            match Value::read(declaration.kind, json) {
                Some(value) => drop(values.insert(Arc::clone(&declaration.name), value)),
                None => refused.push(Refusal::WrongType {
                    name: name.clone(),
                    expected: declaration.kind,
                    given: described(json),
                }),
            }
        }
        let read = declarations.complete(&Self::new(values));
        let told: Vec<String> = refused.iter().filter_map(Refusal::name).collect();
        match read {
            Ok(variables) if refused.is_empty() => return Ok(variables),
            Ok(_) => {}
            // What was refused already is not missing too.
            Err(more) => refused.extend(
                more.into_iter().filter(|one| !one.name().is_some_and(|name| told.contains(&name))),
            ),
        }
        refused.truncate(MAX_REFUSALS);
        Err(refused)
    }

    /// The value of that variable; `None` where it is not declared.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

fn unknown(name: &str, declarations: &Declarations) -> Refusal {
    if !is_variable_name(name) {
        return Refusal::NoName;
    }
    let closest =
        suggest::closest(name, declarations.iter().map(|one| &*one.name)).map(str::to_owned);
    Refusal::Unknown { name: name.to_owned(), closest }
}

fn described(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(number) if number.is_f64() => "a number",
        Json::Number(_) => "an integer",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

impl Refusal {
    /// The declared variable that is refused.
    fn name(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } | Self::NoName => None,
            Self::WrongType { name, .. }
            | Self::TooLong { name, .. }
            | Self::Control { name }
            | Self::Missing { name } => Some(name.clone()),
        }
    }
}

impl Value {
    /// The value as that type; `None` where it is another.
    fn read(kind: VariableType, json: &Json) -> Option<Self> {
        match kind {
            VariableType::String => json.as_str().map(|text| Self::Text(text.into())),
            VariableType::Integer => json.as_i64().map(Self::Integer),
            VariableType::Number => json.as_f64().map(Self::Number),
            VariableType::Boolean => json.as_bool().map(Self::Boolean),
        }
    }

    pub(super) fn described(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Number(_) => "a number",
            Self::Boolean(_) => "a boolean",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(integer) => integer.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Boolean(boolean) => boolean.fmt(f),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.described())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{DEFAULT_LENGTH, Declaration};
    use super::*;

    fn declaration(name: &str, kind: VariableType, default: Option<Value>) -> Declaration {
        Declaration {
            name: name.into(),
            kind,
            default,
            description: None,
            max_length: DEFAULT_LENGTH,
            attribute: None,
        }
    }

    fn declarations() -> Declarations {
        let name = Declaration {
            max_length: 8,
            attribute: Some("sip.name".to_owned()),
            ..declaration("name", VariableType::String, None)
        };
        let age = Declaration {
            attribute: Some("sip.age".to_owned()),
            ..declaration("age", VariableType::Integer, Some(Value::Integer(30)))
        };
        Declarations::new([
            name,
            age,
            declaration("rate", VariableType::Number, Some(Value::Number(0.5))),
            declaration("new", VariableType::Boolean, Some(Value::Boolean(false))),
        ])
    }

    fn parse(given: &Json) -> Result<Variables, Vec<String>> {
        let given = given.as_object().expect("an object").clone().into_iter().collect();
        Variables::parse(&declarations(), &given)
            .map_err(|refusals| refusals.iter().map(Refusal::to_string).collect())
    }

    #[test]
    fn what_is_given_stands_and_what_is_not_has_its_default() {
        let variables = parse(&json!({ "name": "Ada", "rate": 2 })).expect("all fits");
        assert_eq!(variables.get("name"), Some(&Value::Text("Ada".into())));
        assert_eq!(variables.get("rate"), Some(&Value::Number(2.0)));
        assert_eq!(variables.get("age"), Some(&Value::Integer(30)));
        assert_eq!(variables.get("new"), Some(&Value::Boolean(false)));
        assert_eq!(variables.get("other"), None);
    }

    #[test]
    fn everything_wrong_is_told_at_once_and_no_value() {
        let wrong = json!({
            "nam": "sesame", "+44": 1, "age": "sesame", "rate": "0.5", "new": 1,
            "x": { "sesame": 1 },
        });
        let refused = parse(&wrong).expect_err("nothing fits");
        assert_eq!(
            refused,
            [
                "a name is none of a variable: write a letter, then letters, digits and `_`",
                "`age` is a string: write an integer",
                "\"nam\" is no variable of the pipeline: did you mean `name`?",
                "`new` is an integer: write a boolean",
                "`rate` is a string: write a number",
                "\"x\" is no variable of the pipeline",
                "`name` is missing, and has no default",
            ]
        );
        assert!(!refused.concat().contains("sesame"));
    }

    #[test]
    fn strings_are_bounded_and_plain() {
        assert!(parse(&json!({ "name": "ÄÄÄÄÄÄÄÄ" })).is_ok());
        for (name, expected) in [
            ("ÄÄÄÄÄÄÄÄÄ", "`name` is too long: at most 8 characters are allowed"),
            ("a\u{1b}[0m", "`name` holds control characters: write plain text"),
        ] {
            assert_eq!(parse(&json!({ "name": name })).expect_err(name), [expected]);
        }
        assert_eq!(
            parse(&json!({ "name": null })).expect_err("null"),
            ["`name` is null: write a string"]
        );
    }

    #[test]
    fn a_flood_of_names_is_cut() {
        let flood: serde_json::Map<_, _> =
            (0..1_000).map(|n| (format!("{n}{}", "y".repeat(500)), json!(1))).collect();
        let refused = parse(&flood.into()).expect_err("none is declared");
        assert_eq!(refused.len(), MAX_REFUSALS);
        assert!(refused.iter().all(|one| one.len() < 200));
    }

    #[test]
    fn neither_value_nor_variables_print_what_is_private() {
        let variables = parse(&json!({ "name": "sesame" })).expect("it fits");
        let printed = format!("{variables:?} {:?}", variables.get("name"));
        assert!(printed.contains("name") && !printed.contains("sesame"), "{printed}");
    }

    #[test]
    fn attributes_fill_what_nothing_else_does() {
        let attribute = |name: &str| match name {
            "sip.name" => Some("Ada"),
            "sip.age" => Some(" 41 "),
            _ => None,
        };
        let mut given = BTreeMap::new();
        declarations().fill(&mut given, attribute);
        assert_eq!(
            given,
            BTreeMap::from([("name".into(), "Ada".into()), ("age".into(), 41.into())])
        );
        let mut given = BTreeMap::from([("name".into(), "Eve".into())]);
        declarations().fill(&mut given, |_| Some("old"));
        assert_eq!(given["name"], "Eve");
        let refused = Variables::parse(&declarations(), &given).expect_err("`old` is no age");
        assert_eq!(told(&refused), "`age` is a string: write an integer");
    }

    #[test]
    fn what_was_given_to_another_pipeline_is_checked_again() {
        let given = parse(&json!({ "name": "Ada" })).expect("it fits");
        let other = Declarations::new([declaration("name", VariableType::Integer, None)]);
        let refused = other.complete(&given).expect_err("another type");
        assert_eq!(told(&refused), "`name` is a string: write an integer");
        assert_eq!(Declarations::default().complete(&given), Ok(Variables::default()));
    }
}
