//! What a statement gave, as JSON for the model, within limits.

use serde_json::{Map, Value as Json, json};
use sqlx::{Column, Row};

use super::dialect::Speech;
use super::local;
use super::settings::Limits;
use super::sql::Verb;

/// What a statement gave so far.
#[derive(Debug)]
pub(super) struct Outcome {
    limits: Limits,
    rows: Vec<Json>,
    bytes: usize,
    seen: usize,
    changed: u64,
}

impl Outcome {
    /// Nothing yet.
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, rows: Vec::new(), bytes: 0, seen: 0, changed: 0 }
    }

    /// Counts rows that were changed.
    pub(super) fn add_changed(&mut self, changed: u64) {
        self.changed += changed;
    }

    /// Takes a row, as long as there is room for it and for all before it. `time_zone` is the
    /// column that says by whose clock its times are told.
    pub(super) fn add_row<DB: Speech>(
        &mut self,
        row: &DB::Row,
        time_zone: Option<&str>,
    ) -> Result<(), sqlx::Error>
    where
        usize: sqlx::ColumnIndex<DB::Row>,
    {
        if !self.is_full() {
            let mut cells = Map::new();
            for (index, column) in row.columns().iter().enumerate() {
                cells.insert(column.name().to_owned(), DB::cell(row, index)?);
            }
            time_zone.into_iter().for_each(|column| local::tell(&mut cells, column));
            self.add(Json::Object(cells));
        } else {
            self.seen += 1;
        }
        Ok(())
    }

    fn add(&mut self, row: Json) {
        self.seen += 1;
        let bytes = row.to_string().len();
        self.bytes += bytes;
        if self.bytes <= self.limits.bytes {
            self.rows.push(row);
        }
    }

    fn is_full(&self) -> bool {
        self.rows.len() < self.seen || self.rows.len() == self.limits.rows
    }

    /// Whether nothing was found and nothing changed.
    pub(super) fn is_none(&self) -> bool {
        self.seen == 0 && self.changed == 0
    }

    /// What the model is told.
    pub(super) fn told(self, verb: Verb) -> Json {
        if self.seen == 0 && verb == Verb::Writes {
            return json!({ "changed": self.changed });
        }
        let given = self.rows.len();
        if given == self.seen {
            return json!({ "rows": self.rows });
        }
        let note = format!("only {given} of {} rows are shown: ask for less", self.seen);
        json!({ "rows": self.rows, "truncated": note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(rows: usize, limits: Limits) -> Json {
        let mut outcome = Outcome::new(limits);
        for id in 0..rows {
            match outcome.is_full() {
                true => outcome.seen += 1,
                false => outcome.add(json!({ "id": id })),
            }
        }
        outcome.told(Verb::Reads)
    }

    #[test]
    fn what_is_left_out_is_said() {
        let limits = Limits { rows: 2, bytes: 100 };
        assert_eq!(outcome(0, limits), json!({ "rows": [] }));
        assert_eq!(outcome(2, limits), json!({ "rows": [{ "id": 0 }, { "id": 1 }] }));
        let note = "only 2 of 5 rows are shown: ask for less";
        assert_eq!(outcome(5, limits)["truncated"], note);
        let narrow = outcome(5, Limits { rows: 20, bytes: 17 });
        assert_eq!(narrow["rows"].as_array().unwrap().len(), 2);
        assert_eq!(narrow["truncated"], "only 2 of 5 rows are shown: ask for less");
    }

    #[test]
    fn a_change_without_rows_is_counted() {
        let mut outcome = Outcome::new(Limits { rows: 1, bytes: 100 });
        assert!(outcome.is_none());
        outcome.add_changed(2);
        assert!(!outcome.is_none());
        assert_eq!(outcome.told(Verb::Writes), json!({ "changed": 2 }));
    }
}
