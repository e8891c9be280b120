//! One tool's statements in one transaction.
//!
//! ```text
//!   begin ──> claim the key ──> statements ──> keep the result ──> commit
//!                │ taken                                             │ no answer
//!                └──> the first call's result                        └──> claim the key again
//! ```
//!
//! The key is what makes a write safe to repeat: whoever takes it does the work, whoever finds it
//! taken gets the result, and whoever finds it being taken waits. So a commit without an answer is
//! resolved by the same transaction once more, on another connection.

use futures_util::TryStreamExt;
use serde_json::Value as Json;
use sqlx::query::Query;
use sqlx::{
    AssertSqlSafe, ColumnIndex, Connection, Decode, Either, Executor, IntoArguments, Row,
    SqlSafeStr, SqlStr, Transaction, Type as Stored,
};

use super::dialect::Speech;
use super::failure::Failure;
use super::outcome::Outcome;
use super::settings::Tool;
use super::sql::{Statement, Verb};
use super::value::Value;

/// A call of a tool with everything that is to be bound.
pub(super) struct Work<'a> {
    pub(super) tool: &'a Tool,
    pub(super) session: Value,
    pub(super) key: Value,
    /// The values by name, those of the call itself among them.
    pub(super) values: std::collections::BTreeMap<String, Value>,
}

/// A transaction that was not yet ended.
pub(super) enum Open<'c, DB: Speech> {
    /// It did its work, and is to be committed.
    Done(Transaction<'c, DB>, Json),
    /// It found the result of the first call, and changed nothing.
    Repeated(Json),
}

impl Work<'_> {
    /// Does everything but the commit. An error leaves nothing behind.
    pub(super) async fn begin<'c, DB>(
        &self,
        connection: &'c mut DB::Connection,
    ) -> Result<Open<'c, DB>, Failure>
    where
        DB: Speech,
        DB::Connection: Connection<Database = DB>,
        for<'e> &'e mut DB::Connection: Executor<'e, Database = DB>,
        DB::Arguments: IntoArguments<DB>,
        usize: ColumnIndex<DB::Row>,
        for<'r> String: Decode<'r, DB> + Stored<DB>,
    {
        let writes = usize::from(self.tool.writes());
        if !DB::READY[writes].is_empty() {
            connection.execute(sqlx::query(SqlStr::from_static(DB::READY[writes]))).await?;
        }
        let mut transaction = connection.begin_with(SqlStr::from_static(DB::BEGIN[writes])).await?;
        match self.inside::<DB>(&mut transaction).await {
            Ok(Inside::Done(result)) => Ok(Open::Done(transaction, result)),
            Ok(Inside::Repeated(result)) => {
                transaction.rollback().await?;
                Ok(Open::Repeated(result))
            }
            Err(failure) => {
                // Where this fails too, the connection is broken, and its end undoes everything.
                let _ = transaction.rollback().await;
                Err(failure)
            }
        }
    }

    async fn inside<DB>(&self, connection: &mut DB::Connection) -> Result<Inside, Failure>
    where
        DB: Speech,
        for<'e> &'e mut DB::Connection: Executor<'e, Database = DB>,
        DB::Arguments: IntoArguments<DB>,
        usize: ColumnIndex<DB::Row>,
        for<'r> String: Decode<'r, DB> + Stored<DB>,
    {
        if self.tool.writes() && !self.claim::<DB>(connection).await? {
            return Ok(Inside::Repeated(self.recall::<DB>(connection).await?));
        }
        let mut last = (Outcome::new(self.tool.limits), Verb::Reads);
        for statement in &self.tool.statements {
            last = (self.execute::<DB>(connection, statement).await?, statement.verb);
        }
        let (outcome, verb) = last;
        if outcome.is_none() && self.tool.none.is_some() {
            return Err(Failure::None);
        }
        let result = outcome.told(verb);
        if self.tool.writes() {
            let kept = Value::Text(result.to_string());
            let arguments = bind::<DB>(&[&self.key, &kept])?;
            connection.execute(query::<DB>(DB::KEEP, arguments)).await?;
        }
        Ok(Inside::Done(result))
    }

    /// Whether the key was free, and is taken now.
    async fn claim<DB>(&self, connection: &mut DB::Connection) -> Result<bool, Failure>
    where
        DB: Speech,
        for<'e> &'e mut DB::Connection: Executor<'e, Database = DB>,
        DB::Arguments: IntoArguments<DB>,
    {
        let tool = Value::Text(self.tool.spec.name.clone());
        let arguments = bind::<DB>(&[&self.key, &self.session, &tool])?;
        let claimed = connection.execute(query::<DB>(DB::CLAIM, arguments)).await?;
        Ok(DB::changed(&claimed) == 1)
    }

    /// The first call's result.
    async fn recall<DB>(&self, connection: &mut DB::Connection) -> Result<Json, Failure>
    where
        DB: Speech,
        for<'e> &'e mut DB::Connection: Executor<'e, Database = DB>,
        DB::Arguments: IntoArguments<DB>,
        usize: ColumnIndex<DB::Row>,
        for<'r> String: Decode<'r, DB> + Stored<DB>,
    {
        let arguments = bind::<DB>(&[&self.key])?;
        let row = connection.fetch_one(query::<DB>(DB::RECALL, arguments)).await?;
        let text: String = row.try_get(0)?;
        // What does not parse was not written by a tool, and is still the first result.
        Ok(serde_json::from_str(&text).unwrap_or(Json::String(text)))
    }

    async fn execute<DB>(
        &self,
        connection: &mut DB::Connection,
        statement: &Statement,
    ) -> Result<Outcome, Failure>
    where
        DB: Speech,
        for<'e> &'e mut DB::Connection: Executor<'e, Database = DB>,
        DB::Arguments: IntoArguments<DB>,
        usize: ColumnIndex<DB::Row>,
    {
        let values = statement.names.iter().map(|name| &self.values[name]);
        let arguments = bind::<DB>(&values.collect::<Vec<_>>())?;
        let text = AssertSqlSafe(statement.text.as_str()).into_sql_str();
        let query = sqlx::query_with(text, arguments);
        let zone = self.tool.time_zone.as_deref();
        let mut outcome = Outcome::new(self.tool.limits);
        let mut steps = connection.fetch_many(query);
        while let Some(step) = steps.try_next().await? {
            match step {
                // What a statement changed is not what it found.
                Either::Left(_) if statement.verb == Verb::Reads => {}
                Either::Left(result) => outcome.add_changed(DB::changed(&result)),
                Either::Right(row) => outcome.add_row::<DB>(&row, zone)?,
            }
        }
        Ok(outcome)
    }
}

/// How the work inside a transaction ended.
enum Inside {
    Done(Json),
    Repeated(Json),
}

fn bind<DB: Speech>(values: &[&Value]) -> Result<DB::Arguments, Failure> {
    DB::bind(values).map_err(|error| sqlx::Error::Encode(error).into())
}

/// One of the tool's own statements. It is made a `SqlStr` here: as a plain text it would tie the
/// future to a lifetime that the compiler cannot generalize.
fn query<'q, DB>(text: &'static str, arguments: DB::Arguments) -> Query<'q, DB, DB::Arguments>
where
    DB: Speech,
    DB::Arguments: IntoArguments<DB>,
{
    sqlx::query_with(SqlStr::from_static(text), arguments)
}
