//! Prepares every statement against the database, so that an unknown table is a mistake in the TOML
//! and not a caller's disappointment.

use sqlx::{
    AssertSqlSafe, Column, Connection as _, Executor, Postgres, SqlSafeStr, SqlStr, Sqlite,
    Statement as _, TypeInfo,
};
use voicegraph_database::{Connection, Database, DatabaseError, Lease};
use voicegraph_engine::node::Problem;

use super::dialect::Speech;
use super::settings::Tool;

/// What the database holds against the tools, each at the statement that is to blame.
pub(super) async fn verify<'a>(
    database: &Database,
    tools: impl Iterator<Item = &'a Tool>,
) -> Vec<Problem> {
    let mut lease = match database.acquire().await {
        Ok(lease) => lease,
        Err(error) => return vec![unreachable(&error)],
    };
    let mut problems = Vec::new();
    for tool in tools {
        for (path, statement) in tool.paths.iter().zip(&tool.statements) {
            problems.extend(prepare(&mut lease, &statement.text).await.problem(path));
        }
        if tool.writes() {
            let keys = prepare_keys(&mut lease).await;
            problems.extend(keys.err().map(|error| no_keys(tool, &error)));
        }
    }
    // Made in whatever runtime the check is made in, it may not outlive that.
    lease.spoil();
    problems
}

fn unreachable(error: &DatabaseError) -> Problem {
    Problem::new("database.url", error.to_string()).help("start the database, or write where it is")
}

fn no_keys(tool: &Tool, error: &DatabaseError) -> Problem {
    let what = format!("a tool that writes keeps its keys in the table `tool_calls`: {error}");
    Problem::new(format!("{}.effect", tool.path), what).help("run `voicegraph migrate up`")
}

/// What came of preparing a statement.
enum Prepared {
    Fine,
    Refused(DatabaseError),
    /// A column's name, and its type, which cannot be told as JSON.
    Unreadable(String, String),
}

impl Prepared {
    fn problem(self, path: &str) -> Option<Problem> {
        match self {
            Self::Fine => None,
            Self::Refused(error) => {
                let help =
                    "compare it with the schema: `voicegraph migrate status` says which is live";
                Some(Problem::new(path, error.to_string()).help(help))
            }
            Self::Unreadable(column, kind) => {
                let what = format!("gives the column {column:?} of type {kind}, which is no JSON");
                let help = format!("write `{column}::text as {column}`, or leave it out");
                Some(Problem::new(path, what).help(help))
            }
        }
    }
}

async fn prepare(lease: &mut Lease, text: &str) -> Prepared {
    match columns(lease, AssertSqlSafe(text).into_sql_str()).await {
        Ok(None) => Prepared::Fine,
        Ok(Some((column, kind))) => Prepared::Unreadable(column, kind),
        Err(error) => Prepared::Refused(error.into()),
    }
}

/// Prepares the statement; gives a column that cannot be told, if any. What the connection
/// remembers of earlier statements is forgotten first, since the schema may have changed.
async fn columns(lease: &mut Lease, text: SqlStr) -> Result<Option<(String, String)>, sqlx::Error> {
    match lease.connection() {
        Connection::Postgres(connection) => {
            connection.clear_cached_statements().await?;
            let statement = connection.prepare(text).await?;
            Ok(unreadable::<Postgres>(statement.columns()))
        }
        Connection::Sqlite(connection) => {
            connection.clear_cached_statements().await?;
            let statement = connection.prepare(text).await?;
            Ok(unreadable::<Sqlite>(statement.columns()))
        }
    }
}

/// The first column that cannot be told as JSON, with its type.
fn unreadable<DB: Speech>(columns: &[DB::Column]) -> Option<(String, String)> {
    let kind = |column: &DB::Column| column.type_info().name().to_owned();
    let found = columns.iter().find(|column| !DB::is_readable(&kind(column)));
    found.map(|column| (column.name().to_owned(), kind(column)))
}

/// Prepares the statement that takes a key.
async fn prepare_keys(lease: &mut Lease) -> Result<(), DatabaseError> {
    let text = match lease.connection() {
        Connection::Postgres(_) => <Postgres as Speech>::CLAIM,
        Connection::Sqlite(_) => <Sqlite as Speech>::CLAIM,
    };
    columns(lease, SqlStr::from_static(text)).await?;
    Ok(())
}
