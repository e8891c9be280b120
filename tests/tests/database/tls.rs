//! TLS: what is refused, and by which words.

use voicegraph_database::{Database, DatabaseError, Options, Unavailable};
use voicegraph_tests::postgres::{self, Postgres};
use voicegraph_tests::program::{self, Ended};
use voicegraph_tests::workspace;

use crate::place;

async fn refusal(options: Options) -> Unavailable {
    match Database::open(options.build("production").unwrap()).acquire().await {
        Err(DatabaseError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_connection_is_encrypted_without_being_asked_for() {
    let Some(place) = place::postgres().await else { return };
    let database = Database::open(place.settings());
    let encrypted = "select count(*) from pg_stat_ssl where pid = pg_backend_pid() and ssl";
    assert_eq!(place::number(&database, encrypted).await, 1);
}

#[tokio::test]
async fn an_authority_that_is_not_known_is_refused() {
    let Some(place) = place::postgres().await else { return };
    let why = refusal(Options::new(&place.url)).await;
    assert_eq!(why, Unavailable::UnknownAuthority);
    assert!(why.to_string().contains("`root_certificates`"), "{why}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let Some(server) = Postgres::shared("database") else { return };
    let options = Options {
        root_certificates: Some(server.authority()),
        ..Options::new(server.url_at("127.0.0.1", "postgres"))
    };
    let why = refusal(options.clone()).await;
    assert_eq!(why, Unavailable::WrongHost);
    assert!(why.to_string().contains("host name"), "{why}");
    let url = format!("{}?sslmode=verify-ca", options.url.expose());
    let lenient = Options { root_certificates: options.root_certificates, ..Options::new(url) };
    Database::open(lenient.build("staging").unwrap()).acquire().await.unwrap();
}

#[tokio::test]
async fn a_server_without_tls_is_refused() {
    let Some(server) = Postgres::start("database", postgres::Tls::Off) else { return };
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = format!("{}?sslmode={mode}", server.url("postgres"));
        let why = refusal(Options::new(url)).await;
        assert_eq!(why, Unavailable::NoTls, "{mode}");
        assert!(why.to_string().contains("no TLS"), "{why}");
    }
    let here = Options::new(server.url("postgres"));
    Database::open(here.build("dev").unwrap()).acquire().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_told_apart_and_not_shown() {
    let Some(place) = place::postgres().await else { return };
    let url = place.url.replace("not-a-secret", "top-secret");
    let why = refusal(Options { root_certificates: place.authority.clone(), ..Options::new(url) });
    let why = why.await;
    assert_eq!(why, Unavailable::LogIn { code: "28P01".to_owned() });
    assert!(!format!("{why} {why:?}").contains("top-secret"));
}

/// What `check --connect` says of the clinic on that database, for who deploys it.
async fn check(environment: &str, url: &str) -> Ended {
    let keys = ["DEEPGRAM_API_KEY", "OPENAI_API_KEY", "CARTESIA_API_KEY"];
    let keys = keys.map(|name| (name, "test-key"));
    let variables = [&keys[..], &[("DATABASE_URL", url)]].concat();
    let arguments = ["check", "pipelines/clinic", "--env", environment, "--connect"];
    program::run(&workspace::root(), &arguments, &variables).await
}

#[tokio::test]
async fn staging_and_production_say_what_is_wrong_with_the_server() {
    let Some(plain) = Postgres::start("database", postgres::Tls::Off) else { return };
    let Some(place) = place::postgres().await else { return };
    place.migrated().await;
    let right = place.tool_url();
    let misnamed = right.replace("@localhost:", "@127.0.0.1:");
    for environment in ["staging", "production"] {
        for (url, said) in [
            (plain.url("postgres"), "the database server has no TLS"),
            (misnamed.clone(), "certificate is not for the host name in the URL"),
            (place.url.clone(), "certificate is by an authority that is not known here"),
            (
                format!("{right}&sslmode=disable"),
                "`sslmode=disable` lets the connection go without TLS",
            ),
            (
                format!("{right}&sslmode=prefer"),
                "`sslmode=prefer` lets the connection go without TLS",
            ),
        ] {
            let refused = check(environment, &url).await;
            // Where a line is broken is the width's matter.
            let words: Vec<&str> =
                refused.stderr.split_whitespace().filter(|it| *it != "│").collect();
            assert_eq!(refused.code, 78, "{}", refused.stderr);
            assert!(words.join(" ").contains(said), "{said}: {}", refused.stderr);
            assert!(
                refused.stderr.contains("database.url") && !refused.stderr.contains("not-a-secret")
            );
        }
        check(environment, &right).await.succeeded();
    }
}
