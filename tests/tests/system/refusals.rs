//! What the program refuses, and how: on standard error, with what to write instead, and with an
//! exit code that tells a wrong configuration (78) from a job that failed (1).

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use voicegraph_tests::program::{self, Variable};
use voicegraph_tests::sample::Sample;
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::workspace;

/// The exit code of a wrong configuration.
const CONFIGURATION: i32 = 78;

/// A temporary folder with a copy of the clinic in it, and a caller.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["pipeline.toml", "dev.toml", "staging.toml", "production.toml"] {
            std::fs::copy(clinic().join(file), folder.path().join(file)).unwrap();
        }
        std::fs::copy(clinic().join("demo/caller.wav"), folder.path().join("in.wav")).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    async fn refuses(&self, arguments: &[&str], code: i32, parts: &[&str]) {
        program::run(self.path(), arguments, &[]).await.refused(code, parts);
    }
}

fn run<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["run", ".", "--output", "out.wav"], more].concat()
}

#[tokio::test]
async fn an_input_that_is_no_voice_is_named_and_leaves_nothing_behind() {
    let desk = Desk::new();
    let missing = run(&["--env", "dev", "--input", "nowhere.wav"]);
    desk.refuses(&missing, 1, &["could not open \"nowhere.wav\"", "No such file"]).await;
    let text = run(&["--env", "dev", "--input", "dev.toml"]);
    desk.refuses(&text, 1, &["could not read \"dev.toml\" as WAV", "write PCM"]).await;
    assert!(!desk.path().join("out.wav").exists(), "a recording of no call");
}

#[tokio::test]
async fn a_wrong_pipeline_is_a_wrong_configuration_for_every_command() {
    let desk = Desk::new();
    let pipeline = std::fs::read_to_string(desk.path().join("pipeline.toml")).unwrap();
    let misspelt = pipeline.replace("endpointing_ms = 300", "endpoint_ms = 300");
    assert_ne!(pipeline, misspelt);
    std::fs::write(desk.path().join("pipeline.toml"), &misspelt).unwrap();
    let at = misspelt.lines().position(|line| line.starts_with("endpoint_ms")).unwrap() + 1;
    let place = format!("pipeline.toml:{at}:1]");
    let said = ["`endpoint_ms`", &place, "did you mean `endpointing_ms`?"];
    for command in [
        run(&["--env", "dev", "--input", "in.wav"]),
        vec!["serve", ".", "--env", "dev", "--listen", "127.0.0.1:0"],
        vec!["check", ".", "--env", "dev"],
        vec!["graph", ".", "--env", "dev"],
    ] {
        desk.refuses(&command, CONFIGURATION, &said).await;
    }
    assert!(!desk.path().join("out.wav").exists(), "a recording of no call");
}

#[tokio::test]
async fn an_unknown_environment_is_told_with_the_known_ones() {
    let unknown = ["check", ".", "--env", "prodution"];
    let said = ["no environment \"prodution\"", "did you mean `production`?"];
    Desk::new().refuses(&unknown, CONFIGURATION, &said).await;
    let unknown = ["check", ".", "--env", "moon"];
    let said = ["`dev`", "`production`", "`staging`"];
    Desk::new().refuses(&unknown, CONFIGURATION, &said).await;
}

#[tokio::test]
async fn missing_variables_are_all_named_at_once() {
    let keys = ["DEEPGRAM_API_KEY", "OPENAI_API_KEY", "CARTESIA_API_KEY"];
    Desk::new().refuses(&run(&["--input", "in.wav"]), CONFIGURATION, &keys).await;
}

#[tokio::test]
async fn a_production_database_without_tls_is_a_mistake_at_its_line() {
    let desk = Desk::new();
    let production = std::fs::read_to_string(desk.path().join("production.toml")).unwrap();
    let url = "postgres://clinic:${PASSWORD:?}@db.example/clinic?sslmode=disable";
    let weak = format!("{production}\n[nodes.booking]\ndatabase.url = \"{url}\"\n");
    let at = weak.lines().count();
    std::fs::write(desk.path().join("production.toml"), weak).unwrap();
    let keys = ["DEEPGRAM_API_KEY", "OPENAI_API_KEY", "CARTESIA_API_KEY", "PASSWORD"];
    let keys = keys.map(|name| (name, "top-secret"));
    let checked = program::run(desk.path(), &["check", ".", "--env", "production"], &keys).await;
    let place = format!("production.toml:{at}:");
    let said = ["`database.url`", "`sslmode=disable` lets", &place, "`sslmode=verify-full`"];
    checked.refused(CONFIGURATION, &said);
    assert!(!checked.stderr.contains("top-secret"), "{}", checked.stderr);
}

#[tokio::test]
async fn a_variable_that_nobody_declares_is_refused_without_its_value() {
    let (desk, database) = (Desk::new(), Sample::new().await);
    let call = run(&["--env", "dev", "--input", "in.wav", "--variable", "patient=sesame"]);
    let serve = ["serve", ".", "--env", "dev", "--variable", "patient=sesame"];
    for command in [&call[..], &serve] {
        let refused = program::run(desk.path(), command, &[database.variable()]).await;
        refused.refused(CONFIGURATION, &["\"patient\" is no variable of the pipeline"]);
        assert!(!refused.stderr.contains("sesame"), "{}", refused.stderr);
    }
    assert!(!desk.path().join("out.wav").exists(), "a recording of no call");
}

#[tokio::test]
async fn a_folder_without_a_pipeline_is_told() {
    let empty = tempfile::tempdir().unwrap();
    let refused = program::run(empty.path(), &["check", "."], &[]).await;
    refused.refused(CONFIGURATION, &["pipeline.toml", "there is no such file"]);
}

#[tokio::test]
async fn a_kind_that_does_not_exist_is_told_with_those_that_do() {
    let empty = tempfile::tempdir().unwrap();
    let refused = program::run(empty.path(), &["nodes", "vda"], &[]).await;
    refused.refused(1, &["no kind is named \"vda\"", "vad", "deepgram_stt"]);
}

/// The folder of a diagnostic's example.
fn example(name: &str) -> PathBuf {
    workspace::root().join("tests/diagnostics").join(name)
}

async fn check(folder: &Path, more: &[&str], variables: &[Variable<'_>]) -> (i32, Value) {
    let arguments = [&["check", ".", "--format", "json"], more].concat();
    let ended = program::run(folder, &arguments, variables).await;
    assert_eq!(ended.stderr, "", "a tool reads the findings from standard output");
    (ended.code, serde_json::from_str(&ended.stdout).unwrap())
}

#[tokio::test]
async fn findings_as_json_have_code_and_place() {
    let (code, found) = check(&example("E0101-syntax"), &[], &[]).await;
    assert_eq!(code, CONFIGURATION);
    let found = &found["diagnostics"][0];
    assert_eq!((&found["code"], &found["severity"]), (&"E0101".into(), &"error".into()));
    assert!(found["line"].is_u64() && found["column"].is_u64(), "{found:#}");
    let (code, found) = check(&clinic(), &["--env", "dev"], &[]).await;
    assert_eq!((code, found["diagnostics"].as_array().map(Vec::len)), (0, Some(0)));
}

#[tokio::test]
async fn warnings_pass_unless_they_are_denied() {
    let desk = Desk::new();
    let dev = std::fs::read_to_string(desk.path().join("dev.toml")).unwrap();
    let written = dev.replace("\"${OPENAI_API_KEY:-simulated}\"", "\"sk-written\"");
    assert_ne!(dev, written);
    std::fs::write(desk.path().join("dev.toml"), written).unwrap();
    let (code, found) = check(desk.path(), &["--env", "dev"], &[]).await;
    assert_eq!((code, &found["diagnostics"][0]["code"]), (0, &"W0101".into()));
    let (code, _) = check(desk.path(), &["--env", "dev", "--deny-warnings"], &[]).await;
    assert_eq!(code, CONFIGURATION);
    let twin = [("VOICEGRAPH_DENY_WARNINGS", "1"), ("VOICEGRAPH_ENV", "dev")];
    let (code, found) = check(desk.path(), &[], &twin).await;
    assert_eq!(code, CONFIGURATION);
    assert!(!found.to_string().contains("sk-written"), "a secret is repeated: {found:#}");
}
