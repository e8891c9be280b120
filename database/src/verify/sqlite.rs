//! SQLite's catalogue, read into a snapshot.
//!
//! Columns and keys come from its pragmas. Indexes, named constraints and triggers are kept by
//! SQLite only as the text that made them, so that text is compared, comments and white space
//! aside.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};

use super::{RECORDS, Snapshot};
use crate::migrate::{MigrateError, Migrations};

const COLUMNS: &str = "
  select 'column', m.name || '.' || c.name,
    concat_ws(' ', lower(c.type), iif(c.\"notnull\", 'not null', null),
      iif(c.pk, 'key ' || c.pk, null), 'default ' || c.dflt_value)
  from sqlite_master as m join pragma_table_xinfo(m.name) as c
  where m.type = 'table' and m.name not like 'sqlite_%' and m.name <> ?1
  union all
  select 'foreign key', m.name || '.' || k.\"from\",
    concat_ws(' ', k.\"table\", k.\"to\", k.on_update, k.on_delete)
  from sqlite_master as m join pragma_foreign_key_list(m.name) as k
  where m.type = 'table' and m.name <> ?1
  union all
  select 'table', name, iif(strict, 'strict', 'loose') from pragma_table_list
  where schema = 'main' and name not like 'sqlite_%' and name <> ?1";

const TEXTS: &str = "
  select type, name, sql from sqlite_master
  where sql is not null and name not like 'sqlite_%' and tbl_name <> ?1";

/// The parts of the database.
pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Snapshot, MigrateError> {
    let mut snapshot = Snapshot::default();
    let rows = sqlx::query_as::<_, (String, String, String)>(COLUMNS).bind(RECORDS);
    for (kind, name, form) in rows.fetch_all(&mut *connection).await? {
        snapshot.add(&kind, &name, &form);
    }
    let texts = sqlx::query_as::<_, (String, String, String)>(TEXTS).bind(RECORDS);
    for (kind, name, text) in texts.fetch_all(connection).await? {
        let text = without_comments(&text);
        if kind == "table" {
            for (constraint, form) in constraints(&text) {
                snapshot.add("constraint", &format!("{name}.{constraint}"), form);
            }
        } else {
            snapshot.add(&kind, &name, &text);
        }
    }
    Ok(snapshot)
}

/// What `migrations` make, in memory.
pub(super) async fn made(migrations: &Migrations) -> Result<Snapshot, MigrateError> {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
    for script in migrations.scripts() {
        connection.execute(AssertSqlSafe(script.up.clone())).await?;
    }
    read(&mut connection).await
}

/// The text with a space for each comment. A literal with `--` in it is cut, on both sides alike.
fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join(" ")
}

/// The named constraints of a `create table`: from each name to the next one, or to the comma that
/// ends it.
fn constraints(text: &str) -> Vec<(&str, &str)> {
    let body = text.split_once('(').map_or("", |(_, body)| body);
    let clauses = clauses(body);
    let named = clauses.into_iter().flat_map(|clause| {
        let starts: Vec<_> = clause.match_indices("constraint ").map(|(at, _)| at).collect();
        let ends = starts.iter().skip(1).copied().chain([clause.len()]).collect::<Vec<_>>();
        starts.into_iter().zip(ends).map(move |(start, end)| &clause[start..end])
    });
    named
        .filter_map(|one| {
            let (name, form) = one.strip_prefix("constraint ")?.trim().split_once(' ')?;
            Some((name, form.trim()))
        })
        .collect()
}

/// The text cut at the commas outside brackets, up to the bracket that closes the whole.
fn clauses(body: &str) -> Vec<&str> {
    let (mut clauses, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, character) in body.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => {
                clauses.push(&body[start..at]);
                return clauses;
            }
            ')' => depth -= 1,
            ',' if depth == 0 => {
                clauses.push(&body[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    clauses.push(&body[start..]);
    clauses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_constraints_are_found_in_a_tables_text() {
        let text = "create table t (a integer constraint t_pkey primary key, \
                    b text constraint t_b_key unique constraint t_b_form check (b in ('x', 'y')), \
                    constraint t_order check (a < (1 + 2))) strict";
        let expected = [
            ("t_pkey", "primary key"),
            ("t_b_key", "unique"),
            ("t_b_form", "check (b in ('x', 'y'))"),
            ("t_order", "check (a < (1 + 2))"),
        ];
        assert_eq!(constraints(text), expected);
    }
}
