//! A peer that is our own program, what it may be told besides, and how loud others are.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::process::Process;
use super::{Event, SdkPeer, with};
use crate::livekit::{Server, token};
use crate::sound::Sound;

impl SdkPeer {
    /// Starts `program`, which obeys as the SDK's does and is the `livekit` crate on our
    /// `libwebrtc`; it has joined `room` as `identity`.
    ///
    /// # Panics
    /// Where it does not get in.
    pub async fn ours_under(
        program: &Path,
        under: &[&str],
        server: &Server,
        room: &str,
        identity: &str,
    ) -> Self {
        let words = under.iter().map(PathBuf::from).chain([program.to_path_buf()]);
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let peer = Self { process: Process::start(words), folder };
        peer.enter(server, &token(room, identity)).await;
        peer
    }

    /// Has it tell of the loudness of the others' track of that name, 100 ms at a time.
    pub async fn meter(&self, track: &str) {
        self.told(with("meter", track, json!({"rate_hz": 16_000}))).await;
    }

    /// Begins to play the channels of `sound`, and does not wait for the end.
    pub async fn begin(&self, track: &str, sound: &[Sound]) {
        let file = self.file();
        Sound::write_all(sound, &file);
        self.process.tell(with("play", track, json!({"wav": file}))).await;
    }

    /// Has it go through one of the `livekit` crate's scenarios; the SDK knows none.
    pub async fn simulate(&self, scenario: &str) {
        self.told(json!({"do": "simulate", "scenario": scenario})).await;
    }

    /// The next event, whatever it is.
    ///
    /// # Panics
    /// Where none comes.
    pub async fn next(&self) -> Event {
        self.event("anything", Some).await
    }
}
