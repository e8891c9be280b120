//! The stage that hands frames to the call's sink.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};
use voicegraph_engine::edge::{Input, Limit, Overflow};
use voicegraph_engine::message::{AudioFrame, Envelope};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Role, Signature,
};
use voicegraph_engine::transport::{Sink, SinkGone};
use voicegraph_engine::turn::{Mark, Turn};

use super::state::Playout;

/// The kind `speaker`.
pub struct Speaker;

/// `speaker` has no options: what carries the call decides where its audio goes.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {}

/// How much sound may wait before the speaker: enough to ride out a slow moment of the voice,
/// little enough that a voice which is faster than speech feels it.
const QUEUE: Limit = Limit::millis(200);

impl Kind for Speaker {
    type Options = Options;

    const NAME: &'static str = "speaker";
    const SUMMARY: &'static str =
        "Plays the agent's audio to the caller, and reports how much of it was heard.";

    fn signature() -> Signature {
        let doc = "What the agent says, at any rate.";
        let audio = PortSpec::input::<AudioFrame>("audio", QUEUE, Overflow::Block, doc);
        Signature::new(vec![audio], vec![]).role(Role::Sink)
    }

    fn build(_: Options, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Factory))
    }
}

struct Factory;

impl NodeFactory for Factory {
    fn create(&self) -> Box<dyn Node> {
        Box::new(SpeakerNode)
    }
}

struct SpeakerNode;

#[async_trait]
impl Node for SpeakerNode {
    async fn run(self: Box<Self>, mut ports: Ports, mut ctx: Context) -> Result<(), NodeError> {
        let sink = ctx.take_sink().expect("the session gives its sink to this role");
        let audio = ports.input("audio");
        Stage { sink, audio, open: true, voice: None }.run(&ctx).await
    }
}

struct Stage {
    sink: Box<dyn Sink>,
    audio: Input<AudioFrame>,
    /// Whether the input may bring more.
    open: bool,
    voice: Option<Voice>,
}

/// The answer in progress.
struct Voice {
    /// The turn that it answers; `None` for sound of the session, which nobody interrupts.
    turn: Option<Turn>,
    playout: Playout,
}

/// What the stage was woken by.
enum Step {
    Cancelled,
    Interrupted,
    Held(bool),
    Due,
    Given(Result<Instant, SinkGone>),
    Received(Option<Envelope<AudioFrame>>),
}

impl Stage {
    async fn run(mut self, ctx: &Context) -> Result<(), NodeError> {
        while self.open || self.voice.is_some() {
            match self.step(ctx).await {
                Step::Cancelled => {
                    self.sink.clear();
                    self.note(Instant::now());
                    break;
                }
                Step::Interrupted => self.stop(Instant::now()),
                Step::Held(held) => self.hold(held, Instant::now()),
                Step::Due => {}
                Step::Given(Ok(begin)) => self.playout().give(begin),
                Step::Given(Err(SinkGone)) => return Err(NodeError::HungUp),
                Step::Received(Some(envelope)) => self.receive(envelope),
                Step::Received(None) => self.close(),
            }
            self.note(Instant::now());
        }
        Ok(())
    }

    async fn step(&mut self, ctx: &Context) -> Step {
        let (turn, playout) = match &self.voice {
            Some(voice) => (voice.turn.as_ref(), Some(&voice.playout)),
            None => (None, None),
        };
        let held = playout.is_some_and(Playout::is_held);
        let wants_more = self.open && playout.is_none_or(Playout::wants_more);
        tokio::select! {
            biased;
            () = ctx.cancelled.cancelled() => Step::Cancelled,
            () = interrupted(turn) => Step::Interrupted,
            () = held_is(turn, !held) => Step::Held(!held),
            () = until(playout.and_then(Playout::due)) => Step::Due,
            begin = give(&mut *self.sink, playout.and_then(Playout::next)) => Step::Given(begin),
            envelope = self.audio.recv(), if wants_more => Step::Received(envelope),
        }
    }

    /// Takes a frame: of the answer in progress, or of a new one. Only one turn is ever live, so
    /// what is still known of another is of the session, or was given up.
    fn receive(&mut self, envelope: Envelope<AudioFrame>) {
        let turn = envelope.turn_of();
        let id = turn.map(Turn::id);
        let same = |voice: &&mut Voice| voice.turn.as_ref().map(Turn::id) == id;
        let voice = match self.voice.as_mut().filter(same) {
            Some(voice) => voice,
            None => {
                let playout = Playout::default();
                self.voice.insert(Voice { turn: turn.cloned(), playout })
            }
        };
        voice.playout.push(envelope.body, envelope.last);
    }

    fn close(&mut self) {
        self.open = false;
        if let Some(voice) = &mut self.voice {
            voice.playout.close();
        }
    }

    /// Tells the turn what has begun to be played, and that it is over when it is.
    fn note(&mut self, now: Instant) {
        let Some(Voice { turn, playout }) = &mut self.voice else { return };
        playout.advance(now);
        if let (Some(turn), Some(begin)) = (turn.as_ref(), playout.first_sound()) {
            turn.begin_playout(begin);
            turn.report_heard(playout.heard());
        }
        if playout.is_over(now) {
            if let Some(turn) = turn.as_ref().filter(|_| playout.is_complete()) {
                turn.complete();
            }
            self.voice = None;
        }
    }

    fn hold(&mut self, held: bool, now: Instant) {
        if held {
            self.playout().hold(now);
            self.sink.clear();
        } else {
            self.playout().resume();
        }
    }

    /// Falls silent after the frame in hand, and closes the turn's books.
    fn stop(&mut self, now: Instant) {
        self.sink.clear();
        let Some(Voice { turn: Some(turn), mut playout }) = self.voice.take() else { return };
        turn.mark_at(Mark::Silenced, playout.stop(now));
        turn.report_heard(playout.heard());
        turn.silenced();
    }

    fn playout(&mut self) -> &mut Playout {
        &mut self.voice.as_mut().expect("frames and holds are of the answer in progress").playout
    }
}

async fn interrupted(turn: Option<&Turn>) {
    match turn {
        Some(turn) => turn.cancelled().await,
        None => std::future::pending().await,
    }
}

async fn held_is(turn: Option<&Turn>, held: bool) {
    match turn {
        Some(turn) => turn.until_held(held).await,
        None => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn give(sink: &mut dyn Sink, frame: Option<&AudioFrame>) -> Result<Instant, SinkGone> {
    match frame {
        Some(frame) => sink.play(frame).await,
        None => std::future::pending().await,
    }
}
