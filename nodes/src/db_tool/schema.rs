//! The JSON Schema of a tool's arguments, and the check of arguments against it.
//!
//! One schema serves the model and the check. Formats are checked by the readers that bind them.

use std::collections::BTreeMap;
use std::fmt;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value as Json, json};

use super::config::{Format, ParameterOptions, TypeOption};
use super::value::{Type, Value, date, date_time, time};

/// The most characters of a string, where the options do not say.
const MAX_LENGTH: u32 = 200;

/// The most mistakes that the model is told of at once.
const MAX_MISTAKES: usize = 5;

/// The parameters of one tool.
pub(super) struct Parameters {
    types: BTreeMap<String, Type>,
    schema: Json,
    validator: Validator,
}

impl Parameters {
    /// The parameters as the options describe them.
    ///
    /// # Panics
    /// Never: the schema is made of a few keywords with values of the right type.
    pub(super) fn new(options: &BTreeMap<String, ParameterOptions>) -> Self {
        let schema = schema(options);
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .with_format("date", |text: &str| date(text).is_some())
            .with_format("date-time", |text: &str| date_time(text).is_some())
            .with_format("time", |text: &str| time(text).is_some())
            .build(&schema)
            .expect("the keywords used here take these values");
        let types = options.iter().map(|(name, one)| (name.clone(), one.sql_type())).collect();
        Self { types, schema, validator }
    }

    /// The schema, for the model.
    pub(super) fn schema(&self) -> &Json {
        &self.schema
    }

    /// The types by name.
    pub(super) fn types(&self) -> impl Iterator<Item = (&str, Type)> {
        self.types.iter().map(|(name, kind)| (name.as_str(), *kind))
    }

    /// The values of every parameter; what was left out is null.
    ///
    /// # Errors
    /// What is wrong, in words for the model.
    pub(super) fn check(&self, arguments: &Json) -> Result<BTreeMap<String, Value>, String> {
        let mistakes: Vec<String> = self
            .validator
            .iter_errors(arguments)
            .take(MAX_MISTAKES)
            .map(|one| told(&one))
            .collect();
        if !mistakes.is_empty() {
            return Err(mistakes.join("; "));
        }
        let value = |(name, kind): (&String, &Type)| {
            let value = kind.read(arguments.get(name).unwrap_or(&Json::Null));
            let value = value.filter(is_storable);
            value
                .map(|value| (name.clone(), value))
                .ok_or_else(|| format!("{name}: cannot be stored"))
        };
        self.types.iter().map(value).collect()
    }
}

/// PostgreSQL holds no NUL in text, and SQLite's functions stop at one.
fn is_storable(value: &Value) -> bool {
    !matches!(value, Value::Text(text) if text.contains('\0'))
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.types.fmt(f)
    }
}

impl ParameterOptions {
    /// The type that the value is bound as.
    pub(super) fn sql_type(&self) -> Type {
        match (self.kind, self.format) {
            (TypeOption::String, None) => Type::Text,
            (TypeOption::String, Some(Format::Date)) => Type::Date,
            (TypeOption::String, Some(Format::DateTime)) => Type::DateTime,
            (TypeOption::String, Some(Format::Time)) => Type::Time,
            (TypeOption::Integer, _) => Type::Integer,
            (TypeOption::Number, _) => Type::Number,
            (TypeOption::Boolean, _) => Type::Boolean,
        }
    }
}

fn schema(options: &BTreeMap<String, ParameterOptions>) -> Json {
    let properties: Map<String, Json> =
        options.iter().map(|(name, one)| (name.clone(), property(one))).collect();
    let required: Vec<&String> =
        options.iter().filter(|(_, one)| one.required).map(|(name, _)| name).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(options: &ParameterOptions) -> Json {
    let kind = match options.kind {
        TypeOption::String => "string",
        TypeOption::Integer => "integer",
        TypeOption::Number => "number",
        TypeOption::Boolean => "boolean",
    };
    // A model that has nothing to say for an optional parameter often writes null.
    let kind = if options.required { json!(kind) } else { json!([kind, "null"]) };
    let mut property = Map::from_iter([("type".to_owned(), kind)]);
    let mut set = |key: &str, value: Option<Json>| {
        property.extend(value.map(|value| (key.to_owned(), value)));
    };
    let bound = |bound: Option<f64>| bound.map(|bound| number(bound, options.kind));
    set("description", options.description.as_deref().map(Json::from));
    set("format", options.format.map(|format| format.name().into()));
    set("enum", options.choices.as_ref().map(|words| choices(words, options.required)));
    set("minimum", bound(options.minimum));
    set("maximum", bound(options.maximum));
    if options.sql_type() == Type::Text && options.choices.is_none() {
        set("maxLength", Some(options.max_length.unwrap_or(MAX_LENGTH).into()));
    }
    Json::Object(property)
}

fn choices(words: &[String], required: bool) -> Json {
    let words = words.iter().map(|word| json!(word));
    words.chain((!required).then_some(Json::Null)).collect()
}

/// A bound as models expect it: whole where the parameter is.
fn number(bound: f64, kind: TypeOption) -> Json {
    if kind == TypeOption::Integer { json!(bound as i64) } else { json!(bound) }
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Time => "time",
        }
    }

    fn example(name: &str) -> &'static str {
        match name {
            "date" => "a date such as 2026-11-24",
            "date-time" => "a time with date and offset such as 2026-11-24T09:30:00+01:00",
            _ => "a time of day such as 09:30",
        }
    }
}

/// A mistake in words for the model, which wrote the value and can mend it.
fn told(error: &ValidationError<'_>) -> String {
    let place = error.instance_path().as_str().trim_start_matches('/');
    let what = match error.kind() {
        ValidationErrorKind::Format { format } => format!("must be {}", Format::example(format)),
        _ => error.to_string(),
    };
    if place.is_empty() { what } else { format!("{place}: {what}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(toml: &str) -> Parameters {
        let options: BTreeMap<String, ParameterOptions> = serde_json::from_str(toml).unwrap();
        Parameters::new(&options)
    }

    fn booking() -> Parameters {
        parameters(
            r#"{
                "doctor_id": { "type": "integer", "minimum": 1 },
                "starts_at": { "type": "string", "format": "date-time", "description": "Start." },
                "kind": { "type": "string", "enum": ["first", "control"], "required": false },
                "note": { "type": "string", "required": false, "max_length": 5 }
            }"#,
        )
    }

    #[test]
    fn the_model_gets_a_closed_schema() {
        let expected = json!({
            "type": "object",
            "properties": {
                "doctor_id": { "type": "integer", "minimum": 1 },
                "kind": { "type": ["string", "null"], "enum": ["first", "control", null] },
                "note": { "type": ["string", "null"], "maxLength": 5 },
                "starts_at": {
                    "type": "string", "format": "date-time", "description": "Start.",
                },
            },
            "required": ["doctor_id", "starts_at"],
            "additionalProperties": false,
        });
        assert_eq!(booking().schema(), &expected);
    }

    #[test]
    fn arguments_become_values_and_gaps_become_null() {
        let arguments =
            json!({ "doctor_id": 3, "starts_at": "2026-11-24T09:30:00+01:00", "note": null });
        let values = booking().check(&arguments).unwrap();
        let at = date_time("2026-11-24T08:30:00Z").unwrap();
        assert_eq!(values["doctor_id"], Value::Integer(3));
        assert_eq!(values["starts_at"], Value::DateTime(at));
        assert_eq!(values["kind"], Value::Null(Type::Text));
        assert_eq!(values["note"], Value::Null(Type::Text));
    }

    #[test]
    fn wrong_arguments_are_told_in_words() {
        let at = "2026-11-24T09:30:00Z";
        for (arguments, expected) in [
            (json!({ "starts_at": at }), "\"doctor_id\" is a required property"),
            (
                json!({ "doctor_id": 0, "starts_at": at }),
                "doctor_id: 0 is less than the minimum of 1",
            ),
            (
                json!({ "doctor_id": "1", "starts_at": at }),
                "doctor_id: \"1\" is not of type \"integer\"",
            ),
            (
                json!({ "doctor_id": 1, "starts_at": "tomorrow" }),
                "starts_at: must be a time with date and offset such as 2026-11-24T09:30:00+01:00",
            ),
            (
                json!({ "doctor_id": 1, "starts_at": at, "note": "123456" }),
                "note: \"123456\" is longer than 5 characters",
            ),
            (
                json!({ "doctor_id": 1, "starts_at": at, "x": 1 }),
                "Additional properties are not allowed ('x' was unexpected)",
            ),
            (
                json!({ "doctor_id": 1e18, "starts_at": at, "note": "\u{0}" }),
                "doctor_id: cannot be stored",
            ),
            (json!({ "doctor_id": 1, "starts_at": at, "note": "\u{0}" }), "note: cannot be stored"),
            (json!([1]), "[1] is not of type \"object\""),
        ] {
            assert_eq!(booking().check(&arguments).unwrap_err(), expected);
        }
    }
}
