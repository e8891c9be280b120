//! Text with variables of the call in it: `Hello {{patient_name}}.`
//!
//! Two braces, since `${…}` is the environment's and is gone when a node reads its options. `{{{{`
//! stands for two braces as they are.

use super::{Variables, is_variable_name};

/// Text in which variables stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable { name: String, written: String },
}

/// A variable of calls, where an option names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedVariable {
    /// The option: `system`, `tools[2].sql`.
    pub path: String,
    /// The variable's name.
    pub name: String,
    /// How it is written there: `{{patient_name}}`.
    pub written: String,
}

/// Two braces that begin no variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{{{{` begins no variable at {written:?}")]
pub struct TemplateError {
    /// What stands there, shortened.
    pub written: String,
}

/// How much of a mistake is shown, in characters.
const SHOWN: usize = 24;

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// [`TemplateError`]: two braces open and no name stands in them.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let (mut literal, mut rest) = (String::new(), text);
        while let Some(at) = rest.find("{{") {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("{{{{") {
                literal.push_str("{{");
                rest = after;
                continue;
            }
            let (name, length) = variable(rest).ok_or_else(|| mistake(rest))?;
            let (written, after) = rest.split_at(length);
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
            pieces.push(Piece::Variable { name: name.to_owned(), written: written.to_owned() });
            rest = after;
        }
        literal.push_str(rest);
        pieces.push(Piece::Text(literal));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Self { pieces })
    }

    /// The variables in it, in order, each as often as it stands; the text is the option at `path`.
    pub fn used<'a>(&'a self, path: &'a str) -> impl Iterator<Item = UsedVariable> + 'a {
        self.pieces.iter().filter_map(move |piece| match piece {
            Piece::Variable { name, written } => {
                let (name, written) = (name.clone(), written.clone());
                Some(UsedVariable { path: path.to_owned(), name, written })
            }
            Piece::Text(_) => None,
        })
    }

    /// The text with values in place. A variable that is not declared is nothing.
    pub fn render(&self, variables: &Variables) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Variable { name, .. } => {
                    text.extend(variables.get(name).map(ToString::to_string));
                }
            }
        }
        text
    }
}

/// The variable that `text` begins with, and the length of both with the braces.
fn variable(text: &str) -> Option<(&str, usize)> {
    let (name, _) = text.strip_prefix("{{")?.split_once("}}")?;
    let length = name.len() + "{{}}".len();
    let name = name.trim();
    is_variable_name(name).then_some((name, length))
}

fn mistake(text: &str) -> TemplateError {
    TemplateError { written: text.chars().take(SHOWN).collect() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::variables::Value;

    fn check(text: &str, names: &[&str], expected: &str) {
        let variables = Variables::new(BTreeMap::from([
            ("name".into(), Value::Text("{{age}}".into())),
            ("age".into(), Value::Integer(41)),
        ]));
        let template = Template::parse(text).expect(text);
        let used: Vec<_> = template.used("system").collect();
        assert_eq!(used.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), names, "{text}");
        assert!(used.iter().all(|one| text.contains(&one.written)), "{used:?}");
        assert_eq!(template.render(&variables), expected, "{text}");
    }

    #[test]
    fn names_are_replaced_once_and_all_else_stays() {
        check("Hello.", &[], "Hello.");
        check("", &[], "");
        check("{{age}}", &["age"], "41");
        check("I am {{ age }}, {{age}}.", &["age", "age"], "I am 41, 41.");
        check("{{name}}", &["name"], "{{age}}");
        check("{ {a} }} {", &[], "{ {a} }} {");
        check("write {{{{age}}", &[], "write {{age}}");
        check("[{{gone}}]", &["gone"], "[]");
    }

    #[test]
    fn braces_without_a_name_are_a_mistake() {
        for text in ["{{}}", "{{age", "{{ first name }}", "{{9}}", "{{{age}}}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        let error = Template::parse("a {{b c}} d").expect_err("no name");
        assert_eq!(error.to_string(), "`{{` begins no variable at \"{{b c}} d\"");
    }
}
