//! One call in a room, from joining to leaving.
//!
//! Everything of a call runs in the task that carries it: when that is over, or dropped, nothing is
//! left of it.

use std::future::pending;
use std::sync::Arc;

use livekit::options::TrackPublishOptions;
use livekit::prelude::{LocalAudioTrack, LocalTrack, TrackSource};
use livekit::webrtc::audio_source::RtcAudioSource;
use livekit::webrtc::audio_source::native::NativeAudioSource;
use livekit::{Room, RoomEvent};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use voicegraph_engine::session::CallEnd;
use voicegraph_engine::transport::Transport;
use voicegraph_engine::variables::Variables;

use super::caller::Caller;
use super::joined::Joined;
use super::link::Link;
use super::microphone::{HANDED_OVER, Microphone};
use super::orders::Orders;
use super::sink::{self, RoomSink};
use super::source::RoomSource;
use super::texts::{Texts, tell_states};
use super::told::{IDLE, Told};
use super::watch::{Outlets, Watch};
use super::{End, Settings, inputs};
use crate::job::Assignment;

/// The name of the agent's track, which is that of LiveKit's own agents.
const TRACK: &str = "roomio_audio";

/// A room with the caller in it, and a track on which the agent can be heard.
pub struct RoomCall {
    joined: Joined,
    parts: Parts,
    caller: Caller,
}

/// What works for a call.
struct Parts {
    settings: Settings,
    watch: Watch,
    microphone: Microphone,
    source: RoomSource,
    voice: NativeAudioSource,
    told: Arc<Told>,
    agent_track: watch::Sender<String>,
    caller_track: watch::Receiver<String>,
}

impl RoomCall {
    /// Joins the room of `assignment`, publishes the agent's track, and waits for the caller.
    ///
    /// # Errors
    /// Why there is no call; the room has been left.
    pub async fn join(assignment: &Assignment, settings: &Settings) -> Result<Self, End> {
        let (joined, events) = Joined::join(assignment, settings).await?;
        let room = joined.room();
        let mut parts = Parts::new(room, events, assignment, settings);
        let participant = room.local_participant();
        let told = Arc::clone(&parts.told);
        let ready = tokio::select! {
            biased;
            ready = parts.prepare(room) => ready,
            () = tell_states(&participant, &told) => unreachable!("it never ends"),
        };
        match ready {
            Ok(caller) => Ok(Self { joined, parts, caller }),
            Err(end) => Err(joined.leave(end).await),
        }
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Leaves before the call has begun, for the reason of `end`.
    pub async fn leave(self, end: End) -> End {
        self.joined.leave(end).await
    }

    /// Has `call` carry out the call over the room's audio, and leaves when it or the room ends.
    pub async fn run<F>(self, call: impl FnOnce(Transport) -> F) -> End
    where
        F: Future<Output = CallEnd>,
    {
        let Self { joined, parts, caller } = self;
        let room = joined.room();
        let Parts { settings, mut watch, mut microphone, source, voice, told, .. } = parts;
        let mut texts = Texts {
            participant: room.local_participant(),
            told: Arc::clone(&told),
            agent_track: parts.agent_track.subscribe(),
            caller_track: parts.caller_track,
            caller: caller.identity.clone(),
            open: None,
        };
        let gone = source.gone.clone();
        let transport = Transport {
            source: Box::new(source),
            sink: Box::new(RoomSink::new(voice, &settings, gone.clone())),
            caller: Some(caller.id()),
            variables: Variables::default(),
            observer: Some(Arc::clone(&told) as Arc<_>),
        };
        let participant = room.local_participant();
        inputs::serve(&participant, caller.identity.clone(), watch.inputs());
        let mut calling = Box::pin(call(transport));
        let end = tokio::select! {
            biased;
            end = watch.until_over() => Err(end),
            end = &mut calling => Ok(End::of_call(&end)),
            () = listen(&mut microphone) => unreachable!("it never ends"),
            () = texts.write() => unreachable!("it never ends"),
            () = tell_states(&participant, &told) => unreachable!("it never ends"),
        };
        let end = match end {
            Ok(end) => say_goodbye(&mut watch, &mut texts, &settings).await.unwrap_or(end),
            Err(end) => {
                gone.cancel();
                calling.await;
                end
            }
        };
        warn_of_drops(microphone.dropped(), microphone.late(), told.dropped());
        joined.leave(end).await
    }
}

impl Parts {
    fn new(
        room: &Room,
        events: UnboundedReceiver<RoomEvent>,
        assignment: &Assignment,
        settings: &Settings,
    ) -> Self {
        let job = &assignment.job;
        let told = Arc::new(Told::new(job.id.trim_start_matches("AJ_")));
        let (microphone, tracks) = watch::channel(None);
        let (callers, caller_track) = watch::channel(String::new());
        let (recordings, recorded) = mpsc::channel(1);
        let agent_track = watch::Sender::new(String::new());
        let (frames, heard) = mpsc::channel(HANDED_OVER);
        let (typed, given) = mpsc::channel(inputs::MAX_WAITING);
        let outlets = Outlets {
            microphone,
            recordings,
            inputs: typed,
            caller_track: callers,
            agent_track: agent_track.clone(),
        };
        let wanted = job.participant.as_ref().map(|participant| participant.identity.clone());
        let link = Link::new(settings, wanted, Instant::now());
        let watch = Watch::new(room, events, link, outlets, Orders::of(assignment));
        let limit = settings.recording_limit;
        let microphone = Microphone::new(tracks, recorded, frames, limit);
        let gone = CancellationToken::new();
        let source = RoomSource { frames: heard, inputs: given, gone };
        let voice = sink::source(settings);
        let settings = settings.clone();
        Self { settings, watch, microphone, source, voice, told, agent_track, caller_track }
    }

    /// Publishes the agent's track, so that it is there before the first word, and waits for who is
    /// to hear it.
    async fn prepare(&mut self, room: &Room) -> Result<Caller, End> {
        let publishing = publish(room, self.voice.clone());
        let limit = self.settings.join_limit;
        let published = tokio::select! {
            biased;
            end = self.watch.orders().end() => return Err(end),
            published = timeout(limit, publishing) => published,
        };
        let late = |_| Err(End::NotPublished(format!("not done within {} s", limit.as_secs())));
        self.agent_track.send_replace(published.unwrap_or_else(late)?);
        if !self.watch.has_caller() {
            self.told.set_state(IDLE);
        }
        self.watch.until_ready(&self.settings).await
    }
}

/// Publishes the agent's track, and gives its name on the server.
async fn publish(room: &Room, voice: NativeAudioSource) -> Result<String, End> {
    let track = LocalAudioTrack::create_audio_track(TRACK, RtcAudioSource::Native(voice));
    let options = TrackPublishOptions { source: TrackSource::Microphone, ..Default::default() };
    let participant = room.local_participant();
    let published = participant.publish_track(LocalTrack::Audio(track), options).await;
    let published = published.map_err(|error| End::NotPublished(error.to_string()))?;
    Ok(published.sid().to_string())
}

/// Says how many frames of the caller's sound were dropped, how many came late after a stall, and
/// how many updates of words were dropped, if any were.
fn warn_of_drops(frames: u64, late: u64, updates: u64) {
    if frames + late + updates > 0 {
        tracing::warn!(frames, late, updates, "dropped what could not be handed on in time");
    }
}

/// Reads the microphone. A graph that takes no more sound may still be speaking.
async fn listen(microphone: &mut Microphone) {
    microphone.read().await;
    pending::<()>().await;
}

/// Waits until the last words are on their way, sound and text. Gives the end where the room ends
/// before.
async fn say_goodbye(watch: &mut Watch, texts: &mut Texts, settings: &Settings) -> Option<End> {
    let writing = timeout(settings.goodbye, async {
        texts.finish().await;
        pending::<()>().await;
    });
    tokio::select! {
        biased;
        end = watch.until_over() => Some(end),
        _ = writing => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use super::*;

    /// The log, as it is written.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no test panicked").extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn said(frames: u64, late: u64, updates: u64) -> String {
        let log = Log::default();
        let writer = log.clone();
        let log_to = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
        tracing::subscriber::with_default(log_to.finish(), || warn_of_drops(frames, late, updates));
        let bytes = log.0.lock().expect("no test panicked").clone();
        String::from_utf8(bytes).expect("a log is text")
    }

    #[test]
    fn what_was_dropped_is_told_and_nothing_is_not() {
        for (frames, late, updates) in [(3, 0, 0), (0, 1, 0), (0, 0, 2), (3, 1, 2)] {
            let said = said(frames, late, updates);
            assert!(said.contains("WARN"), "{said}");
            assert!(
                said.contains(&format!("frames={frames} late={late} updates={updates}")),
                "{said}"
            );
        }
        assert_eq!(said(0, 0, 0), "");
    }
}
