//! A guest that does by script what an agent does: it speaks, tells its state and both sides'
//! words, takes written ones, and falls silent when it is asked to.

use std::collections::HashMap;
use std::sync::Arc;

use livekit::data_stream::api::*;
use livekit::prelude::*;
use tokio::sync::Notify;
use voicegraph_tests::livekit::{Guest, LIMIT, Server, Voice, agent_token, record, within};
use voicegraph_tests::sound::Sound;
use voicegraph_tests::tone::Tone;

const IDENTITY: &str = "agent-AJ_test";

/// How much of the caller is listened to.
const LISTEN_MS: u64 = 4_000;

/// How long the agent could speak; it is interrupted before.
const SPEECH_MS: u64 = 60_000;

/// An agent in its room.
pub(crate) struct Agent {
    guest: Guest,
    voice: Voice,
    interrupted: Arc<Notify>,
}

impl Agent {
    /// Joins `room` as LiveKit lets agents in, and can be interrupted from then on.
    pub(crate) async fn join(server: &Server, room: &str) -> Self {
        let token = agent_token(room, IDENTITY);
        let mut options = RoomOptions::default();
        options.single_peer_connection = true;
        let url = server.url();
        let joining = Room::connect(&url, &token, options);
        let (room, events) = within("the agent", joining).await.unwrap();
        let guest = Guest { room, events };
        let voice = guest.publish("roomio_audio", 24_000, 1).await;
        let interrupted = Arc::new(Notify::new());
        let asked = Arc::clone(&interrupted);
        let answer = move |_: RpcInvocationData| {
            asked.notify_one();
            Box::pin(async { Ok(String::new()) }) as _
        };
        let participant = guest.room.local_participant();
        participant.register_rpc_method("voicegraph.interrupt".to_owned(), answer);
        Self { guest, voice, interrupted }
    }

    /// Has others see `state`. The crate may wait for an answer that it has missed: nobody waits
    /// for that here.
    pub(crate) fn state(&self, state: &str) {
        let participant = self.guest.room.local_participant();
        let state = HashMap::from([("lk.agent.state".to_owned(), state.to_owned())]);
        tokio::spawn(async move { participant.set_attributes(state).await });
    }

    /// Speaks until it is interrupted.
    pub(crate) async fn speak(&self) {
        let speech = [Tone::new(440.0).sound(24_000, SPEECH_MS)];
        let asked = tokio::time::timeout(LIMIT, self.interrupted.notified());
        tokio::select! {
            biased;
            asked = asked => asked.expect("the page interrupts in time"),
            () = self.voice.play(&speech) => panic!("nobody interrupted"),
        }
    }

    /// The next of the caller's sound.
    pub(crate) async fn listen(&mut self) -> Sound {
        let pick = |event| match event {
            RoomEvent::TrackSubscribed { track: RemoteTrack::Audio(track), .. } => Some(track),
            _ => None,
        };
        let track = self.guest.event("the caller's track", pick).await;
        record(&track, 48_000, 1, LISTEN_MS).await.remove(0)
    }

    /// Tells a segment of its own in `parts`, as they are spoken.
    pub(crate) async fn say(&self, segment: &str, parts: &[&str]) {
        let participant = self.guest.room.local_participant();
        let options = StreamTextOptions::new_with_topic("lk.transcription")
            .with_attributes(attributes(segment, false));
        let writer = participant.stream_text(options).await.unwrap();
        for part in parts {
            writer.write(part).await.unwrap();
        }
        let last = HashMap::from([("lk.transcription_final".to_owned(), "true".to_owned())]);
        writer.close_with_options(None, Some(last)).await.unwrap();
    }

    /// Tells what `caller` said, in its name.
    pub(crate) async fn heard(&self, caller: &str, segment: &str, text: &str, is_final: bool) {
        let options = SendTextOptions::new_with_topic("lk.transcription")
            .with_attributes(attributes(segment, is_final))
            .with_sender_identity(caller.to_owned());
        let participant = self.guest.room.local_participant();
        participant.send_text(text, options).await.unwrap();
    }

    /// The next text that was written to it, and by whom.
    pub(crate) async fn written(&mut self) -> (String, String) {
        let pick = |event| match event {
            RoomEvent::TextStreamOpened { topic, reader, participant_identity }
                if topic == "lk.chat" =>
            {
                Some((participant_identity.0, reader.take().unwrap()))
            }
            _ => None,
        };
        let (from, reader) = self.guest.event("a written text", pick).await;
        (from, within("its end", reader.read_all()).await.unwrap())
    }

    /// Waits until the caller is muted.
    pub(crate) async fn muted(&mut self) {
        let pick = |event| matches!(event, RoomEvent::TrackMuted { .. }).then_some(());
        self.guest.event("the caller's mute", pick).await;
    }

    /// Waits until the caller has left, and tells why.
    pub(crate) async fn left(&mut self) -> DisconnectReason {
        let pick = |event| match event {
            RoomEvent::ParticipantDisconnected(it) => Some(it.disconnect_reason()),
            _ => None,
        };
        self.guest.event("the caller's leaving", pick).await
    }

    /// The caller's identity.
    pub(crate) fn caller(&self) -> String {
        let others = self.guest.room.remote_participants();
        let caller = others.keys().next().expect("the caller is there before the agent");
        caller.to_string()
    }
}

fn attributes(segment: &str, is_final: bool) -> HashMap<String, String> {
    let pairs =
        [("lk.segment_id", segment.to_owned()), ("lk.transcription_final", is_final.to_string())];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}
