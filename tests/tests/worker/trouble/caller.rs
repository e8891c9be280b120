//! A caller who talks with the clinic, and hears whether it answers.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::timeout;
use voicegraph_tests::agent::Api;
use voicegraph_tests::livekit::{LIMIT, Server};
use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_tests::spectral::{self, Distance};

use crate::clinic::{self, QUESTION};
use crate::room_stage::{MICROPHONE, VOICE};

/// How the answer to the question begins, and the greeting.
const ANSWER: &str = "We are open";
pub(super) const GREETING: &str = "Riverside Clinic";

/// How long an answer is waited for, before the question is asked again.
const PATIENCE: Duration = Duration::from_secs(10);

/// What passes before the answer: a question that is spoken, and a busy machine.
const BEFORE_MS: u64 = 6_000;

/// What an answer that is heard whole differs by at most: 1.3 dB are seen over a good path. Half a
/// second of it in silence makes 0.8 dB more, a second 1.9 dB.
pub(super) const WHOLE_DB: f64 = 2.0;

/// What of it may be lost: one hole at the most, of the shortest that counts. None is seen.
pub(super) const LOST_MS: f64 = 100.0;

/// What is louder than this is the agent's voice.
const LOUD: f64 = 200.0;

/// How an answer was heard, in a line.
pub(super) fn told(heard: &Distance) -> String {
    let Distance { db, shifted_ms, lost_ms, .. } = heard;
    format!("{db:.2} dB off, {shifted_ms:.0} ms shifted, {lost_ms:.0} ms lost")
}

/// A caller in a room into which the agent was called.
pub(super) struct Caller {
    pub(super) peer: SdkPeer,
    /// The stream of the words that were last heard.
    last: Mutex<String>,
}

impl Caller {
    /// Joins `room` as `ada`, calls the agent and hears its greeting. `None`, noted as skipped,
    /// where there is no Python.
    pub(super) async fn call(server: &Server, agent: &str, room: &str) -> Option<Self> {
        let caller = Self::join(&[], server, room).await?;
        Api(server).dispatch(agent, room, "").await;
        caller.hears(GREETING).await;
        Some(caller)
    }

    /// Joins `room` as `ada`, with the words before the program's name.
    pub(super) async fn join(under: &[&str], server: &Server, room: &str) -> Option<Self> {
        let peer = SdkPeer::join_under("worker whole", under, server, room, "ada").await?;
        peer.publish(MICROPHONE, 16_000, 1).await;
        peer.follow("lk.transcription").await;
        peer.meter_each(20, VOICE).await;
        Some(Self { peer, last: Mutex::default() })
    }

    /// Waits until the agent begins to say this anew: its words come, and its voice.
    pub(super) async fn hears(&self, text: &str) {
        let last = self.last.lock().unwrap().clone();
        let said = |event| match event {
            Event::Words { text: said, from, stream, .. } => {
                let is_new = from.starts_with("agent-") && stream != last;
                (is_new && said.starts_with(text)).then_some(stream)
            }
            _ => None,
        };
        *self.last.lock().unwrap() = self.peer.event(text, said).await;
        let loud = |event| match event {
            Event::Level { rms, .. } => (rms > LOUD).then_some(()),
            _ => None,
        };
        self.peer.event("the agent's voice", loud).await;
    }

    /// Writes the question, and hears the answer.
    pub(super) async fn asks(&self) {
        self.asks_for(QUESTION, ANSWER).await;
    }

    /// Writes a question, and hears the answer that begins so. What is written while a connection
    /// is mended may be lost: it is written again then.
    pub(super) async fn asks_for(&self, question: &str, answer: &str) {
        let asking = async {
            loop {
                self.peer.send_text("lk.chat", question).await;
                if timeout(PATIENCE, self.hears(answer)).await.is_ok() {
                    return;
                }
            }
        };
        let answered = timeout(LIMIT, asking).await;
        assert!(answered.is_ok(), "the question is not answered\n{}", self.peer.said());
    }

    /// Has `asking` bring about the long answer, and `meanwhile` done as soon as it is heard, while
    /// no other test measures sound. Gives how far what is heard of the whole answer is from what
    /// is spoken.
    pub(super) async fn hears_it_all(
        &self,
        asking: impl Future<Output = ()>,
        meanwhile: impl Future<Output = ()>,
    ) -> Distance {
        let _alone = super::alone().await;
        let answer = clinic::hours();
        let length_ms = answer.length().as_millis() as u64 + BEFORE_MS;
        let recording = self.peer.record(VOICE, answer.rate_hz, 1, length_ms);
        let happening = async {
            asking.await;
            self.hears(ANSWER).await;
            meanwhile.await;
        };
        let (recorded, ()) = tokio::join!(recording, happening);
        spectral::distance(&answer, &recorded[0])
    }

    /// Writes the question, and does not wait.
    pub(super) async fn writes(&self) {
        self.peer.send_text("lk.chat", QUESTION).await;
    }

    /// Speaks the question.
    pub(super) async fn speaks(&self) {
        self.peer.play(MICROPHONE, &[clinic::line(0)]).await;
    }

    /// Waits until the agent has left.
    pub(super) async fn sees_the_agent_go(&self) {
        let gone = |event| match event {
            Event::ParticipantDisconnected { from } => from.starts_with("agent-").then_some(()),
            _ => None,
        };
        self.peer.event("the agent's leaving", gone).await;
    }
}
