//! Migrations: up, down, locks, edits, failures, and the program killed half-way.

use voicegraph_database::migrate::{Down, MigrateError, Migrations, Migrator, State};

use crate::place;

/// The clinic's files, with one text changed.
fn files(migrator: &Migrations, change: impl Fn(i64, &str) -> String) -> Vec<(String, String)> {
    let both = migrator.scripts().iter().flat_map(|script| {
        let name = format!("{:04}_{}", script.version, script.name);
        [
            (format!("{name}.up.sql"), change(script.version, &script.up)),
            (format!("{name}.down.sql"), script.down.clone()),
        ]
    });
    both.collect()
}

#[tokio::test]
async fn up_and_down_say_what_they_did() {
    for place in place::both().await {
        let migrator = Migrator::new(&place.settings());
        let versions = |scripts: Vec<voicegraph_database::migrate::Script>| {
            scripts.iter().map(|script| script.version).collect::<Vec<_>>()
        };
        assert_eq!(versions(migrator.plan_up(None).await.unwrap()), [1, 2, 3, 4, 5]);
        assert_eq!(versions(migrator.up(Some(2)).await.unwrap()), [1, 2]);
        assert_eq!(versions(migrator.up(None).await.unwrap()), [3, 4, 5]);
        assert!(versions(migrator.up(None).await.unwrap()).is_empty());
        assert_eq!(versions(migrator.plan_down(Down::To(3)).await.unwrap()), [5, 4]);
        assert_eq!(versions(migrator.down(Down::Steps(2)).await.unwrap()), [5, 4]);
        let states: Vec<_> = migrator.status().await.unwrap().iter().map(|it| it.state).collect();
        let (done, open) = (State::Applied, State::Pending);
        assert_eq!(states, [done, done, done, open, open]);
        assert_eq!(versions(migrator.down(Down::To(0)).await.unwrap()), [3, 2, 1]);
        let error = migrator.up(Some(9)).await.unwrap_err();
        assert!(matches!(error, MigrateError::NoSuchVersion { asked: 9, .. }), "{error}");
    }
}

#[tokio::test]
async fn an_edited_migration_is_refused() {
    for place in place::both().await {
        let settings = place.settings();
        Migrator::new(&settings).up(Some(3)).await.unwrap();
        let edited = files(&Migrations::embedded(place.dialect), |version, text| {
            if version == 2 { format!("{text} -- better") } else { text.to_owned() }
        });
        let migrator = Migrator::with(&settings, Migrations::read(edited).unwrap());
        for refused in [migrator.up(None).await, migrator.down(Down::Steps(1)).await] {
            let error = refused.unwrap_err();
            assert!(matches!(error, MigrateError::Edited(2)), "{error}");
        }
        assert_eq!(migrator.status().await.unwrap()[1].state, State::Edited);
        assert_eq!(Migrator::new(&settings).up(None).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_newer_programs_version_is_refused() {
    for place in place::both().await {
        let settings = place.settings();
        Migrator::new(&settings).up(None).await.unwrap();
        let older = files(&Migrations::embedded(place.dialect), |_, text| text.to_owned());
        let older = Migrations::read(older.into_iter().take(8)).unwrap();
        let error = Migrator::with(&settings, older).up(None).await.unwrap_err();
        assert!(matches!(error, MigrateError::Unknown(5)), "{error}");
    }
}

#[tokio::test]
async fn a_failed_migration_leaves_nothing_half_done() {
    for place in place::both().await {
        let settings = place.settings();
        let broken = files(&Migrations::embedded(place.dialect), |version, text| {
            if version == 4 {
                format!("{text}\ninsert into nowhere values (1);")
            } else {
                text.to_owned()
            }
        });
        let migrator = Migrator::with(&settings, Migrations::read(broken).unwrap());
        let error = migrator.up(None).await.unwrap_err();
        assert!(matches!(error, MigrateError::Script { version: 4, .. }), "{error}");
        assert!(error.to_string().contains("nowhere"), "{error}");
        place.run("select 1 from tool_calls").await.unwrap_err();
        assert_eq!(Migrator::new(&settings).up(None).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn of_many_at_once_one_does_the_work() {
    for place in place::both().await {
        let settings = place.settings();
        let all = (0..8).map(async |_| Migrator::new(&settings).up(None).await.unwrap().len());
        let mut made = futures_util::future::join_all(all).await;
        made.sort_unstable();
        assert_eq!(made, [0, 0, 0, 0, 0, 0, 0, 5], "{:?}", place.dialect);
    }
}
