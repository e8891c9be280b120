//! The commands that tell about pipelines: `check`, `graph`, `nodes`, `schema`.

use serde_json::Value;
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::{program, workspace};

async fn say(arguments: &[&str]) -> String {
    program::run(&workspace::root(), arguments, &[]).await.succeeded()
}

#[tokio::test]
async fn the_clinic_is_right_in_every_environment() {
    let keys = ["DEEPGRAM", "OPENAI", "CARTESIA"].map(|name| format!("{name}_API_KEY"));
    let keys = keys.iter().map(|name| (name.as_str(), "test-key"));
    let database = ("DATABASE_URL", "postgres://voicegraph:secret@db.example/clinic");
    let keys: Vec<_> = keys.chain([database]).collect();
    for environment in ["dev", "staging", "production"] {
        let arguments = ["check", "pipelines/clinic", "--deny-warnings", "--env", environment];
        let said = program::run(&workspace::root(), &arguments, &keys).await.succeeded();
        let expected = format!("clinic ({environment}): 8 nodes, 10 edges, fingerprint ");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[tokio::test]
async fn the_graph_is_drawn_in_every_format() {
    let draw = async |format: &str| {
        say(&["graph", "pipelines/clinic", "--env", "dev", "--format", format]).await
    };
    for (format, head, node) in [
        ("svg", "<svg ", "openai_llm"),
        ("mermaid", "flowchart LR", "openai_llm"),
        ("dot", "digraph ", "openai_llm"),
        ("json", "{", "openai_llm"),
    ] {
        let drawing = draw(format).await;
        assert!(drawing.contains(head) && drawing.contains(node), "{format}: {drawing}");
    }
    let json: Value = serde_json::from_str(&draw("json").await).unwrap();
    assert_eq!(json["nodes"].as_array().map(Vec::len), Some(8), "{json:#}");
    assert_eq!(json["edges"].as_array().map(Vec::len), Some(10), "{json:#}");
}

#[tokio::test]
async fn every_kind_is_listed_and_has_its_manual() {
    let list = say(&["nodes"]).await;
    let registry = voicegraph_nodes::registry();
    for kind in registry.kinds() {
        assert!(list.contains(kind.name()), "{} is not in\n{list}", kind.name());
        let manual = say(&["nodes", kind.name()]).await;
        assert!(manual.contains(kind.name()), "{manual}");
    }
    let vad = say(&["nodes", "vad"]).await;
    for part in ["audio", "speech", "min_silence_ms", "200", "100 to 5000"] {
        assert!(vad.contains(part), "no {part:?} in\n{vad}");
    }
}

#[tokio::test]
async fn the_committed_schema_is_the_current_one() {
    let path = workspace::root().join("pipelines/schema.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        say(&["schema"]).await == committed,
        "pipelines/schema.json is not current: cargo run -- schema > pipelines/schema.json"
    );
}

#[test]
fn every_pipeline_names_the_schema() {
    for file in std::fs::read_dir(clinic()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("#:schema ../schema.json\n"), "{file:?} does not");
        }
    }
}
