//! One stream: what the client sends goes to the ear, what is heard becomes messages, each due at
//! the instant its audio arrived plus the script's delay.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use serde_json::Value;
use tokio::time::Instant;

use super::Fault;
use super::calls::{Cue, cue};
use super::decoder::Decoder;
use super::hearing::{Heard, Hearing, Report};
use super::query::Query;
use super::wire::{self, Command, Voice};
use crate::server::{Outgoing, Peer, World};

/// Messages waiting to be due; above it no more audio is read.
const OUTBOX_LIMIT: usize = 1_024;
/// Normal end, after `CloseStream`.
const NORMAL: u16 = 1000;
/// Audio that is none.
const POLICY: u16 = 1008;
const DATA_0000: &str = "DATA-0000: The payload cannot be decoded as audio. \
    It is either not audio data or is a codec unsupported by Deepgram.";
/// Silence on the wire.
const INTERNAL: u16 = 1011;
const NET_0001: &str = "Deepgram did not receive audio data or a text message within the timeout \
    window. See https://dpgr.am/net0001";

/// A stream and what it has still to say.
pub(super) struct Session {
    world: Arc<World>,
    query: Query,
    /// The call this stream is part of.
    call: String,
    faults: Vec<Fault>,
    voice: Voice,
    decoder: Decoder,
    hearing: Hearing,
    outbox: VecDeque<(Instant, Outgoing)>,
    /// The utterance that the next speech is.
    next_cue: usize,
    /// When the client last sent audio or a message.
    last_input: Instant,
    /// By when there must be audio; `None` once there was some.
    audio_by: Option<Instant>,
    is_closing: bool,
}

impl Session {
    /// A stream that opened at `now`; `request_id` names it, and its call if it has no tag.
    pub(super) fn new(
        world: Arc<World>,
        query: Query,
        request_id: String,
        faults: Vec<Fault>,
        now: Instant,
    ) -> Self {
        let script = &world.script.deepgram;
        Self {
            decoder: Decoder::new(query.encoding, query.channels),
            hearing: Hearing::new(&query, script),
            call: query.tag.clone().unwrap_or_else(|| request_id.clone()),
            voice: Voice::new(request_id, &query),
            audio_by: Some(now + script.idle_timeout),
            last_input: now,
            outbox: VecDeque::new(),
            next_cue: 0,
            is_closing: false,
            query,
            faults,
            world,
        }
    }

    fn audio(&mut self, bytes: &[u8], now: Instant) {
        self.audio_by = None;
        let samples = self.decoder.decode(bytes);
        let (world, call, next) = (&self.world, &self.call, &mut self.next_cue);
        let heard = self.hearing.push(&samples, || next_utterance(world, call, next));
        for heard in heard {
            self.report(heard, now);
        }
    }

    fn report(&mut self, heard: Heard, now: Instant) {
        let soon = now + self.world.script.deepgram.interim_delay;
        match heard {
            Heard::Started(at) if self.query.vad_events => {
                self.put(soon, &wire::speech_started(at), "SpeechStarted");
            }
            Heard::Started(_) => {}
            Heard::Interim(report) => {
                self.put(soon, &self.voice.results(&report, false), "Results interim");
            }
            Heard::Final(report) => self.put_final(&report, now),
            Heard::UtteranceEnd(end) => {
                self.put(soon, &wire::utterance_end(end), "UtteranceEnd");
            }
        }
    }

    fn put_final(&mut self, report: &Report, now: Instant) {
        let message = self.voice.results(report, true);
        let what = if report.speech_final { "Results speech_final" } else { "Results final" };
        let script = &self.world.script.deepgram;
        let is_silence = report.words.is_empty() && !report.speech_final;
        let delay = if is_silence { script.interim_delay } else { script.final_delay };
        let due = now + delay;
        self.put_out(due, text(&message, what, report.completes));
    }

    fn put(&mut self, due: Instant, message: &Value, what: &'static str) {
        self.put_out(due, text(message, what, None));
    }

    /// Messages go out in order, so none is due before the one ahead of it.
    fn put_out(&mut self, due: Instant, outgoing: Outgoing) {
        let ahead = self.outbox.back().map(|(due, _)| *due);
        self.outbox.push_back((ahead.map_or(due, |ahead| ahead.max(due)), outgoing));
    }

    fn obey(&mut self, command: Command, now: Instant) -> &'static str {
        match command {
            Command::KeepAlive {} => "KeepAlive",
            Command::Finalize { .. } => {
                self.finalize(now);
                "Finalize"
            }
            Command::CloseStream {} => {
                self.close(now);
                "CloseStream"
            }
            Command::Configure { keyterms } => {
                self.configure(keyterms, now);
                "Configure"
            }
        }
    }

    fn finalize(&mut self, now: Instant) {
        if self.faults.contains(&Fault::NoFinalizeReply) {
            return;
        }
        if let Some(report) = self.hearing.finalize() {
            self.put_final(&report, now);
        }
    }

    fn close(&mut self, now: Instant) {
        if let Some(report) = self.hearing.close() {
            self.put_final(&report, now);
        }
        self.put(now, &self.voice.metadata(self.hearing.position()), "Metadata");
        self.end(now, NORMAL, "");
    }

    fn configure(&mut self, keyterms: Option<Vec<String>>, now: Instant) {
        if !self.query.is_nova_3() {
            return self.put(now, &self.voice.not_configured(), "ConfigureFailure");
        }
        if let Some(keyterms) = keyterms {
            self.query.keyterms = keyterms;
        }
        self.put(now, &self.voice.configured(&self.query.keyterms), "ConfigureSuccess");
    }

    fn end(&mut self, now: Instant, code: u16, reason: &str) {
        self.is_closing = true;
        self.put_out(now, Outgoing::Close(code, reason.to_owned()));
    }

    /// When the client will have been silent for too long.
    fn idle_at(&self) -> Option<Instant> {
        let silent = self.last_input + self.world.script.deepgram.idle_timeout;
        (!self.is_closing).then(|| self.audio_by.map_or(silent, |by| by.min(silent)))
    }
}

impl Peer for Session {
    fn id(&self) -> &str {
        &self.call
    }

    fn accepts(&self) -> bool {
        self.outbox.len() < OUTBOX_LIMIT
    }

    fn text(&mut self, text: &str, now: Instant) -> &'static str {
        if self.is_closing {
            return "late";
        }
        self.last_input = now;
        match wire::decode(text) {
            Ok(command) => self.obey(command, now),
            Err(error) => {
                self.put(now, &wire::schema_error(text, &error), "Error");
                "unknown"
            }
        }
    }

    fn binary(&mut self, bytes: &[u8], now: Instant) -> &'static str {
        if self.is_closing {
            return "late";
        }
        self.last_input = now;
        if bytes.is_empty() {
            self.close(now);
            return "empty";
        }
        if is_json(bytes) {
            self.end(now, POLICY, DATA_0000);
            return "no audio";
        }
        self.audio(bytes, now);
        "audio"
    }

    fn due(&self) -> Option<Instant> {
        let out = self.outbox.front().map(|(due, _)| *due);
        out.into_iter().chain(self.idle_at()).min()
    }

    fn next(&mut self, now: Instant) -> Option<Outgoing> {
        if self.idle_at().is_some_and(|idle| idle <= now) {
            self.end(now, INTERNAL, NET_0001);
        }
        let is_due = self.outbox.front().is_some_and(|(due, _)| *due <= now);
        if is_due { self.outbox.pop_front().map(|(_, outgoing)| outgoing) } else { None }
    }

    fn sent(&mut self, receipt: usize) {
        let calls = &self.world.deepgram.calls;
        calls.lock().unwrap_or_else(PoisonError::into_inner).deliver(&self.call, receipt);
    }
}

/// The utterance that begins now: after what this stream has heard, and after what any other
/// stream of the call has delivered.
fn next_utterance(world: &World, call: &str, next: &mut usize) -> Cue {
    let calls = world.deepgram.calls.lock().unwrap_or_else(PoisonError::into_inner);
    let index = calls.delivered(call).max(*next);
    *next = index + 1;
    cue(&world.script.deepgram, index)
}

fn text(message: &Value, what: &'static str, receipt: Option<usize>) -> Outgoing {
    Outgoing::Text { text: message.to_string(), what, receipt }
}

/// A JSON message sent as a binary frame is treated as audio, and is none.
fn is_json(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'{') && serde_json::from_slice::<Value>(bytes).is_ok()
}
