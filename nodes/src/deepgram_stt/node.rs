//! The shell around the recognition: ports, connection and timers in one loop, and no decisions.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use tokio::time::{Instant, sleep_until};
use voicegraph_engine::connect::Endpoint;
use voicegraph_engine::edge::{Input, Limit, Output, Overflow};
use voicegraph_engine::message::{AudioFrame, Envelope, Speech, Transcript};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Signature,
};

use super::config::{Options, Settings};
use super::link::{Exchanged, Link, Received};
use super::state::{Action, Recognition};
use super::wire;
use crate::provider::{self, Backoff, Failure};

/// The provider's name in errors.
const PROVIDER: &str = "deepgram";

/// The kind `deepgram_stt`.
#[derive(Debug)]
pub struct DeepgramStt;

impl Kind for DeepgramStt {
    type Options = Options;

    const NAME: &'static str = "deepgram_stt";

    const SUMMARY: &'static str =
        "Turns the caller's speech into text with Deepgram's nova models.";

    fn signature() -> Signature {
        let audio = PortSpec::input::<AudioFrame>(
            "audio",
            Limit::millis(2000),
            Overflow::DropOldest,
            "The caller's audio, 16 kHz.",
        );
        let speech = PortSpec::input::<Speech>(
            "speech",
            Limit::count(64),
            Overflow::Fail,
            "The voice detector's events: at the end of speech the final words are asked for.",
        );
        let transcript = PortSpec::output::<Transcript>(
            "transcript",
            "Interims, each replacing the one before, and finals, each told once.",
        );
        Signature::new(vec![audio, speech.optional().many()], vec![transcript])
    }

    fn build(options: Options, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Factory(Arc::new(options.build()?))))
    }
}

struct Factory(Arc<Settings>);

impl NodeFactory for Factory {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Stage(Arc::clone(&self.0)))
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        vec![self.0.endpoint.clone()]
    }
}

struct Stage(Arc<Settings>);

#[async_trait]
impl Node for Stage {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let cancelled = ctx.cancelled.clone();
        let run = Run {
            state: Recognition::new(Arc::clone(&self.0), Instant::now()),
            line: Line::Opening(open(&self.0, &ctx)),
            backoff: Backoff::new(self.0.max_retries, ctx.rng()),
            audio: Some(ports.input("audio")),
            speech: Some(ports.input("speech")),
            transcript: ports.output("transcript"),
            unreadable: 0,
            settings: self.0,
            ctx,
        };
        tokio::select! {
            biased;
            () = cancelled.cancelled() => Ok(()),
            result = run.run() => result,
        }
    }
}

/// One call's recognition in progress.
struct Run {
    settings: Arc<Settings>,
    ctx: Context,
    state: Recognition,
    line: Line,
    backoff: Backoff,
    /// `None` once it is at its end; so is `speech`.
    audio: Option<Input<AudioFrame>>,
    speech: Option<Input<Speech>>,
    transcript: Output<Transcript>,
    /// Messages so far that could not be read.
    unreadable: u64,
}

/// The connection, or the way to it.
enum Line {
    Down { until: Instant },
    Opening(Opening),
    Up(Box<Link>),
}

type Opening = Pin<Box<dyn Future<Output = Result<Box<Link>, Failure>> + Send>>;

/// Something that happened.
enum Happening {
    Redial,
    Opened(Result<Box<Link>, Failure>),
    Sent,
    Received(Received),
    Audio(Option<Envelope<AudioFrame>>),
    Speech(Option<Envelope<Speech>>),
    Due,
}

/// Whether the run goes on.
#[derive(PartialEq, Eq)]
enum Flow {
    GoOn,
    End,
}

impl Run {
    async fn run(mut self) -> Result<(), NodeError> {
        loop {
            let happening = self.next().await;
            for action in self.take(happening)? {
                if self.act(action).await? == Flow::End {
                    return Ok(());
                }
            }
        }
    }

    /// The connection first, since what comes on it is what callers wait for; audio before speech
    /// events, since the final is asked for after the audio that it is about.
    async fn next(&mut self) -> Happening {
        let due = self.due();
        tokio::select! {
            biased;
            happening = self.line.next(&mut self.state) => happening,
            frame = recv(&mut self.audio) => Happening::Audio(frame),
            event = recv(&mut self.speech) => Happening::Speech(event),
            () = at(due) => Happening::Due,
        }
    }

    fn due(&self) -> Option<Instant> {
        let stuck = self.line.stuck_due(&self.settings);
        self.state.due().into_iter().chain(stuck).min()
    }

    fn take(&mut self, happening: Happening) -> Result<Vec<Action>, NodeError> {
        let now = Instant::now();
        Ok(match happening {
            Happening::Redial => {
                self.line = Line::Opening(open(&self.settings, &self.ctx));
                Vec::new()
            }
            Happening::Opened(Ok(link)) => {
                self.line = Line::Up(link);
                self.state.connected(now)
            }
            Happening::Opened(Err(failure)) => vec![Action::GiveUp(failure)],
            Happening::Sent => Vec::new(),
            Happening::Received(received) => self.received(received, now),
            Happening::Audio(Some(frame)) => self.frame(frame)?,
            Happening::Audio(None) => {
                self.audio = None;
                self.state.audio_ended(now)
            }
            Happening::Speech(Some(event)) => {
                if matches!(event.body, Speech::Ended { .. }) {
                    self.state.speech_ended(now);
                }
                Vec::new()
            }
            Happening::Speech(None) => {
                self.speech = None;
                Vec::new()
            }
            Happening::Due => self.tick(now),
        })
    }

    fn frame(&mut self, frame: Envelope<AudioFrame>) -> Result<Vec<Action>, NodeError> {
        let (rate, expected) = (frame.body.sample_rate_hz(), AudioFrame::CALLER_RATE_HZ);
        if rate != expected {
            let reason = format!("was given sound at {rate} Hz, and takes {expected} Hz");
            return Err(NodeError::BadInput { port: "audio", reason });
        }
        self.state.audio(frame.body, frame.origin);
        Ok(Vec::new())
    }

    fn received(&mut self, received: Received, now: Instant) -> Vec<Action> {
        match received {
            Received::Text(text) => match wire::decode(&text) {
                Ok(message) => {
                    if matches!(message, wire::Incoming::Results(_)) {
                        self.backoff.succeeded();
                    }
                    self.state.message(message, now)
                }
                Err(_) => self.unreadable(),
            },
            Received::Binary => self.unreadable(),
            Received::Closed(code, reason) => self.state.closed(code, &reason, now),
            Received::Lost(what) => vec![Action::GiveUp(Failure::retry(what))],
        }
    }

    /// Ignores a message, and reports it unless as many were reported before.
    fn unreadable(&mut self) -> Vec<Action> {
        self.unreadable += 1;
        if !self.unreadable.is_power_of_two() {
            return Vec::new();
        }
        vec![Action::Report(format!("unreadable messages ignored so far: {}", self.unreadable))]
    }

    fn tick(&mut self, now: Instant) -> Vec<Action> {
        if self.line.stuck_due(&self.settings).is_some_and(|due| due <= now) {
            let limit = self.settings.send_timeout.as_millis();
            let what = format!("audio could not be sent within {limit} ms");
            return vec![Action::GiveUp(Failure::retry(what))];
        }
        self.state.tick(now)
    }

    async fn act(&mut self, action: Action) -> Result<Flow, NodeError> {
        match action {
            Action::Emit(transcript) => self.emit(transcript).await,
            Action::Report(what) => {
                self.ctx.tell_fault(&what, None);
                Ok(Flow::GoOn)
            }
            Action::GiveUp(failure) => self.give_up(failure),
            Action::Finish => Ok(Flow::End),
        }
    }

    async fn emit(&mut self, transcript: Transcript) -> Result<Flow, NodeError> {
        if let (true, Some(end)) = (transcript.is_final, transcript.audio_end) {
            self.ctx.meter.record(transcript.received.saturating_duration_since(end));
        }
        let origin = transcript.audio_end.unwrap_or(transcript.received);
        match self.transcript.send(Envelope::session(origin, transcript)).await {
            Ok(()) => Ok(Flow::GoOn),
            Err(error) => match NodeError::from(error) {
                NodeError::Closed => Ok(Flow::End),
                error => Err(error),
            },
        }
    }

    fn give_up(&mut self, failure: Failure) -> Result<Flow, NodeError> {
        self.state.disconnected();
        if self.state.is_over() {
            return Ok(Flow::End);
        }
        let delay = self.backoff.after(&failure);
        self.ctx.tell_fault(&failure.what, delay);
        let Some(delay) = delay else {
            return Err(NodeError::Provider { provider: PROVIDER, reason: failure.what });
        };
        self.line = Line::Down { until: Instant::now() + delay };
        Ok(Flow::GoOn)
    }
}

impl Line {
    /// What happens next on the line. Cancel safe.
    async fn next(&mut self, state: &mut Recognition) -> Happening {
        match self {
            Self::Down { until } => {
                sleep_until(*until).await;
                Happening::Redial
            }
            Self::Opening(opening) => Happening::Opened(opening.await),
            Self::Up(link) => {
                let next = || state.next(Instant::now()).map(|outgoing| wire::encode(&outgoing));
                match link.exchange(next).await {
                    Exchanged::Sent => Happening::Sent,
                    Exchanged::Received(received) => Happening::Received(received),
                }
            }
        }
    }

    fn stuck_due(&self, settings: &Settings) -> Option<Instant> {
        match self {
            Self::Up(link) => link.due(settings.send_timeout),
            Self::Down { .. } | Self::Opening(_) => None,
        }
    }
}

/// Opens a connection. The provider's words may repeat the key, so it is taken out of them.
fn open(settings: &Arc<Settings>, ctx: &Context) -> Opening {
    let settings = Arc::clone(settings);
    let connector = ctx.connector.clone();
    let path = settings.path(&ctx.session_id);
    Box::pin(async move {
        let request = provider::Request {
            endpoint: &settings.endpoint,
            path: &path,
            headers: &[],
            credentials: (AUTHORIZATION, "Token ", &settings.api_key),
            limit: settings.connect_timeout,
        };
        match provider::open(&connector, request).await {
            Ok(socket) => Ok(Box::new(Link::new(socket))),
            Err(failure) => {
                let what = failure.what.replace(settings.api_key.expose(), "***");
                Err(Failure { what, ..failure })
            }
        }
    })
}

/// The next message; never one of an input that is at its end.
async fn recv<T: voicegraph_engine::message::Payload>(
    input: &mut Option<Input<T>>,
) -> Option<Envelope<T>> {
    match input {
        Some(input) => input.recv().await,
        None => pending().await,
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
