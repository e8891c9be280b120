//! Diagnostics as JSON, for editors and CI.
//!
//! `{"errors", "warnings", "left_out", "diagnostics": [{code, severity, title, message, file, line,
//! column, end: {line, column}, labels: [{file, line, column, end, text}], help}]}`. A diagnostic
//! without a place has `null` for `file`, `line`, `column` and `end`. Lines and columns count from
//! 1; `end` is one past the last character.

use serde_json::{Map, Value, json};

use super::codes::Severity;
use super::report::{Diagnostic, Diagnostics, Label};
use super::source::{Files, Position};

impl Diagnostics {
    /// The report for tools.
    pub fn to_json(&self) -> Value {
        let count = |severity| self.iter().filter(|one| one.severity() == severity).count();
        json!({
            "errors": count(Severity::Error),
            "warnings": count(Severity::Warning),
            "left_out": self.left_out(),
            "diagnostics": self.iter().map(|one| entry(self.files(), one)).collect::<Vec<_>>(),
        })
    }
}

fn entry(files: &Files, diagnostic: &Diagnostic) -> Value {
    let nowhere = json!({ "file": null, "line": null, "column": null, "end": null });
    let place = diagnostic.labels.first().map_or(nowhere, |label| place(files, label));
    let labels = diagnostic.labels.iter().map(|label| {
        let mut value = place_map(files, label);
        value.insert("text".into(), label.text.as_str().into());
        Value::Object(value)
    });
    let mut entry = Map::new();
    entry.insert("code".into(), diagnostic.code.id.into());
    entry.insert("severity".into(), diagnostic.severity().name().into());
    entry.insert("title".into(), diagnostic.code.title.into());
    entry.insert("message".into(), diagnostic.message.as_str().into());
    if let Value::Object(place) = place {
        entry.extend(place);
    }
    entry.insert("labels".into(), labels.collect());
    entry.insert("help".into(), diagnostic.help.as_deref().into());
    Value::Object(entry)
}

fn place(files: &Files, label: &Label) -> Value {
    Value::Object(place_map(files, label))
}

fn place_map(files: &Files, label: &Label) -> Map<String, Value> {
    let Position { line, column } = files.position(label.span.source, label.span.start);
    let end = files.position(label.span.source, label.span.end);
    let mut map = Map::new();
    map.insert("file".into(), files.name(label.span.source).into());
    map.insert("line".into(), line.into());
    map.insert("column".into(), column.into());
    map.insert("end".into(), json!({ "line": end.line, "column": end.column }));
    map
}
