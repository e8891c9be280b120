//! The JSON Schema of `pipeline.toml`, for editors.
//!
//! Draft 2020-12. Made from the same schemas that `check` reads, so that an editor completes and
//! explains exactly what is allowed. It differs in two ways. It serves base and overlays alike, so
//! a node may be `false` or lack its `kind`; and wherever a value is not plain text, a string with
//! a variable may stand in its place.

use serde_json::{Map, Value as Json, json};

use super::options;
use super::resolve::{EdgeOptions, VariableOptions};
use crate::node::NodeKind;
use crate::registry::Registry;

/// What a string with a variable looks like.
const VARIABLE: &str = r"^\$\{[A-Za-z_][A-Za-z0-9_]*(:[-?][^}]*)?\}$";

/// The schema of pipelines made of the registry's kinds.
pub fn schema(registry: &Registry) -> Json {
    let mut definitions = Map::new();
    definitions.insert("variable".into(), variable());
    definitions.insert("node".into(), node(registry));
    definitions.insert("edge".into(), edge());
    definitions.insert("call_variable".into(), call_variable());
    for kind in registry.kinds() {
        definitions.insert(definition(kind), kind_schema(kind));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "voicegraph pipeline",
        "description": "A pipeline of a voice agent, or an overlay that holds what differs in one environment.",
        "type": "object",
        "properties": {
            "pipeline": pipeline(),
            "variables": {
                "description": "What a call may be given from outside, by name.",
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z][A-Za-z0-9_]{0,63}$" },
                "additionalProperties": { "$ref": "#/$defs/call_variable" },
            },
            "nodes": {
                "description": "The nodes by name. In an overlay, `false` removes one.",
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z]([A-Za-z0-9_-]{0,62}[A-Za-z0-9_])?$" },
                "additionalProperties": { "$ref": "#/$defs/node" },
            },
            "edges": {
                "description": "The edges: `\"node.output -> node.input\" = {}`. In an overlay, `false` removes one.",
                "type": "object",
                "propertyNames": { "pattern": r"^\s*[\w-]+\s*\.\s*[\w-]+\s*->\s*[\w-]+\s*\.\s*[\w-]+\s*$" },
                "additionalProperties": { "$ref": "#/$defs/edge" },
            },
        },
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn pipeline() -> Json {
    json!({
        "description": "The pipeline as a whole.",
        "type": "object",
        "properties": {
            "name": {
                "description": "What logs, metrics and `/health` call the pipeline.",
                "type": "string",
                "minLength": 1,
            },
        },
        "additionalProperties": false,
    })
}

fn variable() -> Json {
    json!({
        "description": "A variable of the environment: `${NAME}`, `${NAME:-default}` or `${NAME:?message}`.",
        "type": "string",
        "pattern": VARIABLE,
    })
}

/// A node: by its `kind`, the options of that kind. One schema that is either a table or `false`,
/// rather than alternatives: so editors say which option is wrong.
fn node(registry: &Registry) -> Json {
    let kinds =
        registry.kinds().map(|kind| json!({ "const": kind.name(), "description": kind.summary() }));
    let mut words: Vec<Json> = kinds.collect();
    words.push(json!({ "$ref": "#/$defs/variable" }));
    let rules = registry.kinds().map(|kind| {
        json!({
            "if": {
                "type": "object",
                "properties": { "kind": { "const": kind.name() } },
                "required": ["kind"],
            },
            "then": { "$ref": format!("#/$defs/{}", definition(kind)) },
        })
    });
    let mut node = json!({
        "properties": { "kind": { "description": "What the node is.", "anyOf": words } },
        "allOf": rules.collect::<Vec<_>>(),
    });
    make_removable(&mut node);
    node
}

fn edge() -> Json {
    let schema = schemars::SchemaGenerator::default().into_root_schema_for::<EdgeOptions>();
    let mut edge = adapt(schema.as_value(), "edge");
    edge["title"] = "edge".into();
    make_removable(&mut edge);
    edge
}

fn call_variable() -> Json {
    let schema = schemars::SchemaGenerator::default().into_root_schema_for::<VariableOptions>();
    let mut variable = adapt(schema.as_value(), "call_variable");
    variable["title"] = "variable of calls".into();
    // An overlay may change one option of the base's declaration.
    variable.as_object_mut().expect("a schema with a title").remove("required");
    variable
}

/// Lets `false` stand in place of the table.
fn make_removable(schema: &mut Json) {
    schema["type"] = json!(["object", "boolean"]);
    schema["not"] = json!({ "const": true });
}

fn definition(kind: &dyn NodeKind) -> String {
    format!("kind_{}", kind.name())
}

/// The options of a kind, and the `kind` that stands among them.
fn kind_schema(kind: &dyn NodeKind) -> Json {
    let mut schema = adapt(kind.options().as_value(), &definition(kind));
    if let Json::Object(object) = &mut schema {
        object.insert("title".into(), kind.name().into());
        object.insert("description".into(), kind.summary().into());
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        if let Json::Object(properties) = properties {
            properties.insert("kind".into(), json!({ "const": kind.name() }));
        }
    }
    schema
}

/// A root schema as it stands under `#/$defs/{place}`.
fn adapt(schema: &Json, place: &str) -> Json {
    let mut schema = schema.clone();
    if let Json::Object(object) = &mut schema {
        object.remove("$schema");
    }
    rewrite(&mut schema, place);
    schema
}

/// Moves references to their new place, and lets variables stand for what is no plain text.
fn rewrite(schema: &mut Json, place: &str) {
    match schema {
        Json::Object(object) => {
            if let Some(Json::String(target)) = object.get_mut("$ref") {
                *target = target.replacen("#/", &format!("#/$defs/{place}/"), 1);
            }
            for (key, below) in object.iter_mut() {
                match key.as_str() {
                    "default" => *below = options::shorten(below),
                    "enum" | "const" | "examples" => {}
                    _ => rewrite(below, place),
                }
            }
            if wants_variable(object) {
                *schema = with_variable(std::mem::take(object));
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rewrite(item, place)),
        _ => {}
    }
}

/// Whether a schema refuses a string with a variable, though `check` takes one.
fn wants_variable(schema: &Map<String, Json>) -> bool {
    let is_scalar = |name: &Json| matches!(name.as_str(), Some("integer" | "number" | "boolean"));
    let scalar = match schema.get("type") {
        Some(Json::Array(names)) => names.iter().any(is_scalar),
        Some(name) => is_scalar(name),
        None => false,
    };
    scalar || schema.contains_key("enum") || schema.contains_key("const")
}

/// The schema or a variable, with its docs where editors look for them.
fn with_variable(mut schema: Map<String, Json>) -> Json {
    let mut outer = Map::new();
    for key in ["description", "default"] {
        if let Some(value) = schema.remove(key) {
            outer.insert(key.into(), value);
        }
    }
    outer.insert("anyOf".into(), json!([schema, { "$ref": "#/$defs/variable" }]));
    Json::Object(outer)
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;
    use crate::config::testing::registry;

    #[test]
    fn the_schema_of_a_few_kinds() {
        let schema = schema(&registry());
        expect_file!["snapshots/schema.json"].assert_eq(&format!("{schema:#}\n"));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let schema = schema(&registry());
        let mut references = Vec::new();
        gather(&schema, &mut references);
        assert!(references.len() > 10, "{references:?}");
        for reference in references {
            let pointer = reference.strip_prefix('#').expect("within the schema");
            assert!(schema.pointer(pointer).is_some(), "{reference}");
        }
    }

    fn gather(schema: &Json, references: &mut Vec<String>) {
        match schema {
            Json::Object(object) => {
                let target = object.get("$ref").and_then(Json::as_str);
                references.extend(target.map(str::to_owned));
                object.values().for_each(|below| gather(below, references));
            }
            Json::Array(items) => items.iter().for_each(|item| gather(item, references)),
            _ => {}
        }
    }
}
