//! An empty database of either dialect, for one test.

use std::path::PathBuf;

use sqlx::{AssertSqlSafe, Executor as _};
use tempfile::TempDir;
use voicegraph_database::migrate::Migrator;
use voicegraph_database::{Connection, Database, DatabaseError, Dialect, Options, Settings};
use voicegraph_tests::postgres::Postgres;
pub(crate) use voicegraph_tests::rows::{number, text};

/// An empty database.
pub(crate) struct Place {
    pub(crate) dialect: Dialect,
    pub(crate) url: String,
    pub(crate) authority: Option<PathBuf>,
    /// The environment that it belongs to.
    pub(crate) environment: &'static str,
    /// Where a file lies; gone with the place.
    _folder: TempDir,
}

/// One of each dialect; of SQLite alone where there is no PostgreSQL, and then the suite counts as
/// skipped.
pub(crate) async fn both() -> Vec<Place> {
    let mut places = vec![sqlite()];
    places.extend(postgres().await);
    places
}

/// The same without TLS, for properties that open hundreds of connections: a handshake each is most
/// of their time, and TLS has tests of its own.
pub(crate) async fn plain() -> Vec<Place> {
    let mut places = both().await;
    for place in places.iter_mut().filter(|place| place.dialect == Dialect::Postgres) {
        place.url = format!("{}?sslmode=disable", place.url);
        place.environment = "dev";
    }
    places
}

/// A new, empty file.
pub(crate) fn sqlite() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clinic.db");
    // An empty file is an empty database.
    std::fs::File::create(&path).unwrap();
    let url = Options::file_url(&path);
    Place {
        dialect: Dialect::Sqlite,
        url,
        authority: None,
        environment: "staging",
        _folder: folder,
    }
}

/// A new database of the shared server.
pub(crate) async fn postgres() -> Option<Place> {
    let server = Postgres::shared("database")?;
    let (url, authority) = (server.database().await, Some(server.authority()));
    let _folder = tempfile::tempdir().unwrap();
    Some(Place { dialect: Dialect::Postgres, url, authority, environment: "staging", _folder })
}

impl Place {
    /// A database of a server that a test has for itself.
    pub(crate) fn of(dialect: Dialect, url: String, authority: Option<PathBuf>) -> Self {
        let _folder = tempfile::tempdir().unwrap();
        Self { dialect, url, authority, environment: "staging", _folder }
    }

    /// Its URL for who knows nothing else: with the authority in it.
    pub(crate) fn tool_url(&self) -> String {
        match &self.authority {
            Some(path) => format!("{}?sslrootcert={}", self.url, path.display()),
            None => self.url.clone(),
        }
    }

    /// Options with its URL.
    pub(crate) fn options(&self) -> Options {
        Options { root_certificates: self.authority.clone(), ..Options::new(&self.url) }
    }

    /// Settings with the defaults.
    pub(crate) fn settings(&self) -> Settings {
        self.options().build(self.environment).unwrap()
    }

    /// A pool on the newest schema.
    pub(crate) async fn migrated(&self) -> Database {
        Migrator::new(&self.settings()).up(None).await.unwrap();
        Database::open(self.settings())
    }

    /// How many open files this process has on a SQLite database: none without a connection.
    pub(crate) fn open_files(&self) -> usize {
        let path = self.url.strip_prefix("sqlite:").expect("a file");
        let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let names = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        names.filter(|name| name.to_string_lossy().starts_with(path)).count()
    }

    /// Runs SQL on a connection of its own.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        let database = Database::open(self.settings());
        let run = run(&database, sql).await;
        database.close().await;
        run
    }
}

/// Runs SQL on a connection of the pool.
pub(crate) async fn run(database: &Database, sql: &str) -> Result<(), DatabaseError> {
    let mut lease = database.acquire().await?;
    let sql = AssertSqlSafe(sql.to_owned());
    match lease.connection() {
        Connection::Postgres(connection) => connection.execute(sql).await.map(drop)?,
        Connection::Sqlite(connection) => connection.execute(sql).await.map(drop)?,
    }
    Ok(())
}
