//! Tells the room what the agent does and what both sides say, in LiveKit's words.
//!
//! - `lk.agent.state`: an attribute of the agent.
//! - `lk.transcription`: text streams. The agent's words are one stream for each segment, to which
//!   words are added as they are heard, and which ends with the last that was. The caller's are a
//!   stream for each update, with all words so far, in the caller's name. Whoever shows them keeps
//!   the last stream of a segment.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;

use livekit::data_stream::api::{
    SendTextOptions, StreamResult, StreamTextOptions, StreamWriter as _, TextStreamWriter,
};
use livekit::participant::LocalParticipant;
use tokio::sync::watch;

use super::told::Told;
use super::transcript::{Segment, Speaker};

const STATE: &str = "lk.agent.state";
const TOPIC: &str = "lk.transcription";
const SEGMENT_ID: &str = "lk.segment_id";
const FINAL: &str = "lk.transcription_final";
const TRACK_ID: &str = "lk.transcribed_track_id";

/// Tells the agent's state whenever it changes. Never ends.
///
/// The crate may miss a server's quick answer, and then waits for it in vain: a newer state does
/// not wait for that.
pub(super) async fn tell_states(participant: &LocalParticipant, told: &Told) {
    let mut states = told.states();
    loop {
        let state = *states.borrow_and_update();
        let attributes = HashMap::from([(STATE.to_owned(), state.to_owned())]);
        let telling = async {
            if let Err(error) = participant.set_attributes(attributes).await {
                tracing::debug!(%error, state, "server did not confirm the agent's state");
            }
            pending::<()>().await;
        };
        tokio::select! {
            biased;
            changed = states.changed() => if changed.is_err() { return pending().await },
            () = telling => {}
        }
    }
}

/// Writes what both sides say.
pub(super) struct Texts {
    pub(super) participant: LocalParticipant,
    pub(super) told: Arc<Told>,
    /// The agent's track.
    pub(super) agent_track: watch::Receiver<String>,
    /// The caller's.
    pub(super) caller_track: watch::Receiver<String>,
    /// The caller's identity.
    pub(super) caller: String,
    /// The agent's segment in progress.
    pub(super) open: Option<Open>,
}

/// A stream that is being written.
pub(super) struct Open {
    id: String,
    writer: TextStreamWriter,
    /// What was written.
    text: String,
}

impl Texts {
    /// Writes as things are said. Never ends.
    pub(super) async fn write(&mut self) {
        loop {
            let segment = self.told.next().await;
            self.tell(segment).await;
        }
    }

    /// Writes what is left.
    pub(super) async fn finish(&mut self) {
        while let Some(segment) = self.told.waiting() {
            self.tell(segment).await;
        }
    }

    async fn tell(&mut self, segment: Segment) {
        let told = match segment.speaker {
            Speaker::Agent => self.tell_agent(&segment).await,
            Speaker::Caller => self.tell_caller(&segment).await,
        };
        if let Err(error) = told {
            tracing::debug!(%error, segment = segment.id, "words were not sent");
        }
    }

    async fn tell_caller(&self, segment: &Segment) -> StreamResult<()> {
        let track = self.caller_track.borrow().clone();
        let options = SendTextOptions::new_with_topic(TOPIC)
            .with_attributes(attributes(segment, track, segment.is_final))
            .with_sender_identity(self.caller.clone());
        self.participant.send_text(&segment.text, options).await.map(drop)
    }

    /// Adds what is new to the segment's stream. Where words turned out to be others, a new stream
    /// of the segment takes the place of the one before.
    async fn tell_agent(&mut self, segment: &Segment) -> StreamResult<()> {
        let fits = |open: &Open| open.id == segment.id && segment.text.starts_with(&open.text);
        let mut open = match self.open.take() {
            Some(open) if fits(&open) => open,
            Some(other) => {
                other.writer.close().await?;
                self.begin(segment).await?
            }
            None => self.begin(segment).await?,
        };
        let new = &segment.text[open.text.len()..];
        if !new.is_empty() {
            open.writer.write(new).await?;
            open.text.push_str(new);
        }
        if !segment.is_final {
            self.open = Some(open);
            return Ok(());
        }
        let last = HashMap::from([(FINAL.to_owned(), true.to_string())]);
        open.writer.close_with_options(None, Some(last)).await
    }

    async fn begin(&self, segment: &Segment) -> StreamResult<Open> {
        let track = self.agent_track.borrow().clone();
        let options = StreamTextOptions::new_with_topic(TOPIC)
            .with_attributes(attributes(segment, track, false));
        let writer = self.participant.stream_text(options).await?;
        Ok(Open { id: segment.id.clone(), writer, text: String::new() })
    }
}

fn attributes(segment: &Segment, track: String, is_final: bool) -> HashMap<String, String> {
    let pairs =
        [(SEGMENT_ID, segment.id.clone()), (FINAL, is_final.to_string()), (TRACK_ID, track)];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
