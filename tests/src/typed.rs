//! Calls without sound: what the caller says is typed, what the agent says is read. Everything
//! between, from the turn to the tools, is the product's own, on the real clock.
//!
//! ```text
//!   mic ── typist ── llm ── reader
//!                      └─── booking
//! ```

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{Instant, sleep};
use voicegraph_engine::config::{self, Sources};
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::edge::{Limit, Overflow};
use voicegraph_engine::event::{Event, Observer, ToolStage};
use voicegraph_engine::graph::Graph;
use voicegraph_engine::message::{AudioFrame, Envelope, Scope, TextDelta, UserTurn};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Role, Signature,
};
use voicegraph_engine::session::{CallEnd, Limits, Meters, Session};
use voicegraph_engine::transport::{Captured, Sink, SinkGone, Source, Transport};
use voicegraph_engine::turn::{Anchor, Beginning, TurnControl};
use voicegraph_simulators::{Script, Simulators};

use crate::made::Made;
use crate::scenario::{clinic, simulated};

/// When every call begins, since the epoch: 2026-03-09T08:00:00Z, a Monday.
pub const CALLS_AT: Duration = Duration::from_secs(1_773_043_200);

/// One thing that the caller says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The words.
    pub text: String,
    /// After how long, in µs, the next line is said into the answer. Without it the answer is heard
    /// out.
    #[serde(default)]
    pub interrupt_after_us: Option<u64>,
}

/// A call of the clinic.
pub struct Typed {
    /// What the caller says.
    pub lines: Vec<Line>,
    /// Who calls.
    pub caller: Option<String>,
    /// The clinic's database.
    pub database_url: String,
    /// Where the call's ids come from.
    pub seed: u64,
}

/// What became of a call.
#[derive(Debug)]
pub struct Read {
    /// How it ended.
    pub end: CallEnd,
    /// What the agent said, turn by turn.
    pub answers: Vec<String>,
    /// What tools did, in order.
    pub tools: Vec<ToolNote>,
}

/// What a tool did.
#[derive(Clone, Debug)]
pub struct ToolNote {
    /// The turn that called it, from 1.
    pub turn: usize,
    /// Its name.
    pub name: String,
    /// How far it came.
    pub stage: ToolStage,
    /// How many turns had begun by then.
    pub during: usize,
}

impl Typed {
    /// Makes the call, with the model that `script` describes.
    ///
    /// # Panics
    /// Where the graph is wrong.
    pub async fn call(&self, script: &Script) -> Read {
        let simulators = Simulators::new(script.clone());
        let connector = Connector::new(&Roots::Given(Vec::new()));
        let graph = Arc::new(self.graph());
        let notes = Arc::new(Notes::default());
        let session = Session {
            meters: Meters::detached(&graph),
            graph,
            connector: connector.with_simulators(simulators.in_process()),
            transport: Transport {
                source: Box::new(Nothing),
                sink: Box::new(Nothing),
                variables: Default::default(),
                caller: self.caller.as_deref().map(Arc::from),
                observer: None,
            },
            started_at: SystemTime::UNIX_EPOCH + CALLS_AT,
            observers: vec![Arc::<Notes>::clone(&notes)],
            closing: Default::default(),
            cancelled: Default::default(),
            seed: self.seed,
            limits: Limits::default(),
        };
        let end = session.run().await;
        let notes = std::mem::take(&mut *notes.lock());
        Read { end, answers: notes.answers, tools: notes.tools }
    }

    /// The clinic with a typist in place of what listens, and a reader in place of what speaks.
    fn graph(&self) -> Graph {
        let lines = self.lines.iter().map(|line| {
            let interrupt = line.interrupt_after_us;
            let interrupt = interrupt.map(|us| format!(", interrupt_after_us = {us}"));
            format!("{{ text = {:?}{} }}", line.text, interrupt.unwrap_or_default())
        });
        let lines = lines.collect::<Vec<_>>().join(", ");
        let overlay = format!(
            r#"
            [nodes]
            vad = false
            stt = false
            turn = false
            tts = false
            speaker = false
            typist = {{ kind = "typist", lines = [{lines}] }}
            reader.kind = "reader"

            [edges]
            "mic.input -> turn.input" = false
            "mic.audio -> vad.audio" = false
            "mic.audio -> stt.audio" = false
            "vad.speech -> turn.speech" = false
            "vad.speech -> stt.speech" = false
            "stt.transcript -> turn.transcript" = false
            "turn.turn -> llm.turn" = false
            "llm.text -> tts.text" = false
            "tts.audio -> speaker.audio" = false
            "mic.audio -> typist.audio" = {{}}
            "typist.turn -> llm.turn" = {{}}
            "llm.text -> reader.text" = {{}}
            "#
        );
        let base = std::fs::read_to_string(clinic().join("pipeline.toml")).expect("it is there");
        let variables = |name: &str| match name {
            "DATABASE_URL" => Some(self.database_url.clone()),
            name => simulated(name),
        };
        let registry = voicegraph_nodes::registry().with::<Typist>().with::<Reader>();
        let sources = Sources::from_text(&base, Some(("dev", &overlay)));
        let compiled = config::compile(&sources, &variables, &registry);
        compiled.unwrap_or_else(|found| panic!("{}", found.to_text(false))).graph
    }
}

/// What happened in a call.
#[derive(Default)]
struct Notes(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    answers: Vec<String>,
    tools: Vec<ToolNote>,
}

impl Notes {
    fn lock(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Notes {
    fn on(&self, _: Instant, event: &Event) {
        let mut noted = self.lock();
        match event {
            Event::TurnBegan { .. } => noted.answers.push(String::new()),
            Event::AgentText { turn, text } => {
                noted.answers[number(turn) - 1].push_str(text);
            }
            Event::Tool { turn, name, stage } => {
                let (turn, during) = (number(turn), noted.answers.len());
                noted.tools.push(ToolNote { turn, name: name.clone(), stage: *stage, during });
            }
            _ => {}
        }
    }
}

fn number(turn: &voicegraph_engine::turn::TurnId) -> usize {
    turn.0 as usize
}

/// A caller without sound.
struct Nothing;

#[async_trait]
impl Source for Nothing {
    async fn next(&mut self) -> Captured {
        std::future::pending().await
    }
}

#[async_trait]
impl Sink for Nothing {
    fn sample_rate_hz(&self) -> std::num::NonZeroU32 {
        AudioFrame::VOICE_RATE_HZ
    }

    async fn play(&mut self, _: &AudioFrame) -> Result<Instant, SinkGone> {
        Err(SinkGone)
    }

    fn clear(&mut self) {}
}

/// The kind that begins turns from what is typed.
struct Typist;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TypistOptions {
    lines: Vec<Line>,
}

impl Kind for Typist {
    type Options = TypistOptions;
    const NAME: &'static str = "typist";
    const SUMMARY: &'static str = "Says what is typed.";

    fn signature() -> Signature {
        let (few, doc) = (Limit::millis(20), "a caller's audio; there is none");
        let audio = PortSpec::input::<AudioFrame>("audio", few, Overflow::DropOldest, doc);
        let turn = PortSpec::output::<UserTurn>("turn", "what is typed");
        Signature::new(vec![audio], vec![turn]).role(Role::TurnControl)
    }

    fn build(options: TypistOptions, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Made(move || Typing(options.lines.clone()))))
    }
}

struct Typing(Vec<Line>);

#[async_trait]
impl Node for Typing {
    async fn run(self: Box<Self>, mut ports: Ports, mut ctx: Context) -> Result<(), NodeError> {
        let mut control = ctx.take_turn_control().expect("the session gives it to this role");
        let mut output = ports.output::<UserTurn>("turn");
        for Line { text, interrupt_after_us } in self.0 {
            let turn = begin(&mut control, &text);
            output.send(Envelope::turn(&turn, UserTurn { text }).last()).await?;
            match interrupt_after_us {
                None => turn.ended().await,
                Some(us) => {
                    sleep(Duration::from_micros(us)).await;
                    control.interrupt(Instant::now());
                }
            }
        }
        ctx.closing.cancel();
        Ok(())
    }
}

fn begin(control: &mut TurnControl, text: &str) -> voicegraph_engine::turn::Turn {
    let (text, now) = (text.to_owned(), Instant::now());
    let anchor = Anchor::Vad;
    control.begin(&Beginning { text, origin: now, anchor, transcript: None, settled: now })
}

/// The kind that takes an answer as heard once it is written.
struct Reader;

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReaderOptions {}

impl Kind for Reader {
    type Options = ReaderOptions;
    const NAME: &'static str = "reader";
    const SUMMARY: &'static str = "Reads what the agent says.";

    fn signature() -> Signature {
        let (many, doc) = (Limit::count(256), "the answer");
        let text = PortSpec::input::<TextDelta>("text", many, Overflow::Block, doc);
        Signature::new(vec![text], Vec::new()).role(Role::Sink)
    }

    fn build(_: ReaderOptions, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Made(|| Reading)))
    }
}

struct Reading;

#[async_trait]
impl Node for Reading {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let mut text = ports.input::<TextDelta>("text");
        loop {
            let message = tokio::select! {
                biased;
                () = ctx.cancelled.cancelled() => return Ok(()),
                message = text.recv() => message,
            };
            match message {
                None => return Ok(()),
                Some(Envelope { scope: Scope::Turn(turn), last: true, .. }) => turn.complete(),
                Some(_) => {}
            }
        }
    }
}
