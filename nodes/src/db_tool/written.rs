//! The option `sql` as it may be written: a statement, a list of them, or either for each dialect.
//!
//! The shapes are told apart by hand rather than by serde's `untagged`, which loses what was wrong.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use voicegraph_database::Dialect;

/// The statements of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sql {
    /// One text that serves every database.
    Common(Statements),
    /// A text for each dialect.
    ByDialect {
        /// For PostgreSQL.
        postgres: Option<Statements>,
        /// For SQLite.
        sqlite: Option<Statements>,
    },
}

/// One statement, or several that run in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statements {
    /// A string.
    One(String),
    /// An array of strings.
    Several(Vec<String>),
}

/// A statement and the path of its option below `sql`: empty, `[1]`, `.postgres`, `.postgres[1]`.
pub(super) type Placed<'a> = (String, &'a str);

impl Sql {
    /// The texts for `dialect`; `None` where there are none.
    pub(super) fn texts(&self, dialect: Dialect) -> Option<Vec<Placed<'_>>> {
        match (self, dialect) {
            (Self::Common(statements), _) => Some(statements.placed("")),
            (Self::ByDialect { postgres, .. }, Dialect::Postgres) => {
                postgres.as_ref().map(|statements| statements.placed(".postgres"))
            }
            (Self::ByDialect { sqlite, .. }, Dialect::Sqlite) => {
                sqlite.as_ref().map(|statements| statements.placed(".sqlite"))
            }
        }
    }
}

impl Statements {
    fn placed(&self, above: &str) -> Vec<Placed<'_>> {
        match self {
            Self::One(text) => vec![(above.to_owned(), text)],
            Self::Several(texts) => {
                let texts = texts.iter().map(String::as_str).enumerate();
                texts.map(|(index, text)| (format!("{above}[{index}]"), text)).collect()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Statements {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = Statements;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a statement or an array of statements")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Statements, E> {
                Ok(Statements::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Statements, A::Error> {
                let items = de::value::SeqAccessDeserializer::new(items);
                Vec::deserialize(items).map(Statements::Several)
            }
        }
        from.deserialize_any(Shapes)
    }
}

impl<'de> Deserialize<'de> for Sql {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Shapes;
        impl<'de> Visitor<'de> for Shapes {
            type Value = Sql;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a statement, an array of statements, or one of both for each dialect")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Sql, E> {
                Ok(Sql::Common(Statements::One(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Sql, A::Error> {
                let items = de::value::SeqAccessDeserializer::new(items);
                Vec::deserialize(items).map(|texts| Sql::Common(Statements::Several(texts)))
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Sql, A::Error> {
                let entries = de::value::MapAccessDeserializer::new(entries);
                let Dialects { postgres, sqlite } = Dialects::deserialize(entries)?;
                Ok(Sql::ByDialect { postgres, sqlite })
            }
        }
        from.deserialize_any(Shapes)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialects {
    postgres: Option<Statements>,
    sqlite: Option<Statements>,
}

fn statements_schema() -> serde_json::Value {
    let text = serde_json::json!({ "type": "string", "minLength": 1 });
    let several = serde_json::json!({
        "type": "array", "items": text, "minItems": 1, "maxItems": 16,
    });
    serde_json::json!({ "anyOf": [text, several] })
}

impl JsonSchema for Sql {
    fn schema_name() -> Cow<'static, str> {
        "Sql".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = json_schema!({ "type": "string", "minLength": 1 });
        json_schema!({
            "anyOf": [
                text,
                { "type": "array", "items": text, "minItems": 1, "maxItems": 16 },
                {
                    "type": "object",
                    "properties": {
                        "postgres": statements_schema(),
                        "sqlite": statements_schema(),
                    },
                    "additionalProperties": false,
                },
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(toml: &str, dialect: Dialect) -> Option<Vec<(String, String)>> {
        #[derive(Deserialize)]
        struct Written {
            sql: Sql,
        }
        let table: serde_json::Value = serde_json::from_str(toml).unwrap();
        let written: Written = serde_json::from_value(table).unwrap();
        let texts = written.sql.texts(dialect)?;
        Some(texts.into_iter().map(|(path, text)| (path, text.to_owned())).collect())
    }

    #[test]
    fn every_shape_is_read_and_knows_its_places() {
        let pair = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        for (json, postgres, sqlite) in [
            (r#"{"sql":"a"}"#, Some(vec![pair("", "a")]), Some(vec![pair("", "a")])),
            (
                r#"{"sql":["a","b"]}"#,
                Some(vec![pair("[0]", "a"), pair("[1]", "b")]),
                Some(vec![pair("[0]", "a"), pair("[1]", "b")]),
            ),
            (
                r#"{"sql":{"postgres":["a","b"],"sqlite":"c"}}"#,
                Some(vec![pair(".postgres[0]", "a"), pair(".postgres[1]", "b")]),
                Some(vec![pair(".sqlite", "c")]),
            ),
            (r#"{"sql":{"postgres":"a"}}"#, Some(vec![pair(".postgres", "a")]), None),
        ] {
            assert_eq!(texts(json, Dialect::Postgres), postgres, "{json}");
            assert_eq!(texts(json, Dialect::Sqlite), sqlite, "{json}");
        }
    }
}
