//! The scripts of `migrations`, as they were when the program was built.

use include_dir::{Dir, include_dir};
use sqlx::migrate::{Migration, MigrationType};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use super::MigrateError;
use crate::options::Dialect;

static POSTGRES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../migrations/postgres");
static SQLITE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../migrations/sqlite");

/// One version, up and down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its number, 1 or more.
    pub version: i64,
    /// The name in its files' names, `doctor_shifts`.
    pub name: String,
    /// What makes it.
    pub up: String,
    /// What takes it back.
    pub down: String,
}

/// The versions of a schema, in order.
#[derive(Clone, Debug)]
pub struct Migrations {
    scripts: Vec<Script>,
}

impl Migrations {
    /// Those of the clinic, which are part of the program.
    pub fn embedded(dialect: Dialect) -> Self {
        let folder = match dialect {
            Dialect::Postgres => &POSTGRES,
            Dialect::Sqlite => &SQLITE,
        };
        let texts = folder.files().filter_map(|file| {
            Some((file.path().to_str()?.to_owned(), file.contents_utf8()?.to_owned()))
        });
        Self::read(texts).expect("a test reads the folders of `migrations`")
    }

    /// Those of files, given by name and content: `0001_people.up.sql` and `0001_people.down.sql`.
    ///
    /// # Errors
    /// Where a name has another form, a half is missing, or a version occurs twice.
    pub fn read(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, MigrateError> {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort();
        let scripts = files.chunks(2).map(pair).collect::<Result<Vec<_>, _>>()?;
        if let Some(twice) = scripts.windows(2).find(|two| two[0].version == two[1].version) {
            let what = format!("there are two migrations {}: number one anew", twice[0].version);
            return Err(MigrateError::BadScript(what));
        }
        Ok(Self { scripts })
    }

    /// The versions in order.
    pub fn scripts(&self) -> &[Script] {
        &self.scripts
    }

    /// Checks that a version can be asked for.
    pub(super) fn must_have(&self, asked: i64) -> Result<(), MigrateError> {
        let known: Vec<i64> = self.scripts.iter().map(|script| script.version).collect();
        if asked == 0 || known.contains(&asked) {
            return Ok(());
        }
        Err(MigrateError::NoSuchVersion { asked, known })
    }

    /// The same, for the driver.
    pub(super) fn driver(&self) -> sqlx::migrate::Migrator {
        let both = self.scripts.iter().flat_map(|script| {
            let half = |kind, text: &str| {
                let text = AssertSqlSafe(text.to_owned()).into_sql_str();
                Migration::new(script.version, script.name.clone().into(), kind, text, false)
            };
            [
                half(MigrationType::ReversibleUp, &script.up),
                half(MigrationType::ReversibleDown, &script.down),
            ]
        });
        sqlx::migrate::Migrator::with_migrations(both.collect())
    }
}

/// A version from its two files. Sorted by name, `down` stands before `up`.
fn pair(files: &[(String, String)]) -> Result<Script, MigrateError> {
    let [(down_name, down), (up_name, up)] = files else {
        return Err(not_a_pair(&files[0].0));
    };
    let stem = down_name.strip_suffix(".down.sql").ok_or_else(|| not_a_pair(down_name))?;
    if up_name.strip_suffix(".up.sql") != Some(stem) {
        return Err(not_a_pair(down_name));
    }
    let (version, name) = stem.split_once('_').ok_or_else(|| not_a_pair(stem))?;
    let version = version.parse().ok().filter(|&version| version > 0);
    let version = version.ok_or_else(|| not_a_pair(stem))?;
    Ok(Script { version, name: name.to_owned(), up: up.clone(), down: down.clone() })
}

fn not_a_pair(name: &str) -> MigrateError {
    MigrateError::BadScript(format!(
        "{name:?} is no half of a migration: name them `0001_name.up.sql` and `0001_name.down.sql`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &[&str]) -> Result<Vec<i64>, String> {
        let files = names.iter().map(|name| ((*name).to_owned(), String::new()));
        let read = Migrations::read(files).map_err(|error| error.to_string())?;
        Ok(read.scripts().iter().map(|script| script.version).collect())
    }

    #[test]
    fn both_dialects_have_the_same_versions() {
        let names = |dialect| {
            let migrations = Migrations::embedded(dialect);
            let named = migrations.scripts().iter().map(|it| (it.version, it.name.clone()));
            named.collect::<Vec<_>>()
        };
        assert_eq!(names(Dialect::Postgres), names(Dialect::Sqlite));
        assert!(names(Dialect::Sqlite).len() > 1);
    }

    #[test]
    fn files_are_paired_and_ordered() {
        let files = ["0002_b.up.sql", "0001_a.up.sql", "0001_a.down.sql", "0002_b.down.sql"];
        assert_eq!(read(&files), Ok(vec![1, 2]));
    }

    #[test]
    fn what_is_no_pair_is_named() {
        for files in [
            &["0001_a.up.sql"][..],
            &["0001_a.down.sql", "0001_b.up.sql"],
            &["a.down.sql", "a.up.sql"],
            &["0000_a.down.sql", "0000_a.up.sql"],
        ] {
            let error = read(files).expect_err("no pair");
            assert!(error.contains("is no half of a migration"), "{error}");
        }
        let twice = ["0001_a.up.sql", "0001_a.down.sql", "0001_b.up.sql", "0001_b.down.sql"];
        assert!(read(&twice).expect_err("two").contains("two migrations 1"));
    }
}
