//! The clinic's database with its sample data, in a file of one test's own.

use chrono::NaiveDate;
use tempfile::TempDir;
use voicegraph_database::migrate::Migrator;
use voicegraph_database::seed::{self, Guard};
use voicegraph_database::{Database, Options, Settings};

use crate::program::Variable;

/// The database; gone when this is dropped.
pub struct Sample {
    url: String,
    _folder: TempDir,
}

impl Sample {
    /// A new file, with data around Monday 9 March 2026.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let url = Options::file_url(&folder.path().join("clinic.db"));
        let sample = Self { url, _folder: folder };
        Migrator::new(&sample.settings()).up(None).await.expect("the migrations are right");
        let monday = NaiveDate::from_ymd_opt(2026, 3, 9).expect("a day");
        let seeded = seed::seed(&sample.settings(), monday, Some("dev"), Guard::Up).await;
        seeded.expect("the schema is new");
        sample
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The variable that tells the clinic where it is.
    pub fn variable(&self) -> Variable<'_> {
        ("DATABASE_URL", &self.url)
    }

    /// A pool of connections to it.
    pub fn open(&self) -> Database {
        Database::open(self.settings())
    }

    fn settings(&self) -> Settings {
        Options::new(&self.url).build("dev").expect("a file's URL is right")
    }
}
