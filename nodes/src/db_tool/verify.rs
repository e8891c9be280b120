//! Prepares every statement against the database, so that an unknown table is a mistake in the TOML
//! and not a caller's disappointment.

use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Executor, Postgres, SqlSafeStr, SqlStr, Sqlite,
    Statement as _, TypeInfo,
};
use voicegraph_database::{Connection, Database, DatabaseError, Dialect, Lease};
use voicegraph_engine::node::Problem;

use super::dialect::Speech;
use super::settings::Tool;

/// What the database holds against the tools, each at the statement that is to blame.
pub(super) async fn verify<'a>(
    database: &Database,
    tools: impl Iterator<Item = &'a Tool>,
    call_records: bool,
) -> Vec<Problem> {
    let mut lease = match database.acquire().await {
        Ok(lease) => lease,
        Err(error) => return vec![unreachable(database.dialect(), &error)],
    };
    let mut problems = Vec::new();
    for tool in tools {
        let mut columns = Columns::new();
        for (path, statement) in tool.paths.iter().zip(&tool.statements) {
            let text = AssertSqlSafe(&*statement.text).into_sql_str();
            columns = columns_of(&mut lease, text).await.unwrap_or_else(|error| {
                problems.push(refused(path, &error.into()));
                Columns::new()
            });
            problems.extend(unreadable(path, &columns));
        }
        problems.extend(no_zone(tool, &columns));
        if tool.writes() {
            let keys = prepare(&mut lease, [Postgres::CLAIM, Sqlite::CLAIM]).await;
            problems.extend(keys.err().map(|error| no_keys(tool, &error)));
        }
    }
    if call_records {
        let records = prepare(&mut lease, [Postgres::RECORD, Sqlite::RECORD]).await;
        problems.extend(records.err().map(|error| no_records(&error)));
    }
    // Made in whatever runtime the check is made in, it may not outlive that.
    lease.spoil();
    problems
}

fn unreachable(dialect: Dialect, error: &DatabaseError) -> Problem {
    let help = match dialect {
        Dialect::Postgres => "start the database, or write where it is",
        Dialect::Sqlite => "make the file with `voicegraph migrate up`, or write where it is",
    };
    Problem::new("database.url", error.to_string()).help(help)
}

fn no_keys(tool: &Tool, error: &DatabaseError) -> Problem {
    let what = format!("a tool that writes keeps its keys in the table `tool_calls`: {error}");
    Problem::new(format!("{}.effect", tool.path), what).help("run `voicegraph migrate up`")
}

fn no_records(error: &DatabaseError) -> Problem {
    let what = format!("records of calls are rows of the table `call_records`: {error}");
    Problem::new("call_records", what).help("run `voicegraph migrate up`")
}

fn refused(path: &str, error: &DatabaseError) -> Problem {
    let help = "compare it with the schema: `voicegraph migrate status` says which is live";
    Problem::new(path, error.to_string()).help(help)
}

/// The first column that cannot be told as JSON.
fn unreadable(path: &str, columns: &Columns) -> Option<Problem> {
    let column = columns.iter().find(|column| !column.is_readable)?;
    let Column { name, kind, .. } = column;
    let what = format!("gives the column {name:?} of type {kind}, which is no JSON");
    let help = format!("write `{name}::text as {name}`, or leave it out");
    Some(Problem::new(path, what).help(help))
}

/// A column of a time zone that the result does not have.
fn no_zone(tool: &Tool, columns: &Columns) -> Option<Problem> {
    let wanted = tool.time_zone.as_ref()?;
    let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
    // Without columns the statement was refused, and that is told.
    if names.is_empty() || names.contains(&wanted.as_str()) {
        return None;
    }
    let what = format!("the result has no column {wanted:?}");
    let help = format!("its columns are `{}`", names.join("`, `"));
    Some(Problem::new(format!("{}.time_zone", tool.path), what).help(help))
}

/// The columns of a statement's result.
type Columns = Vec<Column>;

struct Column {
    name: String,
    /// The database's name of its type.
    kind: String,
    /// Whether it can be told as JSON.
    is_readable: bool,
}

/// Prepares the statement. What the connection remembers of earlier statements is forgotten first,
/// since the schema may have changed.
async fn columns_of(lease: &mut Lease, text: SqlStr) -> Result<Columns, sqlx::Error> {
    match lease.connection() {
        Connection::Postgres(connection) => {
            connection.clear_cached_statements().await?;
            Ok(read::<Postgres>(connection.prepare(text).await?.columns()))
        }
        Connection::Sqlite(connection) => {
            connection.clear_cached_statements().await?;
            Ok(read::<Sqlite>(connection.prepare(text).await?.columns()))
        }
    }
}

fn read<DB: Speech>(columns: &[DB::Column]) -> Columns {
    let column = |column: &DB::Column| {
        let kind = column.type_info().name().to_owned();
        Column { name: column.name().to_owned(), is_readable: DB::is_readable(&kind), kind }
    };
    columns.iter().map(column).collect()
}

/// Prepares one of the node's own statements, given in both dialects.
async fn prepare(lease: &mut Lease, texts: [&'static str; 2]) -> Result<(), DatabaseError> {
    let [postgres, sqlite] = texts;
    let text = match lease.connection() {
        Connection::Postgres(_) => postgres,
        Connection::Sqlite(_) => sqlite,
    };
    columns_of(lease, SqlStr::from_static(text)).await?;
    Ok(())
}
