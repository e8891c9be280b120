//! Up and down.

use super::lock::{self, Lock};
use super::{MigrateError, Migrations, Script, State, Version, ledger};
use crate::connection::Connection;
use crate::options::{Address, Settings};

/// How far down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// So many versions.
    Steps(usize),
    /// Until this version is the newest; 0 for the empty schema.
    To(i64),
}

/// Migrates one database.
#[derive(Clone, Debug)]
pub struct Migrator {
    address: Address,
    migrations: Migrations,
}

impl Migrator {
    /// For the database of `settings`, with the clinic's migrations.
    pub fn new(settings: &Settings) -> Self {
        Self::with(settings, Migrations::embedded(settings.dialect()))
    }

    /// For the database of `settings`, with other migrations.
    pub fn with(settings: &Settings, migrations: Migrations) -> Self {
        Self { address: settings.address.for_migration(), migrations }
    }

    /// Makes the versions up to `to`, all without it; gives those that it made, oldest first. Under
    /// the lock: a second one waits, and then has nothing to do.
    ///
    /// # Errors
    /// Those before the one that failed stay made, of that one nothing does.
    pub async fn up(&self, to: Option<i64>) -> Result<Vec<Script>, MigrateError> {
        let (mut connection, lock) = self.locked().await?;
        let plan = self.plan_up_on(&mut connection, to).await?;
        let (driver, last) = (self.migrations.driver(), plan.last().map(|script| script.version));
        if let Some(last) = last {
            match &mut connection {
                Connection::Postgres(it) => driver.run_direct(Some(last), &mut **it, false).await,
                Connection::Sqlite(it) => driver.run_direct(Some(last), &mut **it, false).await,
            }?;
        }
        finish(connection, lock).await?;
        Ok(plan)
    }

    /// Takes versions back; gives them, newest first.
    ///
    /// # Errors
    /// Those before the one that failed stay taken back, of that one nothing is.
    pub async fn down(&self, down: Down) -> Result<Vec<Script>, MigrateError> {
        let (mut connection, lock) = self.locked().await?;
        let plan = self.plan_down_on(&mut connection, down).await?;
        let (driver, last) = (self.migrations.driver(), plan.last().map(|script| script.version));
        if let Some(last) = last {
            match &mut connection {
                Connection::Postgres(it) => driver.undo(&mut **it, last - 1).await,
                Connection::Sqlite(it) => driver.undo(&mut **it, last - 1).await,
            }?;
        }
        finish(connection, lock).await?;
        Ok(plan)
    }

    /// What [`up`](Self::up) would do now. Writes nothing.
    ///
    /// # Errors
    /// Where `up` would refuse.
    pub async fn plan_up(&self, to: Option<i64>) -> Result<Vec<Script>, MigrateError> {
        match self.reading().await? {
            Some(mut connection) => self.plan_up_on(&mut connection, to).await,
            None => self.pending(&ledger::compare(&self.migrations, &ledger::Applied::new()), to),
        }
    }

    /// What [`down`](Self::down) would do now. Writes nothing.
    ///
    /// # Errors
    /// Where `down` would refuse.
    pub async fn plan_down(&self, down: Down) -> Result<Vec<Script>, MigrateError> {
        match self.reading().await? {
            Some(mut connection) => self.plan_down_on(&mut connection, down).await,
            None => Ok(Vec::new()),
        }
    }

    /// How the database stands to each version. Writes nothing.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn status(&self) -> Result<Vec<Version>, MigrateError> {
        let applied = match self.reading().await? {
            Some(mut connection) => ledger::applied(&mut connection).await?,
            None => ledger::Applied::new(),
        };
        Ok(ledger::compare(&self.migrations, &applied))
    }

    async fn plan_up_on(
        &self,
        connection: &mut Connection,
        to: Option<i64>,
    ) -> Result<Vec<Script>, MigrateError> {
        let versions = ledger::compare(&self.migrations, &ledger::applied(connection).await?);
        self.pending(&versions, to)
    }

    fn pending(&self, versions: &[Version], to: Option<i64>) -> Result<Vec<Script>, MigrateError> {
        self.migrations.must_have(to.unwrap_or(0))?;
        ledger::must_match(versions)?;
        let within = |it: &&Version| to.is_none_or(|to| it.version <= to);
        let pending = versions.iter().filter(|it| it.state == State::Pending).filter(within);
        Ok(pending.filter_map(|it| self.script(it.version)).collect())
    }

    async fn plan_down_on(
        &self,
        connection: &mut Connection,
        down: Down,
    ) -> Result<Vec<Script>, MigrateError> {
        let versions = ledger::compare(&self.migrations, &ledger::applied(connection).await?);
        ledger::must_match(&versions)?;
        let applied = versions.iter().rev().filter(|it| it.state == State::Applied);
        let scripts = applied.filter_map(|it| self.script(it.version));
        match down {
            Down::Steps(steps) => Ok(scripts.take(steps).collect()),
            Down::To(to) => {
                self.migrations.must_have(to)?;
                Ok(scripts.take_while(|script| script.version > to).collect())
            }
        }
    }

    fn script(&self, version: i64) -> Option<Script> {
        self.migrations.scripts().iter().find(|script| script.version == version).cloned()
    }

    /// A connection that holds the lock.
    async fn locked(&self) -> Result<(Connection, Lock), MigrateError> {
        let early = match &self.address {
            Address::Postgres(_) => None,
            Address::Sqlite(options) => Some(lock::beside(options.get_filename()).await?),
        };
        let mut connection = Connection::open(&self.address).await?;
        let lock = match (&mut connection, early) {
            (Connection::Postgres(connection), _) => lock::advisory(connection).await?,
            (_, Some(lock)) => lock,
            (Connection::Sqlite(_), None) => unreachable!("a file has its lock"),
        };
        Ok((connection, lock))
    }

    /// A connection to look through; `None` where there is no database yet, and to look would make
    /// one.
    async fn reading(&self) -> Result<Option<Connection>, MigrateError> {
        match &self.address {
            Address::Sqlite(options) if !options.get_filename().exists() => Ok(None),
            address => Ok(Some(Connection::open(address).await?)),
        }
    }
}

/// Closes the connection and, after it, gives the lock back.
async fn finish(connection: Connection, lock: Lock) -> Result<(), MigrateError> {
    connection.close().await?;
    drop(lock);
    Ok(())
}
