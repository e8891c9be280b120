//! TOML values that know where they were written.
//!
//! `toml` keeps spans only while it borrows the text of one file. A pipeline is merged from two, so
//! its values are turned into this tree, in which each part remembers its file.

use indexmap::IndexMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use crate::diagnostic::{SourceId, Span};

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    /// Where the value is written; a table's header, where it has one.
    pub(crate) span: Span,
    /// The value.
    pub(crate) value: Value,
}

/// What TOML can write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Keys and values, in the order of the file.
    Table(Table),
    /// Values.
    Array(Vec<Tree>),
    /// Text.
    String(Text),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// A date, a time, or both.
    Datetime(Datetime),
}

/// Keys and values, in the order of the file.
pub(crate) type Table = IndexMap<String, Entry>;

/// A value under its key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Where the key is written.
    pub(crate) key: Span,
    /// The value.
    pub(crate) tree: Tree,
}

/// A string, and what it was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    /// As written; after `interpolate`, with the variables' values in place.
    pub(crate) text: String,
    /// The names of the variables in it.
    pub(crate) variables: Vec<String>,
    /// Whether it is one variable and nothing else.
    pub(crate) alone: bool,
    /// Whether its value is unknown, because a variable is not set or not well written. That was
    /// told of; nothing more is to be said about it.
    pub(crate) unknown: bool,
}

impl Tree {
    /// The type as TOML calls it, with its article.
    pub(crate) fn described(&self) -> &'static str {
        match self.value {
            Value::Table(_) => "a table",
            Value::Array(_) => "an array",
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Datetime(_) => "a date or time",
        }
    }

    /// The text, where the value is a string.
    pub(crate) fn as_text(&self) -> Option<&Text> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the value is `false`, which in an overlay removes.
    pub(crate) fn is_false(&self) -> bool {
        self.value == Value::Boolean(false)
    }

    /// The value without its places.
    pub(crate) fn to_toml(&self) -> toml::Value {
        match &self.value {
            Value::Table(table) => toml::Value::Table(to_toml(table)),
            Value::Array(items) => toml::Value::Array(items.iter().map(Self::to_toml).collect()),
            Value::String(text) => toml::Value::String(text.text.clone()),
            Value::Integer(integer) => toml::Value::Integer(*integer),
            Value::Float(float) => toml::Value::Float(*float),
            Value::Boolean(boolean) => toml::Value::Boolean(*boolean),
            Value::Datetime(datetime) => toml::Value::Datetime(*datetime),
        }
    }
}

/// The table without its places.
pub(crate) fn to_toml(table: &Table) -> toml::Table {
    table.iter().map(|(key, entry)| (key.clone(), entry.tree.to_toml())).collect()
}

/// Turns what `toml` parsed into trees that know their file.
pub(crate) struct Reader {
    /// The file.
    pub(crate) source: SourceId,
    /// Integers that TOML allows and 64 bits do not hold.
    pub(crate) too_large: Vec<Span>,
}

impl Reader {
    /// A table with its places.
    pub(crate) fn table(&mut self, table: DeTable<'_>) -> Table {
        let entries = table.into_iter().map(|(key, value)| {
            let span = Span::new(self.source, key.span());
            let tree = self.tree(value);
            (key.into_inner().into_owned(), Entry { key: span, tree })
        });
        entries.collect()
    }

    fn tree(&mut self, value: Spanned<DeValue<'_>>) -> Tree {
        let span = Span::new(self.source, value.span());
        let value = match value.into_inner() {
            DeValue::Table(table) => Value::Table(self.table(table)),
            DeValue::Array(array) => {
                Value::Array(array.into_iter().map(|item| self.tree(item)).collect())
            }
            DeValue::String(text) => {
                Value::String(Text { text: text.into_owned(), ..Text::default() })
            }
            DeValue::Integer(integer) => self.integer(span, integer.as_str(), integer.radix()),
            DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(boolean) => Value::Boolean(boolean),
            DeValue::Datetime(datetime) => Value::Datetime(datetime),
        };
        Tree { span, value }
    }

    fn integer(&mut self, span: Span, digits: &str, radix: u32) -> Value {
        let integer = i64::from_str_radix(digits, radix).unwrap_or_else(|_| {
            self.too_large.push(span);
            0
        });
        Value::Integer(integer)
    }
}
