//! PostgreSQL's catalogue, read into a snapshot.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::{RECORDS, Snapshot};
use crate::connection::Connection;
use crate::migrate::{MigrateError, Migrations};
use crate::options::Settings;

/// Where the migrations are made to compare with; rolled back, so nobody else ever sees it.
const SCRATCH: &str = "voicegraph_verify";

/// Each part of the schema `$1` but the table `$2`: kind, name, form. What an extension brought is
/// left out. The form leaves schemas out that `search_path` makes needless.
const PARTS: &str = "
  with tables as (
    select oid, relname, relkind from pg_class
    where relnamespace = $1::regnamespace and relkind in ('r', 'p', 'v', 'm') and relname <> $2
  )
  select 'table', relname::text, relkind::text from tables
  union all
  select 'column', relname || '.' || attname,
    concat_ws(' ',
      format_type(atttypid, atttypmod),
      case when attnotnull then 'not null' end,
      case attidentity when 'a' then 'always identity' when 'd' then 'identity' end,
      case attgenerated when 's' then 'generated' end,
      'default ' || pg_get_expr(adbin, adrelid, true))
  from tables
    join pg_attribute on attrelid = tables.oid and attnum > 0 and not attisdropped
    left join pg_attrdef on adrelid = tables.oid and adnum = attnum
  union all
  select 'constraint', relname || '.' || conname,
    concat_ws(' ', pg_get_constraintdef(pg_constraint.oid, true),
      case when not convalidated then 'not valid' end)
  from tables join pg_constraint on conrelid = tables.oid
  union all
  select 'index', index.relname::text,
    concat_ws(' ', pg_get_indexdef(index.oid, 0, true), case when not indisvalid then 'invalid' end)
  from tables
    join pg_index on indrelid = tables.oid
    join pg_class as index on index.oid = indexrelid
  union all
  select 'trigger', relname || '.' || tgname,
    concat_ws(' ', pg_get_triggerdef(pg_trigger.oid, true),
      case when tgenabled <> 'O' then 'enabled: ' || tgenabled::text end)
  from tables join pg_trigger on tgrelid = tables.oid and not tgisinternal
  union all
  select 'function', proname || '(' || pg_get_function_identity_arguments(pg_proc.oid) || ')',
    concat_ws(' ', pg_get_function_result(pg_proc.oid), lanname, provolatile, prosrc)
  from pg_proc join pg_language on pg_language.oid = prolang
  where pronamespace = $1::regnamespace and not exists (
    select from pg_depend where objid = pg_proc.oid and deptype = 'e'
  )";

/// The parts of `schema`. Its transaction is rolled back, so the search path stays as it was.
pub(super) async fn read(
    connection: &mut PgConnection,
    schema: &str,
) -> Result<Snapshot, MigrateError> {
    let mut transaction = connection.begin().await?;
    let snapshot = parts(&mut transaction, schema).await?;
    transaction.rollback().await?;
    Ok(snapshot)
}

/// What `migrations` make, in a schema that is rolled back.
pub(super) async fn made(
    settings: &Settings,
    migrations: &Migrations,
) -> Result<Snapshot, MigrateError> {
    let opened = Connection::open(&settings.address.for_migration()).await?;
    let Connection::Postgres(mut connection) = opened else {
        unreachable!("the address is PostgreSQL's")
    };
    let mut transaction = connection.begin().await?;
    transaction.execute(AssertSqlSafe(format!("create schema {SCRATCH}"))).await?;
    look_at(&mut transaction, SCRATCH).await?;
    for script in migrations.scripts() {
        transaction.execute(AssertSqlSafe(script.up.clone())).await?;
    }
    let snapshot = parts(&mut transaction, SCRATCH).await?;
    transaction.rollback().await?;
    Ok(snapshot)
}

async fn parts(connection: &mut PgConnection, schema: &str) -> Result<Snapshot, MigrateError> {
    look_at(connection, schema).await?;
    let rows: Vec<(String, String, String)> =
        sqlx::query_as(PARTS).bind(schema).bind(RECORDS).fetch_all(connection).await?;
    let mut snapshot = Snapshot::default();
    for (kind, name, form) in rows {
        snapshot.add(&kind, &name, &form);
    }
    Ok(snapshot)
}

/// Makes `schema` the one whose names need no prefix; extensions are in `public`.
async fn look_at(connection: &mut PgConnection, schema: &str) -> Result<(), MigrateError> {
    let path = AssertSqlSafe(format!("set local search_path to {schema}, public"));
    connection.execute(path).await?;
    Ok(())
}
