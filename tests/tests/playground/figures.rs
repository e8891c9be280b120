//! The figures of a real call: the clinic's demo, at the pace of speech, beside the page.

use std::sync::Arc;

use axum::Router;
use voicegraph_engine::config::{self, Sources};
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::http::{State, router};
use voicegraph_engine::metrics::Metrics;
use voicegraph_engine::runtime::{Admission, Pipeline, Runtime, Runtimes};
use voicegraph_engine::session::Limits;
use voicegraph_engine::transport::scripted;
use voicegraph_simulators::{Folder, Script, Simulators};
use voicegraph_tests::sample::Sample;
use voicegraph_tests::scenario::{clinic, simulated};

/// A call that goes on for as long as this lives.
pub(crate) struct Figures {
    pub(crate) router: Router,
    call: tokio::task::JoinHandle<()>,
    _database: Sample,
}

impl Figures {
    /// Begins the call.
    pub(crate) async fn begin() -> Self {
        let database = Sample::new().await;
        let variables = |name: &str| match name {
            "DATABASE_URL" => Some(database.url().to_owned()),
            name => simulated(name),
        };
        let sources = Sources::read(&clinic(), Some("dev"));
        let compiled = config::compile(&sources, &variables, &voicegraph_nodes::registry());
        let graph = Arc::new(compiled.unwrap_or_else(|it| panic!("{}", it.to_text(false))).graph);
        let demo = clinic().join("demo");
        let script = std::fs::read_to_string(demo.join("script.toml")).unwrap();
        let script = Script::from_toml(&script, &Folder(demo)).unwrap();
        let caller = script.caller.to_transport();
        let simulators = Simulators::new(script).in_process();
        let connector = Connector::new(&Roots::default()).with_simulators(simulators);
        let metrics = Arc::new(Metrics::new());
        let pipeline = Pipeline::new(graph, &metrics, "test");
        let clock = || std::time::SystemTime::UNIX_EPOCH;
        let places = Arc::new(Admission::new(1));
        let runtime = Runtime::new(pipeline, connector, clock, places, Limits::default(), 1);
        let runtime = Arc::new(runtime);
        let runtimes = Runtimes::from(Arc::clone(&runtime));
        let state = State { metrics, runtimes, version: "test" };
        let permit = runtime.admit().unwrap();
        let call = tokio::spawn(async move {
            runtime.call(permit, scripted::call(caller, None), Vec::new()).await;
        });
        Self { router: router(state), call, _database: database }
    }
}

impl Drop for Figures {
    fn drop(&mut self) {
        self.call.abort();
    }
}
