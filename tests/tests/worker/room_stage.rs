//! A room with the agent's end in the test's hands, and the SDK's peer as the caller.

use std::sync::Arc;
use std::time::Duration;

use livekit_protocol::Job;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::event::{Event, Observer};
use voicegraph_engine::message::AudioFrame;
use voicegraph_engine::session::{CallEnd, EndReason};
use voicegraph_engine::transport::{Captured, Sink, Source};
use voicegraph_tests::livekit::{Server, Version, agent_token, within};
use voicegraph_tests::sdk_peer::SdkPeer;
use voicegraph_tests::sound::Sound;
use voicegraph_worker::job::Assignment;
use voicegraph_worker::room::{End, RoomCall, Settings};

/// The agent's identity.
pub(crate) const AGENT: &str = "agent-AJ_test";

/// The agent's track.
pub(crate) const VOICE: &str = "roomio_audio";

/// The caller's track.
pub(crate) const MICROPHONE: &str = "microphone";

/// The agent in a call: what a pipeline would hold.
pub(crate) struct Agent {
    pub(crate) source: Box<dyn Source>,
    pub(crate) sink: Box<dyn Sink>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) caller: Option<Arc<str>>,
    pub(crate) terminated: CancellationToken,
    pub(crate) closed: CancellationToken,
    over: oneshot::Sender<EndReason>,
    running: JoinHandle<End>,
}

/// The agent's job in `room`.
pub(crate) fn assignment(server: &Server, room: &str) -> Assignment {
    Assignment {
        job: Arc::new(Job { id: "AJ_test".to_owned(), ..Default::default() }),
        url: server.url(),
        token: agent_token(room, AGENT).into(),
        terminated: CancellationToken::new(),
        closed: CancellationToken::new(),
    }
}

impl Agent {
    /// Enters `room`, where the caller is or will be.
    pub(crate) async fn enter(server: &Server, room: &str, settings: Settings) -> Self {
        let assignment = assignment(server, room);
        let (terminated, closed) = (assignment.terminated.clone(), assignment.closed.clone());
        let (given, transport) = oneshot::channel();
        let (over, reason) = oneshot::channel();
        let running = tokio::spawn(async move {
            let call = match RoomCall::join(&assignment, &settings).await {
                Ok(call) => call,
                Err(end) => return end,
            };
            let pipeline = async |transport| {
                let _ = given.send(transport);
                let reason = reason.await.unwrap_or(EndReason::HungUp);
                CallEnd { session_id: "test".into(), reason, duration: Duration::ZERO }
            };
            call.run(pipeline).await
        });
        let transport = within("the call", transport).await;
        let transport = transport.expect("the caller is there");
        let observer = transport.observer.expect("a room tells of the call");
        let (source, sink, caller) = (transport.source, transport.sink, transport.caller);
        Self { source, sink, observer, caller, terminated, closed, over, running }
    }

    /// Says `sound`, which is at any rate.
    pub(crate) async fn say(&mut self, sound: &Sound) {
        for frame in frames(sound) {
            self.sink.play(&frame).await.expect("the caller is there");
        }
    }

    /// Tells of an event of the call.
    pub(crate) fn tell(&self, event: &Event) {
        self.observer.on(tokio::time::Instant::now(), event);
    }

    /// What the caller is heard saying for `ms`, from the next frame on.
    pub(crate) async fn hear(&mut self, ms: u64) -> Sound {
        let mut sound = Sound { rate_hz: 16_000, samples: Vec::new() };
        let wanted = sound.samples_in(ms);
        while sound.samples.len() < wanted {
            match within("a frame", self.source.next()).await {
                Captured::Frame(frame, _) => sound.samples.extend(frame.samples()),
                Captured::Input(..) => {}
                over => panic!("the caller is gone: {over:?}"),
            }
        }
        sound
    }

    /// Hears the caller until the call is over, ends the pipeline's part, and gives the end.
    pub(crate) async fn end(mut self) -> End {
        let over = async { while self.source.next().await != Captured::HungUp {} };
        within("the end", over).await;
        self.finish(EndReason::HungUp).await
    }

    /// Ends the pipeline's part with `reason`, and gives the end of the call.
    pub(crate) async fn finish(self, reason: EndReason) -> End {
        let _ = self.over.send(reason);
        within("leaving", self.running).await.expect("it does not panic")
    }
}

/// The frames of `sound`, 20 ms each.
pub(crate) fn frames(sound: &Sound) -> Vec<AudioFrame> {
    let rate = sound.rate_hz.try_into().expect("a sound has a rate");
    let chunks = sound.samples.chunks(sound.samples_in(20));
    chunks.map(|samples| AudioFrame::new(samples, rate)).collect()
}

/// The caller, and the agent in a call with them.
pub(crate) struct Stage {
    pub(crate) ada: SdkPeer,
    pub(crate) agent: Agent,
    pub(crate) server: &'static Server,
    pub(crate) room: String,
}

impl Stage {
    /// Both in a room called `room` of the shared server. `None`, noted as skipped, where what they
    /// need is missing.
    pub(crate) async fn open(room: &str, version: Version) -> Option<Self> {
        Self::open_with(room, version, Settings::default()).await
    }

    pub(crate) async fn open_with(
        room: &str,
        version: Version,
        settings: Settings,
    ) -> Option<Self> {
        let suite = format!("worker {room} {}", version.name());
        let server = Server::shared(&suite, version)?;
        let ada = SdkPeer::join(&suite, server, room, "ada").await?;
        ada.publish(MICROPHONE, 16_000, 1).await;
        ada.meter_each(20, VOICE).await;
        let agent = Agent::enter(server, room, settings).await;
        Some(Self { ada, agent, server, room: room.to_owned() })
    }

    /// A second participant.
    pub(crate) async fn bob(&self) -> SdkPeer {
        let bob = SdkPeer::join("worker", self.server, &self.room, "bob").await;
        bob.expect("ada has what bob needs")
    }
}

/// Has them do what `play` says, in a room of its name.
pub(crate) async fn play(room: &str, version: Version, play: impl AsyncFnOnce(Stage)) {
    if let Some(stage) = Stage::open(room, version).await {
        play(stage).await;
    }
}

/// Makes each function over a stage a test against both servers: `NAME::new` and `NAME::old`.
macro_rules! against_both {
    ($($play:ident),+ $(,)?) => {
        voicegraph_tests::against_both!(crate::room_stage::play: $($play),+);
    };
}
pub(crate) use against_both;
