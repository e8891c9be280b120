//! A call with nothing but the node: the test is its caller, its voice, its tools and its provider.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use voicegraph_engine::connect::{Connector, Dial, Roots};
use voicegraph_engine::edge::{EdgeMeter, Input, Limit, Output, Overflow, edge};
use voicegraph_engine::event::{Event, Observer, Observers, ToolStage};
use voicegraph_engine::message::{
    Effect, Envelope, Payload, TextDelta, ToolCall, ToolSpec, UserTurn,
};
use voicegraph_engine::metrics::NodeMeter;
use voicegraph_engine::node::{Context, Kind, NodeError, Ports, Tool};
use voicegraph_engine::turn::{Anchor, Beginning, Turn, TurnControl};
use voicegraph_engine::variables::Variables;

use super::server::{Dialled, Server};
use crate::openai_llm::{OpenAiLlm, Options};

/// What no test should wait longer for, on the paused clock.
const PATIENCE: Duration = Duration::from_secs(300);

/// The node in a call of its own.
pub(super) struct World {
    pub(super) turns: Output<UserTurn>,
    pub(super) text: Input<TextDelta>,
    pub(super) call: Input<ToolCall>,
    pub(super) control: TurnControl,
    pub(super) meter: Arc<NodeMeter>,
    pub(super) node: JoinHandle<Result<(), NodeError>>,
    servers: mpsc::Receiver<tokio::io::DuplexStream>,
    events: Arc<Seen>,
}

#[derive(Default)]
struct Seen(Mutex<Vec<Event>>);

impl Observer for Seen {
    fn on(&self, _: Instant, event: &Event) {
        self.0.lock().expect("no panic holds this lock").push(event.clone());
    }
}

impl World {
    /// A call with the default options and two tools: `find` reads, `book` writes.
    pub(super) fn new() -> Self {
        Self::with(&json!({}))
    }

    /// The same with these options besides.
    pub(super) fn with(more: &serde_json::Value) -> Self {
        Self::given(more, Variables::default())
    }

    /// The same, the call being given these variables.
    pub(super) fn given(more: &serde_json::Value, variables: Variables) -> Self {
        let (dialled, servers) = mpsc::channel(16);
        let dial: Arc<dyn Dial> = Arc::new(Dialled(dialled));
        let simulators = BTreeMap::from([("openai".to_owned(), dial)]);
        let connector = Connector::new(&Roots::Given(Vec::new())).with_simulators(simulators);
        let session = CancellationToken::new();
        let events = Arc::new(Seen::default());
        let observers = Observers::new(vec![Arc::clone(&events) as Arc<dyn Observer>]);
        let mut ctx = Context::for_test(connector, observers.clone()).with_variables(variables);
        ctx.tools = vec![tool("find", Effect::Read), tool("book", Effect::Write)];
        let meter = Arc::clone(&ctx.meter);
        let mut ports = Ports::default();
        let (turns, input) = wire("t.turn -> llm.turn", 1, Overflow::DropOldest, &session);
        ports.add_input("turn", input);
        let (output, text) = wire("llm.text -> tts.text", 256, Overflow::Block, &session);
        ports.add_output("text", output);
        let (output, call) = wire("llm.call -> tool.call", 4, Overflow::Block, &session);
        ports.add_output("call", output);
        let control = TurnControl::new(session, observers);
        let node = OpenAiLlm::build(options(more), "dev").expect("valid options").create();
        let node = tokio::spawn(node.run(ports, ctx));
        Self { turns, text, call, control, meter, node, servers, events }
    }

    /// The caller's turn ends with these words.
    pub(super) async fn say(&mut self, words: &str) -> Turn {
        let (text, now) = (words.to_owned(), Instant::now());
        let anchor = Anchor::Vad;
        let beginning =
            Beginning { text: text.clone(), origin: now, anchor, transcript: None, settled: now };
        let turn = self.control.begin(&beginning);
        self.turns.send(Envelope::turn(&turn, UserTurn { text })).await.expect("the node reads");
        turn
    }

    /// The next connection that the node opens.
    pub(super) async fn server(&mut self) -> Server {
        Server(limited(self.servers.recv()).await.expect("the node lives"))
    }

    /// The next piece of the answer.
    pub(super) async fn piece(&mut self) -> String {
        limited(self.text.recv()).await.expect("the node lives").body.text
    }

    /// The pieces of the answer up to its last.
    pub(super) async fn answer(&mut self) -> String {
        let mut answer = String::new();
        loop {
            let piece = limited(self.text.recv()).await.expect("the node lives");
            answer.push_str(&piece.body.text);
            if piece.last {
                return answer;
            }
        }
    }

    /// The next tool call.
    pub(super) async fn called(&mut self) -> ToolCall {
        limited(self.call.recv()).await.expect("the node lives").body
    }

    /// What the node ended with.
    pub(super) async fn ended(self) -> Result<(), NodeError> {
        drop((self.turns, self.text, self.call));
        limited(self.node).await.expect("no panic")
    }

    /// The faults told so far, with the delays in ms.
    pub(super) fn faults(&self) -> Vec<(String, Option<u128>)> {
        self.seen(|event| match event {
            Event::Fault { what, retry_in, .. } => {
                Some((what.clone(), retry_in.map(|delay| delay.as_millis())))
            }
            _ => None,
        })
    }

    /// The stages of tool calls told so far.
    pub(super) fn tools(&self) -> Vec<(String, ToolStage)> {
        self.seen(|event| match event {
            Event::Tool { name, stage, .. } => Some((name.clone(), *stage)),
            _ => None,
        })
    }

    /// What is picked from the events so far.
    pub(super) fn seen<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        let events = self.events.0.lock().expect("no panic holds this lock");
        events.iter().filter_map(pick).collect()
    }
}

/// Waits for something that must come.
pub(super) async fn limited<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it comes in time")
}

/// Lets the node do all that it can do now.
pub(super) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn options(more: &serde_json::Value) -> Options {
    let mut options = json!({
        "api_key": "sk-test", "base_url": "sim://openai/v1", "system": "Be brief.",
    });
    let more = more.as_object().expect("an object").clone();
    options.as_object_mut().expect("an object").extend(more);
    serde_json::from_value(options).expect("options")
}

fn wire<T: Payload>(
    name: &str,
    limit: u32,
    overflow: Overflow,
    session: &CancellationToken,
) -> (Output<T>, Input<T>) {
    edge(&EdgeMeter::new(name, Limit::count(limit), overflow), session.clone())
}

fn tool(name: &str, effect: Effect) -> Tool {
    let parameters = json!({ "type": "object", "properties": { "day": { "type": "string" } } });
    let (name, description) = (name.to_owned(), format!("Can {name}."));
    Tool { spec: ToolSpec { name, description, parameters, effect }, edge: 0 }
}
