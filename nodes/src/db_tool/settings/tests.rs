use serde_json::{Value as Json, json};

use super::*;
use crate::testing::declared;

fn build(tools: &Json) -> Result<Settings, Vec<Problem>> {
    let options = json!({ "database": { "url": "sqlite:clinic.db" }, "tools": tools });
    serde_json::from_value::<Options>(options).unwrap().build("dev", &Declarations::default())
}

fn tool(more: &Json) -> Json {
    let mut tool = json!({ "name": "find", "description": "Finds.", "effect": "read" });
    tool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([tool])
}

#[test]
fn a_tool_is_made_of_its_options() {
    let settings = build(&tool(&json!({
        "parameters": { "id": { "type": "integer" } },
        "sql": { "sqlite": ["select :id", "select :session_id"], "postgres": "select :id" },
        "errors": { "a_key": "slot_taken", "b_key": "not_found" },
    })))
    .unwrap_or_else(|problems| panic!("{problems:?}"));
    let find = &settings.tools["find"];
    assert_eq!(find.paths, ["tools[0].sql.sqlite[0]", "tools[0].sql.sqlite[1]"]);
    assert_eq!(find.statements[1].text, "select ?1");
    assert_eq!(find.errors["a_key"], ToolFailure::Named("slot_taken".into()));
    assert_eq!(find.errors["b_key"], ToolFailure::NotFound);
    assert!(!find.writes());
}

#[test]
fn variables_are_known_by_their_types_and_undeclared_ones_are_named() {
    let given = declared(&[("visits", json!(3))]);
    let sql = json!({
        "sqlite": "select :variable_visits",
        "postgres": ["select :variable_visits", "select :variable_visit"],
    });
    let tools = tool(&json!({ "sql": sql }));
    let options = json!({ "database": { "url": "sqlite:clinic.db" }, "tools": tools });
    let options = serde_json::from_value::<Options>(options).unwrap();
    let settings = options.build("dev", &given).unwrap_or_else(|problems| panic!("{problems:?}"));
    let used = &settings.tools["find"].variables;
    let used: Vec<_> = used.iter().map(|one| (one.path.as_str(), one.written.as_str())).collect();
    let expected = [
        ("tools[0].sql.postgres[0]", ":variable_visits"),
        ("tools[0].sql.postgres[1]", ":variable_visit"),
        ("tools[0].sql.sqlite", ":variable_visits"),
    ];
    assert_eq!(used, expected);
}

#[test]
fn mistakes_are_told_where_they_are() {
    let id = json!({ "id": { "type": "integer" } });
    for (more, path, message) in [
        (json!({ "sql": "select :i" }), "tools[0].sql", "names `:i` at line 1, column 8"),
        (json!({ "sql": ["select 1", ""] }), "tools[0].sql[1]", "is empty"),
        (
            json!({ "sql": { "sqlite": "select 1", "postgres": "select :i" } }),
            "tools[0].sql.postgres",
            "names `:i`",
        ),
        (json!({ "sql": { "postgres": "select 1" } }), "tools[0].sql", "has no text for sqlite"),
        (
            json!({ "sql": "select 1", "parameters": id }),
            "tools[0].parameters.id",
            "is named by no statement",
        ),
        (
            json!({ "sql": { "sqlite": "select :id", "postgres": "select 1" }, "parameters": id }),
            "tools[0].parameters.id",
            "is named by no statement for postgres",
        ),
        (json!({ "sql": "delete from a" }), "tools[0].sql", "changes something"),
        (json!({ "sql": "commit" }), "tools[0].sql", "begins or ends a transaction"),
        (
            json!({ "sql": "select 1", "name": "a b" }),
            "tools[0].name",
            "\"a b\" cannot name a tool",
        ),
        (
            json!({ "sql": "select 1", "none": "Not found" }),
            "tools[0].none",
            "cannot name an error",
        ),
        (
            json!({ "sql": "select 1", "errors": { "k": "" } }),
            "tools[0].errors.k",
            "cannot name an error",
        ),
        (
            json!({ "sql": "select :caller", "parameters": { "caller": { "type": "string" } } }),
            "tools[0].parameters.caller",
            "is known of every call",
        ),
        (
            json!({ "sql": "select :id",
                    "parameters": { "id": { "type": "integer", "format": "date" } } }),
            "tools[0].parameters.id.format",
            "only a string can have it",
        ),
        (
            json!({ "sql": "select :id",
                 "parameters": { "id": { "type": "integer", "minimum": 3, "maximum": 2 } } }),
            "tools[0].parameters.id.minimum",
            "3 is above the maximum of 2",
        ),
    ] {
        let problems = build(&tool(&more)).err().unwrap_or_else(|| panic!("{more}"));
        let told: Vec<_> = problems.iter().map(|one| (&*one.path, &*one.message)).collect();
        let [(at, what)] = told[..] else { panic!("{more}: {told:?}") };
        assert_eq!(at, path, "{more}");
        assert!(what.contains(message), "{more}: {what}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let options = json!({
        "database": { "url": "mysql:x" },
        "tools": [
            { "name": "a", "description": "A.", "effect": "read", "sql": "select :x" },
            { "name": "a", "description": "A.", "effect": "read", "sql": "select 'x" },
        ],
    });
    let options: Options = serde_json::from_value(options).unwrap();
    let problems = options.build("dev", &Declarations::default()).err().unwrap();
    let paths: Vec<_> = problems.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["database.url", "tools[0].sql", "tools[1].sql", "tools[1].name"]);
}
