//! A participant that is LiveKit's official Python SDK, which carries the real libwebrtc: a process
//! of its own that runs `tests/peer/peer.py` and obeys over its standard input.
//!
//! No wait is longer than its limit, and dropping the peer ends the process.

mod overheard;
mod paths;
mod process;
mod wire;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

pub use self::overheard::Overheard;
use self::process::Process;
pub use self::wire::{Complaint, Event, Stream};
use crate::livekit::{KEY, SECRET, Server, token};
use crate::sound::Sound;
use crate::{python, workspace};

/// How long a command may take beyond the sound that it plays or records. Only a failing test waits
/// as long.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A running peer.
#[derive(Debug)]
pub struct SdkPeer {
    process: Process,
    /// The WAV files and streams that go in and out.
    folder: TempDir,
}

impl SdkPeer {
    /// Starts one that has joined `room` as `identity`. `None`, and `suite` is noted as skipped,
    /// where there is no Python that can have the SDK.
    ///
    /// # Panics
    /// Where it does not get in.
    pub async fn join(suite: &str, server: &Server, room: &str, identity: &str) -> Option<Self> {
        Self::join_under(suite, &[], server, room, identity).await
    }

    /// The same, with the words before the program's name: `ip netns exec NAME`. They must end in
    /// an `exec`, so that the process that is stopped is the peer.
    ///
    /// # Panics
    /// Where it does not get in.
    pub async fn join_under(
        suite: &str,
        under: &[&str],
        server: &Server,
        room: &str,
        identity: &str,
    ) -> Option<Self> {
        let peer = Self::start(suite, under).await?;
        peer.enter(server, &token(room, identity)).await;
        Some(peer)
    }

    /// Starts one that has joined with `token`, whoever made it.
    ///
    /// # Panics
    /// Where it does not get in.
    pub async fn join_with(suite: &str, server: &Server, token: &str) -> Option<Self> {
        let peer = Self::start(suite, &[]).await?;
        peer.enter(server, token).await;
        Some(peer)
    }

    async fn enter(&self, server: &Server, token: &str) {
        let command = json!({"do": "join", "url": server.url(), "token": token});
        let joined = self.process.ask(command, LIMIT).await;
        joined.unwrap_or_else(|error| panic!("{error:?}\n{}", server.said()));
    }

    /// Starts one that encrypts all it sends under a key made of `secret`, and hears only those who
    /// do too.
    ///
    /// # Panics
    /// Where it does not get in.
    pub async fn join_encrypted(
        suite: &str,
        server: &Server,
        room: &str,
        identity: &str,
        secret: &str,
    ) -> Option<Self> {
        let peer = Self::start(suite, &[]).await?;
        let token = token(room, identity);
        let join = json!({"do": "join", "url": server.url(), "token": token, "secret": secret});
        peer.told(join).await;
        Some(peer)
    }

    /// Has it go on to the key that its present one leads to, and gives what that is made of.
    ///
    /// # Panics
    /// Where it does not encrypt.
    pub async fn turn_key(&self) -> Vec<u8> {
        let told = self.told(json!({"do": "turn_key"})).await;
        let material = told["material"].as_str().expect("the peer encodes it");
        STANDARD.decode(material).expect("the peer encodes it")
    }

    async fn start(suite: &str, under: &[&str]) -> Option<Self> {
        let script = workspace::root().join("tests/peer");
        let Some(python) = python::environment(&script).await else {
            workspace::skip(suite, "no python3 with venv");
            return None;
        };
        let words = under.iter().map(PathBuf::from).chain([python, script.join("peer.py")]);
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        Some(Self { process: Process::start(words), folder })
    }

    /// The id of the process.
    ///
    /// # Panics
    /// Where it has ended.
    pub fn id(&self) -> u32 {
        self.process.id().expect("it was not waited for")
    }

    /// What the process wrote to its standard error, at its end.
    pub fn said(&self) -> String {
        self.process.said()
    }

    async fn told(&self, command: Value) -> Value {
        self.told_for(command, LIMIT).await
    }

    async fn told_for(&self, command: Value, limit: Duration) -> Value {
        let done = self.process.ask(command.clone(), limit).await;
        done.unwrap_or_else(|error| panic!("{}: {error:?}\n{}", command["do"], self.said()))
    }

    /// The first event that `pick` takes; those before are passed over.
    ///
    /// # Panics
    /// Where it does not come: the message says `what` was waited for.
    pub async fn event<T>(&self, what: &str, pick: impl Fn(Event) -> Option<T>) -> T {
        self.process.event(what, LIMIT, pick).await
    }

    /// Waits for this event; those before are passed over.
    ///
    /// # Panics
    /// Where it does not come.
    pub async fn sees(&self, event: &Event) {
        self.event(&format!("{event:?}"), |it| (it == *event).then_some(())).await;
    }

    /// Waits until `identity` is there.
    ///
    /// # Panics
    /// Where it does not come.
    pub async fn meets(&self, identity: &str) {
        let there = self.told(json!({"do": "participants"})).await;
        let there = there["identities"].as_array().expect("it is a list");
        if !there.iter().any(|it| it == identity) {
            self.sees(&Event::ParticipantConnected { from: identity.to_owned() }).await;
        }
    }

    /// Has the server end the room for all.
    ///
    /// # Panics
    /// Where it does not, as every command.
    pub async fn delete_room(&self, server: &Server) {
        let url = format!("http://{}", server.http());
        self.told(json!({"do": "delete_room", "url": url, "key": KEY, "secret": SECRET})).await;
    }

    /// Has the server remove `identity` from the room.
    ///
    /// # Panics
    /// Where it does not, as every command.
    pub async fn remove(&self, server: &Server, identity: &str) {
        let url = format!("http://{}", server.http());
        let access = json!({"url": url, "key": KEY, "secret": SECRET, "identity": identity});
        self.told(with_all("remove", access)).await;
    }

    /// Leaves the room.
    ///
    /// # Panics
    /// Where it cannot, as every command.
    pub async fn leave(&self) {
        self.told(json!({"do": "leave"})).await;
    }
}

/// Sound.
impl SdkPeer {
    /// Publishes a track.
    pub async fn publish(&self, track: &str, rate_hz: u32, channels: u16) {
        let form = json!({"rate_hz": rate_hz, "channels": channels});
        self.told(with("publish", track, form)).await;
    }

    /// Publishes a track that announces what was said before an agent came.
    pub async fn publish_recorded(&self, track: &str, rate_hz: u32) {
        let form = json!({"rate_hz": rate_hz, "channels": 1, "recorded": true});
        self.told(with("publish", track, form)).await;
    }

    /// Sends `sound` as what was said before an agent came.
    pub async fn send_recording(&self, track: &str, sound: &Sound) {
        let file = self.file();
        sound.write(&file);
        self.told(with("send_recording", track, json!({"wav": file}))).await;
    }

    /// Tells of the loudness of the others' tracks of that name from now on, `ms` at a time.
    pub async fn meter_each(&self, ms: u64, track: &str) {
        self.told(with("meter", track, json!({"rate_hz": 16_000, "ms": ms}))).await;
    }

    /// Unpublishes it.
    pub async fn unpublish(&self, track: &str) {
        self.told(with("unpublish", track, json!({}))).await;
    }

    /// Mutes it.
    pub async fn mute(&self, track: &str) {
        self.told(with("mute", track, json!({"muted": true}))).await;
    }

    /// Unmutes it.
    pub async fn unmute(&self, track: &str) {
        self.told(with("mute", track, json!({"muted": false}))).await;
    }

    /// Plays the channels of `sound` to their end.
    ///
    /// # Panics
    /// Where that takes more than [`LIMIT`] beyond their length.
    pub async fn play(&self, track: &str, sound: &[Sound]) {
        let file = self.file();
        Sound::write_all(sound, &file);
        let limit = LIMIT + sound[0].length();
        self.told_for(with("play", track, json!({"wav": file})), limit).await;
    }

    /// The next `ms` of the others' track of that name, at a rate and in channels of the listener's
    /// choice.
    ///
    /// # Panics
    /// Where they do not come within [`LIMIT`] beyond that.
    pub async fn record(&self, track: &str, rate_hz: u32, channels: u16, ms: u64) -> Vec<Sound> {
        let file = self.file();
        let form = json!({"wav": file, "rate_hz": rate_hz, "channels": channels, "ms": ms});
        self.told_for(with("record", track, form), LIMIT + Duration::from_millis(ms)).await;
        Sound::read(&file)
    }

    /// A path that no other command uses.
    fn file(&self) -> PathBuf {
        self.folder.path().join(self.process.number().to_string())
    }
}

/// Data.
impl SdkPeer {
    /// Sends data to all others.
    pub async fn send(&self, payload: &[u8], reliable: bool) {
        let payload = STANDARD.encode(payload);
        self.told(json!({"do": "send", "payload": payload, "reliable": reliable})).await;
    }

    /// The next data: the payload, and whether it came reliably.
    ///
    /// # Panics
    /// Where none comes.
    pub async fn data(&self) -> (Vec<u8>, bool) {
        let pick = |event| match event {
            Event::DataReceived { payload, reliable, .. } => Some((payload, reliable)),
            _ => None,
        };
        let (payload, reliable) = self.event("data", pick).await;
        (STANDARD.decode(payload).expect("the peer encodes it"), reliable)
    }

    /// Sends `text` as a stream.
    pub async fn send_text(&self, topic: &str, text: &str) {
        self.send_stream("send_text", topic, text.as_bytes()).await;
    }

    /// Sends `bytes` as a stream.
    pub async fn send_bytes(&self, topic: &str, bytes: &[u8]) {
        self.send_stream("send_bytes", topic, bytes).await;
    }

    async fn send_stream(&self, how: &str, topic: &str, content: &[u8]) {
        let file = self.file();
        std::fs::write(&file, content).expect("there is room for temporary files");
        self.told(json!({"do": how, "topic": topic, "file": file})).await;
    }

    /// Tells of text streams of `topic` from now on, as they grow.
    pub async fn follow(&self, topic: &str) {
        self.told(json!({"do": "follow", "topic": topic})).await;
    }

    /// Presses a key of a telephone.
    pub async fn press(&self, code: u32, digit: &str) {
        self.told(json!({"do": "dtmf", "code": code, "digit": digit})).await;
    }

    /// Reads streams of `topic` from now on, and tells of each when it has ended.
    pub async fn listen(&self, topic: &str) {
        self.told(json!({"do": "listen", "topic": topic})).await;
    }
}

/// Calls, and what is told of a participant.
impl SdkPeer {
    /// Calls a method of `to`; the callee has `limit` to answer.
    ///
    /// # Errors
    /// What came back instead of an answer.
    pub async fn call(
        &self,
        to: &str,
        method: &str,
        payload: &str,
        limit: Duration,
    ) -> Result<String, Complaint> {
        let mut call = json!({"do": "call", "to": to, "method": method, "payload": payload});
        call["limit_s"] = limit.as_secs_f64().into();
        let answer = self.process.ask(call, LIMIT + limit).await?;
        Ok(answer["payload"].as_str().expect("an answer is text").to_owned())
    }

    /// Answers calls of `method`: `echo` with the caller and the payload, `refuse` with error 1900,
    /// `stall` never.
    pub async fn serve(&self, method: &str, how: &str) {
        self.told(json!({"do": "serve", "method": method, "how": how})).await;
    }

    /// Sets attributes of its own.
    pub async fn set_attributes(&self, attributes: &[(&str, &str)]) {
        let attributes: BTreeMap<_, _> = attributes.iter().copied().collect();
        self.told(json!({"do": "attributes", "attributes": attributes})).await;
    }

    /// Sets its metadata.
    pub async fn set_metadata(&self, metadata: &str) {
        self.told(json!({"do": "metadata", "metadata": metadata})).await;
    }

    /// Sets its name.
    pub async fn set_name(&self, name: &str) {
        self.told(with("name", name, json!({}))).await;
    }
}

/// A command about what is called `name`.
fn with(command: &str, name: &str, mut form: Value) -> Value {
    form["name"] = name.into();
    with_all(command, form)
}

/// A command with all that it is about.
fn with_all(command: &str, mut form: Value) -> Value {
    form["do"] = command.into();
    form
}
