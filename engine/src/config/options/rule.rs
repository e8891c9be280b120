//! A JSON Schema of options as a closed set of rules.
//!
//! Takes what `schemars` makes of option structs: references, options of options, enums with and
//! without docs, nested tables, arrays and maps. What is not understood allows everything, and is
//! left to the kind.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

/// How far references and nested schemas are followed; beyond, anything is allowed.
const MAX_DEPTH: usize = 24;

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Anything.
    Any,
    /// True or false.
    Boolean,
    /// A whole number between both.
    Integer {
        /// The smallest.
        min: Option<i64>,
        /// The largest.
        max: Option<i64>,
    },
    /// A number between both; a whole one will do.
    Number {
        /// The smallest.
        min: Option<f64>,
        /// The largest.
        max: Option<f64>,
    },
    /// A string.
    Text {
        /// Whether it must never be shown.
        secret: bool,
        /// The fewest characters.
        min: Option<usize>,
        /// The most characters.
        max: Option<usize>,
    },
    /// One of these words.
    Choice(Vec<String>),
    /// An array.
    List {
        /// Its items.
        items: Box<Rule>,
        /// The fewest.
        min: Option<usize>,
        /// The most.
        max: Option<usize>,
    },
    /// A table.
    Table(TableRule),
    /// Any of these.
    OneOf(Vec<Rule>),
}

/// What a table may hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TableRule {
    /// The options that have names.
    pub(crate) fields: IndexMap<String, Field>,
    /// What other keys may hold; `None` refuses them.
    pub(crate) others: Option<Box<Rule>>,
}

/// An option.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// What it may be.
    pub(crate) rule: Rule,
    /// Whether it must be given.
    pub(crate) required: bool,
    /// What it is when it is not given; `None` where that is nothing.
    pub(crate) default: Option<Json>,
    /// Its manual entry.
    pub(crate) doc: String,
}

/// The rule that a root schema stands for.
pub(crate) fn rule_of(schema: &Json) -> Rule {
    Reader { root: schema }.rule(schema, 0)
}

/// Whether a value under the rule must never be shown.
pub(crate) fn is_secret(rule: &Rule) -> bool {
    match rule {
        Rule::Text { secret, .. } => *secret,
        Rule::OneOf(rules) => rules.iter().any(is_secret),
        _ => false,
    }
}

struct Reader<'a> {
    root: &'a Json,
}

impl<'a> Reader<'a> {
    fn rule(&self, schema: &'a Json, depth: usize) -> Rule {
        let Some(object) = schema.as_object().filter(|_| depth < MAX_DEPTH) else {
            return Rule::Any;
        };
        if let Some(target) = object.get("$ref").and_then(|target| self.find(target)) {
            return self.rule(target, depth + 1);
        }
        if let Some([only]) = object.get("allOf").and_then(Json::as_array).map(Vec::as_slice) {
            return self.rule(only, depth + 1);
        }
        let alternatives = object.get("anyOf").or_else(|| object.get("oneOf"));
        if let Some(alternatives) = alternatives.and_then(Json::as_array) {
            return one_of(
                alternatives
                    .iter()
                    .filter(|one| !is_null(one))
                    .map(|one| self.rule(one, depth + 1)),
            );
        }
        if let Some(words) = words(object) {
            return Rule::Choice(words);
        }
        let types = match object.get("type") {
            Some(Json::String(name)) => vec![name.as_str()],
            Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        one_of(
            types
                .iter()
                .filter(|name| **name != "null")
                .map(|name| self.typed(name, object, depth)),
        )
    }

    /// `#/$defs/Name` within the root.
    fn find(&self, target: &Json) -> Option<&'a Json> {
        self.root.pointer(target.as_str()?.strip_prefix('#')?)
    }

    fn typed(&self, name: &str, schema: &'a Map<String, Json>, depth: usize) -> Rule {
        let size = |key: &str| schema.get(key).and_then(Json::as_u64).map(|size| size as usize);
        match name {
            "boolean" => Rule::Boolean,
            "integer" => integer(schema),
            "number" => Rule::Number {
                min: schema.get("minimum").and_then(Json::as_f64),
                max: schema.get("maximum").and_then(Json::as_f64),
            },
            "string" => Rule::Text {
                secret: schema.get("x-secret") == Some(&Json::Bool(true)),
                min: size("minLength"),
                max: size("maxLength"),
            },
            "array" => Rule::List {
                items: Box::new(schema.get("items").map_or(Rule::Any, |s| self.rule(s, depth + 1))),
                min: size("minItems"),
                max: size("maxItems"),
            },
            "object" => Rule::Table(self.table(schema, depth)),
            _ => Rule::Any,
        }
    }

    fn table(&self, schema: &'a Map<String, Json>, depth: usize) -> TableRule {
        let required = schema.get("required").and_then(Json::as_array);
        let is_required = |name: &str| {
            required.is_some_and(|names| names.iter().any(|one| one.as_str() == Some(name)))
        };
        let properties = schema.get("properties").and_then(Json::as_object);
        let fields = properties.into_iter().flatten().map(|(name, schema)| {
            let field = Field {
                rule: self.rule(schema, depth + 1),
                required: is_required(name),
                default: schema.get("default").filter(|default| !default.is_null()).cloned(),
                doc: self.doc(schema),
            };
            (name.clone(), field)
        });
        let others = match schema.get("additionalProperties") {
            Some(Json::Bool(false)) => None,
            Some(others) => Some(Box::new(self.rule(others, depth + 1))),
            None => Some(Box::new(Rule::Any)),
        };
        TableRule { fields: fields.collect(), others }
    }

    /// The description, of the field or else of its type.
    fn doc(&self, schema: &'a Json) -> String {
        let own = schema.get("description").and_then(Json::as_str);
        let target = || self.find(schema.get("$ref")?)?.get("description")?.as_str();
        own.or_else(target).unwrap_or_default().to_owned()
    }
}

/// The rule of alternatives; words of several are joined.
fn one_of(rules: impl Iterator<Item = Rule>) -> Rule {
    let mut choice = Vec::new();
    let mut others: Vec<Rule> = Vec::new();
    for rule in rules {
        match rule {
            Rule::Choice(words) => choice.extend(words),
            rule => others.push(rule),
        }
    }
    if !choice.is_empty() {
        others.insert(0, Rule::Choice(choice));
    }
    match others.len() {
        0 => Rule::Any,
        1 => others.remove(0),
        _ => Rule::OneOf(others),
    }
}

fn is_null(schema: &Json) -> bool {
    schema.get("type").and_then(Json::as_str) == Some("null")
}

/// The strings of `enum` or `const`; `None` where it has others.
fn words(schema: &Map<String, Json>) -> Option<Vec<String>> {
    if let Some(word) = schema.get("const") {
        return Some(vec![word.as_str()?.to_owned()]);
    }
    let values = schema.get("enum")?.as_array()?;
    let words = values.iter().filter(|value| !value.is_null()).map(Json::as_str);
    words.map(|word| word.map(str::to_owned)).collect()
}

/// The range as written, within what the Rust type behind it holds.
fn integer(schema: &Map<String, Json>) -> Rule {
    let (least, most) = match schema.get("format").and_then(Json::as_str) {
        Some("uint8") => (Some(0), Some(i64::from(u8::MAX))),
        Some("uint16") => (Some(0), Some(i64::from(u16::MAX))),
        Some("uint32") => (Some(0), Some(i64::from(u32::MAX))),
        Some("uint" | "uint64") => (Some(0), None),
        Some("int8") => (Some(i64::from(i8::MIN)), Some(i64::from(i8::MAX))),
        Some("int16") => (Some(i64::from(i16::MIN)), Some(i64::from(i16::MAX))),
        Some("int32") => (Some(i64::from(i32::MIN)), Some(i64::from(i32::MAX))),
        _ => (None, None),
    };
    let bound = |key: &str| schema.get(key).and_then(whole);
    Rule::Integer {
        min: bound("minimum").max(least),
        max: [bound("maximum"), most].into_iter().flatten().min(),
    }
}

/// A bound as a whole number, though schemas may write `1.0`.
fn whole(bound: &Json) -> Option<i64> {
    bound.as_i64().or_else(|| bound.as_f64().map(|bound| bound as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::describe;
    use super::*;

    #[test]
    fn schemas_are_understood_in_every_form() {
        for (schema, expected) in [
            (json!(true), "any value"),
            (json!({ "type": "boolean" }), "a boolean"),
            (json!({ "type": ["integer", "null"], "minimum": 3 }), "an integer of at least 3"),
            (json!({ "type": "integer", "format": "uint8" }), "an integer from 0 to 255"),
            (
                json!({ "type": "integer", "format": "uint16", "minimum": 1, "maximum": 90000.0 }),
                "an integer from 1 to 65535",
            ),
            (json!({ "type": "number", "maximum": 0.5 }), "a number of at most 0.5"),
            (json!({ "type": "string", "x-secret": true }), "a secret string"),
            (json!({ "enum": ["a", "b", null] }), "one of `a` and `b`"),
            (json!({ "oneOf": [{ "const": "a" }, { "const": "b" }] }), "one of `a` and `b`"),
            (json!({ "anyOf": [{ "$ref": "#/$defs/x" }, { "type": "null" }] }), "any value"),
            (json!({ "$ref": "#/$defs/x", "$defs": { "x": { "type": "string" } } }), "a string"),
            (
                json!({ "anyOf": [{ "type": "boolean" }, { "enum": ["auto"] }] }),
                "`auto` or a boolean",
            ),
            (
                json!({ "type": "array", "items": { "type": "integer" } }),
                "an array, each item an integer",
            ),
            (json!({ "type": "object" }), "a table"),
        ] {
            assert_eq!(describe(&rule_of(&schema)), expected, "{schema}");
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_has_an_end() {
        let schema = json!({ "type": "array", "items": { "$ref": "#" } });
        assert!(matches!(rule_of(&schema), Rule::List { .. }));
        assert_eq!(rule_of(&json!({ "$ref": "#" })), Rule::Any);
    }

    #[test]
    fn fields_know_whether_they_must_be_given() {
        let schema = json!({
            "type": "object",
            "properties": {
                "must": { "type": "string", "description": "Needed." },
                "may": { "type": ["boolean", "null"], "default": null },
            },
            "required": ["must"],
            "additionalProperties": false,
        });
        let Rule::Table(table) = rule_of(&schema) else { panic!("a table") };
        assert!(table.others.is_none());
        assert!(table.fields["must"].required && !table.fields["may"].required);
        assert_eq!(table.fields["must"].doc, "Needed.");
        assert_eq!(table.fields["may"].default, None);
    }
}
