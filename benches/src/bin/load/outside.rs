//! What the engine added, measured from outside: by the simulators' log and the callers' clocks.
//!
//! ```text
//!   STT final out ─a─> LLM request in   token out ─b─> TTS text in   chunk out ─c─> caller hears
//!                                 └ the LLM's time ┘           └ the TTS's time ┘
//! ```
//!
//! The sum of a, b and c is the end-to-end time from the final words on, less what the providers
//! took. It holds more than the engine's own time: three hops over the loopback, and each time a
//! process's wait for a processor. In b the token is the one that completes the answer's first
//! sentence.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::conversation::Tale;
use crate::trace::{Direction, Entry};

/// How many tokens complete the first sentence of every answer in `scripts/load.toml`.
const SENTENCE_TOKENS: usize = 3;

/// The three gaps of one turn, in µs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gaps {
    pub(crate) to_llm_us: i64,
    pub(crate) to_tts_us: i64,
    pub(crate) to_caller_us: i64,
}

impl Gaps {
    pub(crate) fn sum_us(self) -> i64 {
        self.to_llm_us + self.to_tts_us + self.to_caller_us
    }
}

/// The gaps of every answer that `tales` tell of.
pub(crate) fn gaps(entries: &[Entry], clock: &Clock, tales: &[Tale]) -> anyhow::Result<Vec<Gaps>> {
    let (hearings, speeches) = (hearings(entries), speeches(entries));
    let mut turns = Vec::new();
    for tale in tales {
        let session = tale.session.as_deref().context("a call without an id")?;
        for answer in &tale.answers {
            let speech = speeches.get(&(session, answer.turn)).context("an answer nobody spoke")?;
            let (text_us, sound_us) = speech.times().context("a speech without sound")?;
            let hearing = hearings.get(session).context("an answer to nothing heard")?;
            let final_us = hearing.final_of(text_us).context("an answer before its question")?;
            turns.push(Turn { final_us, text_us, sound_us, heard: answer.first_sound });
        }
    }
    turns.sort_by_key(|turn| turn.final_us);
    let from = turns.first().map_or(0, |turn| turn.final_us);
    let requests: Vec<_> = requests(entries).into_iter().filter(|one| one.at_us >= from).collect();
    ensure!(
        requests.len() == turns.len(),
        "{} requests for {} answers: the log cannot be paired",
        requests.len(),
        turns.len()
    );
    turns.iter().zip(&requests).map(|(turn, request)| turn.gaps(request, clock)).collect()
}

/// The instants of one turn, in the log's time but for the last.
struct Turn {
    final_us: u64,
    text_us: u64,
    sound_us: u64,
    heard: Instant,
}

/// A request to the LLM. It does not say for which call, so requests are paired with turns by their
/// order. Where two turns begin within each other's gap, that may swap their requests: what then is
/// missing before the request is found after the token, and the sum stays right.
struct Request {
    at_us: u64,
    tokens_us: Vec<u64>,
}

impl Turn {
    fn gaps(&self, request: &Request, clock: &Clock) -> anyhow::Result<Gaps> {
        let token_us = *request.tokens_us.get(SENTENCE_TOKENS - 1).context("a short answer")?;
        let heard = self.heard.saturating_duration_since(clock.instant(self.sound_us));
        Ok(Gaps {
            to_llm_us: request.at_us.cast_signed() - self.final_us.cast_signed(),
            to_tts_us: self.text_us.cast_signed() - token_us.cast_signed(),
            to_caller_us: i64::try_from(heard.as_micros()).unwrap_or(i64::MAX),
        })
    }
}

/// What one call's STT was asked and said.
#[derive(Default)]
struct Hearing {
    /// When the final words were asked for: the caller had fallen silent.
    finalizes_us: Vec<u64>,
    /// When final words, or the word that there are none, went out.
    finals_us: Vec<u64>,
}

impl Hearing {
    /// The final words of the turn whose answer was given to the TTS at `text_us`.
    fn final_of(&self, text_us: u64) -> Option<u64> {
        let asked = before(&self.finalizes_us, text_us)?;
        self.finals_us.iter().copied().find(|final_us| *final_us >= asked)
    }
}

/// What each call's STT was asked and said.
fn hearings(entries: &[Entry]) -> BTreeMap<&str, Hearing> {
    let mut hearings: BTreeMap<_, Hearing> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.provider == "deepgram") {
        let hearing = hearings.entry(entry.id.as_str()).or_default();
        match entry.what.as_str() {
            "Finalize" => hearing.finalizes_us.push(entry.at_us),
            "Results final" | "Results speech_final" => hearing.finals_us.push(entry.at_us),
            _ => {}
        }
    }
    hearings
}

/// One turn's text and sound at the TTS.
#[derive(Default)]
struct Speech {
    text_us: Option<u64>,
    sound_us: Option<u64>,
}

impl Speech {
    fn times(&self) -> Option<(u64, u64)> {
        self.text_us.zip(self.sound_us)
    }
}

/// When each turn's first text came and its first sound went, by call and turn. Contexts are named
/// `<call>-<turn>-<attempt>`.
fn speeches(entries: &[Entry]) -> BTreeMap<(&str, u32), Speech> {
    let mut speeches: BTreeMap<_, Speech> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.provider == "cartesia") {
        let mut parts = entry.id.rsplitn(3, '-').skip(1);
        let turn = parts.next().and_then(|turn| turn.parse().ok());
        let Some((turn, session)) = turn.zip(parts.next()) else { continue };
        let speech = speeches.entry((session, turn)).or_default();
        let time = match (entry.direction, entry.what.as_str()) {
            (Direction::In, "text" | "last text") => &mut speech.text_us,
            (Direction::Out, "chunk") => &mut speech.sound_us,
            _ => continue,
        };
        time.get_or_insert(entry.at_us);
    }
    speeches
}

/// Every request to the LLM, in order.
fn requests(entries: &[Entry]) -> Vec<Request> {
    let mut requests: BTreeMap<u64, Request> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.provider == "openai") {
        let request = requests.entry(entry.connection);
        match entry.what.as_str() {
            "request" => {
                request.insert_entry(Request { at_us: entry.at_us, tokens_us: Vec::new() });
            }
            "text" => {
                request.and_modify(|request| request.tokens_us.push(entry.at_us));
            }
            _ => {}
        }
    }
    let mut requests: Vec<_> = requests.into_values().collect();
    requests.sort_by_key(|request| request.at_us);
    requests
}

/// The last of `times` that is no later than `time`.
fn before(times: &[u64], time: u64) -> Option<u64> {
    times.iter().copied().take_while(|at| *at <= time).last()
}
