//! The stage that holds the control of the call's turns.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::{Instant, sleep_until};
use voicegraph_engine::edge::{Input, Limit, Output, Overflow, SendError};
use voicegraph_engine::event::{Event, UserState};
use voicegraph_engine::message::{Envelope, Speech, Transcript, UserInput, UserTurn};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Role, Signature,
};
use voicegraph_engine::turn::{Beginning, Turn, TurnControl};

use super::dialogue::{Action, Agent, Dialogue};
use super::{Options, Settings};

/// The kind `turn_detector`.
pub struct TurnDetector;

/// How many messages may wait: far more than come while the stage, which waits for nothing, is
/// busy.
const QUEUE: Limit = Limit::count(64);

impl Kind for TurnDetector {
    type Options = Options;

    const NAME: &'static str = "turn_detector";
    const SUMMARY: &'static str =
        "Decides when the caller has finished, and when the caller interrupts.";

    fn signature() -> Signature {
        let speech = "When the caller speaks. Without it, words alone end and interrupt turns.";
        let transcript = "What the caller says.";
        let input = "What the caller types or presses.";
        let turn = "The caller's finished turns.";
        let speech = PortSpec::input::<Speech>("speech", QUEUE, Overflow::Fail, speech).optional();
        let transcript =
            PortSpec::input::<Transcript>("transcript", QUEUE, Overflow::Block, transcript);
        let input = PortSpec::input::<UserInput>("input", QUEUE, Overflow::Block, input).optional();
        let turn = PortSpec::output::<UserTurn>("turn", turn);
        Signature::new(vec![speech, transcript, input], vec![turn]).role(Role::TurnControl)
    }

    fn build(options: Options, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Factory(options.build()?)))
    }
}

struct Factory(Settings);

impl NodeFactory for Factory {
    fn create(&self) -> Box<dyn Node> {
        Box::new(TurnDetectorNode(self.0))
    }
}

struct TurnDetectorNode(Settings);

#[async_trait]
impl Node for TurnDetectorNode {
    async fn run(self: Box<Self>, mut ports: Ports, mut ctx: Context) -> Result<(), NodeError> {
        let stage = Stage {
            dialogue: Dialogue::new(self.0),
            control: ctx.take_turn_control().expect("the session gives its control to this role"),
            latest: None,
            speech: Some(ports.input("speech")),
            transcript: Some(ports.input("transcript")),
            input: Some(ports.input("input")),
            turn: ports.output("turn"),
            ctx,
        };
        match stage.run().await {
            Err(SendError::Closed) => Ok(()),
            ended => Ok(ended?),
        }
    }
}

struct Stage {
    dialogue: Dialogue,
    control: TurnControl,
    /// The latest turn, until it is over and the dialogue was told so.
    latest: Option<Turn>,
    /// `None` once closed.
    speech: Option<Input<Speech>>,
    /// `None` once closed.
    transcript: Option<Input<Transcript>>,
    /// `None` once closed.
    input: Option<Input<UserInput>>,
    turn: Output<UserTurn>,
    ctx: Context,
}

/// What the stage was woken by.
enum Step {
    Cancelled,
    Speech(Option<Envelope<Speech>>),
    Transcript(Option<Envelope<Transcript>>),
    Input(Option<Envelope<UserInput>>),
    TurnEnded,
    Due,
}

impl Stage {
    async fn run(mut self) -> Result<(), SendError> {
        let actions = self.dialogue.start(Instant::now());
        self.act(actions).await?;
        while !self.dialogue.is_done() {
            let step = self.step().await;
            let (now, agent) = (Instant::now(), self.agent());
            let actions = match step {
                Step::Cancelled => break,
                Step::Speech(Some(envelope)) => self.on_speech(envelope.body, now, agent),
                Step::Transcript(Some(envelope)) => self.on_transcript(&envelope.body, now, agent),
                Step::Input(Some(Envelope { origin, body, .. })) => {
                    self.dialogue.on_input(&body, origin.min(now), now, agent)
                }
                Step::Speech(None) => {
                    self.speech = None;
                    self.on_close(now, agent)
                }
                Step::Transcript(None) => {
                    self.transcript = None;
                    self.on_close(now, agent)
                }
                Step::Input(None) => {
                    self.input = None;
                    self.on_close(now, agent)
                }
                Step::TurnEnded => {
                    self.latest = None;
                    self.dialogue.on_turn_ended(now, agent)
                }
                Step::Due => self.dialogue.on_time(now, agent),
            };
            self.act(actions).await?;
        }
        Ok(())
    }

    async fn step(&mut self) -> Step {
        let due = self.dialogue.due(self.agent());
        tokio::select! {
            biased;
            () = self.ctx.cancelled.cancelled() => Step::Cancelled,
            received = receive(&mut self.speech) => Step::Speech(received),
            received = receive(&mut self.transcript) => Step::Transcript(received),
            received = receive(&mut self.input) => Step::Input(received),
            () = ended(self.latest.as_ref()) => Step::TurnEnded,
            () = until(due) => Step::Due,
        }
    }

    fn agent(&self) -> Agent {
        match self.control.current() {
            None => Agent::Idle,
            Some(turn) if turn.is_speaking() => Agent::Speaking,
            Some(_) => Agent::Thinking,
        }
    }

    fn on_speech(&mut self, speech: Speech, now: Instant, agent: Agent) -> Vec<Action> {
        let state = match speech {
            Speech::Started { .. } => UserState::Speaking,
            Speech::Ended { .. } => UserState::Listening,
        };
        self.ctx.tell(&Event::UserState(state));
        self.dialogue.on_speech(speech, now, agent)
    }

    fn on_transcript(&mut self, heard: &Transcript, now: Instant, agent: Agent) -> Vec<Action> {
        if !heard.text.is_empty() {
            let (text, is_final) = (heard.text.clone(), heard.is_final);
            self.ctx.tell(&Event::UserTranscript { text, is_final });
        }
        self.dialogue.on_transcript(heard, now, agent)
    }

    fn on_close(&mut self, now: Instant, agent: Agent) -> Vec<Action> {
        if self.speech.is_some() || self.transcript.is_some() || self.input.is_some() {
            return Vec::new();
        }
        self.dialogue.on_close(now, agent)
    }

    async fn act(&mut self, actions: Vec<Action>) -> Result<(), SendError> {
        for action in actions {
            match action {
                Action::Hold => self.control.hold(),
                Action::Resume => self.control.resume(),
                Action::Interrupt { onset } => self.control.interrupt(onset),
                Action::Begin(beginning) => self.begin(beginning).await?,
            }
        }
        Ok(())
    }

    /// Begins a turn. The edge drops its oldest message rather than make this wait.
    async fn begin(&mut self, beginning: Beginning) -> Result<(), SendError> {
        let turn = self.control.begin(&beginning);
        self.latest = Some(turn.clone());
        let said = UserTurn { text: beginning.text };
        self.turn.send(Envelope::turn(&turn, said).last()).await
    }
}

async fn receive<T: voicegraph_engine::message::Payload>(
    input: &mut Option<Input<T>>,
) -> Option<Envelope<T>> {
    match input {
        Some(input) => input.recv().await,
        None => std::future::pending().await,
    }
}

async fn ended(turn: Option<&Turn>) {
    match turn {
        Some(turn) => turn.ended().await,
        None => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
