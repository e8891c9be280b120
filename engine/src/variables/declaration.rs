//! What a pipeline declares that its calls may be given.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Refusal, Value, Variables};

/// The most variables that a pipeline may declare.
pub const MAX_VARIABLES: usize = 64;

/// How many characters a string may have where the declaration does not say: a name, a number, a
/// sentence.
pub const DEFAULT_LENGTH: usize = 256;

/// The most that a declaration may allow, in characters: a page of a prompt.
pub const MAX_LENGTH: usize = 4_000;

/// The longest name of a variable, in bytes.
const MAX_NAME: usize = 64;

/// Whether `name` can name a variable: a letter, then letters, digits and `_`, so that it can stand
/// in SQL and in a prompt.
pub fn is_variable_name(name: &str) -> bool {
    let fits = |char: char| char.is_ascii_alphanumeric() || char == '_';
    name.len() <= MAX_NAME
        && name.starts_with(|char: char| char.is_ascii_alphabetic())
        && name.chars().all(fits)
}

/// One variable, as declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Its name.
    pub name: Arc<str>,
    /// What it may be.
    pub kind: VariableType,
    /// What it is where nothing is given; `None` where something must be.
    pub default: Option<Value>,
    /// What it is for.
    pub description: Option<String>,
    /// How many characters a string may have.
    pub max_length: usize,
    /// The attribute of a room's participant that fills it where nothing else does:
    /// `sip.phoneNumber`.
    pub attribute: Option<String>,
}

/// What a variable may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableType {
    /// Text without control characters but line breaks and tabs.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A finite number.
    Number,
    /// True or false.
    Boolean,
}

impl VariableType {
    /// The type with its article, as errors call it.
    pub fn described(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
        }
    }
}

impl fmt::Display for VariableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.described())
    }
}

/// All variables of a pipeline, by name. Only [`config`](crate::config) makes one that is not
/// empty, so each default fits its declaration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declarations(Arc<BTreeMap<Arc<str>, Declaration>>);

impl Declarations {
    /// These variables.
    pub(crate) fn new(declared: impl IntoIterator<Item = Declaration>) -> Self {
        let named = declared.into_iter().map(|one| (Arc::clone(&one.name), one));
        Self(Arc::new(named.collect()))
    }

    /// These variables, for the tests of those who read them.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_test(declared: impl IntoIterator<Item = Declaration>) -> Self {
        Self::new(declared)
    }

    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<&Declaration> {
        self.0.get(name)
    }

    /// Every variable, in the order of names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Declaration> {
        self.0.values()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fills what `given` lacks from a participant's attributes, where the declarations name them.
    /// What does not fit is told by [`Variables::parse`].
    pub fn fill<'a>(
        &self,
        given: &mut BTreeMap<String, Json>,
        attribute: impl Fn(&str) -> Option<&'a str>,
    ) {
        for declaration in self.iter() {
            let value = declaration.attribute.as_deref().and_then(&attribute);
            if let (Some(text), false) = (value, given.contains_key(&*declaration.name)) {
                given.insert(declaration.name.to_string(), declaration.read(text));
            }
        }
    }

    /// `given` with the defaults of what is not given. To be used where a call begins, since what
    /// was given may be meant for another pipeline.
    ///
    /// # Errors
    /// Every variable that is missing, and every one that does not fit.
    pub fn complete(&self, given: &Variables) -> Result<Variables, Vec<Refusal>> {
        let mut refused = Vec::new();
        let mut values = BTreeMap::new();
        for declaration in self.iter() {
            let value = match given.get(&declaration.name) {
                Some(value) => declaration.fits(value).map(|()| value.clone()),
                None => declaration.default.clone().ok_or_else(|| declaration.missing()),
            };
            match value {
                Ok(value) => drop(values.insert(Arc::clone(&declaration.name), value)),
                Err(refusal) => refused.push(refusal),
            }
        }
        if refused.is_empty() { Ok(Variables::new(values)) } else { Err(refused) }
    }
}

impl Declaration {
    /// A value that came as text, from a flag or an attribute. What does not read as the type stays
    /// text, which [`Variables::parse`] refuses.
    pub fn read(&self, text: &str) -> Json {
        let written = text.trim();
        let read = match self.kind {
            VariableType::String => None,
            VariableType::Integer => written.parse::<i64>().ok().map(Json::from),
            VariableType::Number => written.parse::<f64>().ok().map(Json::from),
            VariableType::Boolean => written.parse::<bool>().ok().map(Json::from),
        };
        read.filter(|value| !value.is_null()).unwrap_or_else(|| text.into())
    }

    /// Whether `value` has the type and keeps the limits.
    pub(crate) fn fits(&self, value: &Value) -> Result<(), Refusal> {
        let name = self.name.to_string();
        match (self.kind, value) {
            (VariableType::String, Value::Text(text)) => {
                let max = self.max_length;
                if text.chars().nth(max).is_some() {
                    return Err(Refusal::TooLong { name, max });
                }
                let control = |char: char| char.is_control() && !matches!(char, '\n' | '\t');
                if text.contains(control) { Err(Refusal::Control { name }) } else { Ok(()) }
            }
            (VariableType::Integer, Value::Integer(_))
            | (VariableType::Number, Value::Number(_))
            | (VariableType::Boolean, Value::Boolean(_)) => Ok(()),
            (expected, _) => Err(Refusal::WrongType { name, expected, given: value.described() }),
        }
    }

    fn missing(&self) -> Refusal {
        Refusal::Missing { name: self.name.to_string() }
    }
}
