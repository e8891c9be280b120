//! A scenario: one call of the clinic, as TOML, and what happens in it, as text.
//!
//! A scenario is a folder: `script.toml` says what the caller says and how the providers behave,
//! `overlay.toml`, where there is one, changes the pipeline, and `expected.timeline` is what must
//! happen, to the millisecond. The call runs under a paused clock, with every provider in the same
//! runtime.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use voicegraph_engine::config::{self, Sources};
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::graph::Graph;
use voicegraph_engine::registry::Registry;
use voicegraph_engine::session::{Limits, Meters, Session};
use voicegraph_engine::testing::{Timeline, virtual_time};
use voicegraph_engine::transport::scripted;
use voicegraph_simulators::{Folder, Script, Simulators};

use crate::slow_listener::SlowListener;
use crate::slow_tool::SlowTool;

/// A scenario, read and compiled.
pub struct Scenario {
    /// Its folder.
    pub folder: PathBuf,
    script: Script,
    graph: Arc<Graph>,
}

/// The clinic's folder.
pub fn clinic() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/clinic")
}

/// The folders of the clinic's scenarios, in the order of their names.
///
/// # Panics
/// Where they cannot be read, or some are missing.
pub fn folders() -> Vec<PathBuf> {
    let folder = clinic().join("scenarios");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the clinic has scenarios")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 10, "scenarios are missing from {folder:?}");
    folders
}

/// Every kind that scenarios may name: the product's, and the slow ones.
pub fn registry() -> Registry {
    voicegraph_nodes::registry().with::<SlowTool>().with::<SlowListener>()
}

/// The clinic's variables where every provider is simulated in the process.
pub fn simulated(name: &str) -> Option<String> {
    let value = match name {
        "DEEPGRAM_BASE_URL" => "sim://deepgram",
        "OPENAI_BASE_URL" => "sim://openai/v1",
        "CARTESIA_BASE_URL" => "sim://cartesia",
        "DATABASE_URL" => "sqlite:no-scenario-opens-it.db",
        "DEEPGRAM_API_KEY" | "OPENAI_API_KEY" | "CARTESIA_API_KEY" => "simulated",
        _ => return None,
    };
    Some(value.to_owned())
}

impl Scenario {
    /// Reads the scenario in `folder`.
    ///
    /// # Panics
    /// Where it is not right; the message says why.
    pub fn read(folder: &Path) -> Self {
        let text = |path: PathBuf| {
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
        };
        let script = text(folder.join("script.toml"));
        let script = Script::from_toml(&script, &Folder(folder.to_owned()))
            .unwrap_or_else(|error| panic!("{folder:?}: {error}"));
        let base = text(clinic().join("pipeline.toml"));
        let overlay = std::fs::read_to_string(folder.join("overlay.toml")).unwrap_or_default();
        let overlay = unrecorded(&overlay);
        let sources = Sources::from_text(&base, Some(("scenario", &overlay)));
        let compiled = config::compile(&sources, &simulated, &registry());
        let compiled =
            compiled.unwrap_or_else(|found| panic!("{folder:?}\n{}", found.to_text(false)));
        Self { folder: folder.to_owned(), script, graph: Arc::new(compiled.graph) }
    }

    /// Runs the call and gives its timeline.
    pub fn run(&self) -> String {
        virtual_time().block_on(self.call())
    }

    async fn call(&self) -> String {
        let simulators = Simulators::new(self.script.clone());
        let roots = Roots::Given(Vec::new());
        let connector = Connector::new(&roots).with_simulators(simulators.in_process());
        let meters = Meters::detached(&self.graph);
        let timeline = Timeline::new();
        let session = Session {
            graph: Arc::clone(&self.graph),
            meters: meters.clone(),
            connector,
            transport: scripted::call(self.script.caller.to_transport(), None),
            started_at: self.script.caller.calls_at,
            observers: vec![Arc::<Timeline>::clone(&timeline)],
            closing: Default::default(),
            cancelled: Default::default(),
            seed: 1,
            limits: Limits::default(),
        };
        let end = session.run().await;
        timeline.note(&format!("call ended: {}", end.reason));
        timeline.text() + &edges(&meters)
    }
}

/// The overlay with one change more: no call leaves a record, since there is no database.
fn unrecorded(overlay: &str) -> String {
    let mut overlay: toml::Table = toml::from_str(overlay).expect("an overlay is TOML");
    let mut below = &mut overlay;
    for name in ["nodes", "booking"] {
        let table = below.entry(name).or_insert_with(|| toml::Table::new().into());
        below = table.as_table_mut().expect("a table, as the pipeline has it");
    }
    below.insert("call_records".to_owned(), false.into());
    toml::to_string(&overlay).expect("TOML stays TOML")
}

/// What passed each edge, and the longest wait on it.
fn edges(meters: &Meters) -> String {
    let mut text = String::new();
    for meter in &meters.edges {
        let (figures, name) = (meter.figures(), meter.name());
        let counts = figures.counts;
        assert_eq!(counts.sent, counts.received + counts.dropped_total() + counts.length, "{name}");
        assert_eq!(counts.length, 0, "{name}: something is left in the queue");
        let dropped = counts.dropped_total();
        let waited = figures.queue_us.max() / 1000;
        writeln!(
            text,
            "{name}: sent {}, received {}, dropped {dropped}, longest wait {waited} ms",
            counts.sent, counts.received
        )
        .expect("writing to a string cannot fail");
    }
    text
}
