//! The ear: finds speech in audio by its energy, and says at which point of the stream what has
//! been heard. Pure: samples in, [`Heard`] out, all times are stream time. Which words an utterance
//! has is asked from outside when it begins.
//!
//! ```text
//! energy   ....####.####........      . silent frame, # loud frame, 20 ms each
//! says         S  i   i      F U      S started, i interim, F final with speech_final, U end
//! ```
//!
//! While speech goes on nobody knows how long it will be, so interim results assume a speed; the
//! final spreads its words over the energy that was really there.

use std::time::Duration;

use super::calls::Cue;
use super::query::Query;
use super::script::Script;
use crate::audio::{Framer, Threshold, Timed, spread, units};

/// Loud frames in a row that begin an utterance; fewer are a click.
const ONSET_FRAMES: u32 = 3;
/// With `endpointing=false` speech is committed after this much silence, without `speech_final`.
const CHUNK_PAUSE: Duration = Duration::from_secs(1);
/// Silence is committed about this often, so that results never cover more.
const SILENCE_CHUNK: Duration = Duration::from_secs(5);
/// Silence after which `Finalize` takes an utterance as complete.
const FINALIZE_PAUSE: Duration = Duration::from_millis(100);

/// Something heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Speech began at this point of the stream.
    Started(Duration),
    /// What has been understood so far; the next report replaces it.
    Interim(Report),
    /// What was understood for good.
    Final(Report),
    /// The last word ended here, long enough ago.
    UtteranceEnd(Duration),
}

/// What was understood in a span of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Report {
    pub(super) start: Duration,
    pub(super) end: Duration,
    pub(super) words: Vec<Timed>,
    pub(super) speech_final: bool,
    pub(super) from_finalize: bool,
    /// The utterance that is complete with this report.
    pub(super) completes: Option<usize>,
}

/// The state of one stream.
#[derive(Debug)]
pub(super) struct Hearing {
    settings: Settings,
    framer: Framer,
    rate_hz: u32,
    samples: u64,
    /// Where the stream is.
    at: Duration,
    /// End of what was reported for good.
    reported: Duration,
    /// Where the last interim result was made.
    interim_at: Duration,
    loud_frames: u32,
    utterance: Option<Utterance>,
    /// End of the last word, until its `UtteranceEnd` is due.
    last_word_end: Option<Duration>,
}

#[derive(Debug)]
struct Settings {
    threshold: Threshold,
    interim_every: Option<Duration>,
    commit_every: Option<Duration>,
    endpoint: Duration,
    is_endpoint_final: bool,
    utterance_end: Option<Duration>,
    per_char: Duration,
}

/// Speech that is going on.
#[derive(Debug)]
struct Utterance {
    index: usize,
    /// Words not yet reported for good.
    words: Vec<String>,
    /// Where those begin.
    begin: Duration,
    /// End of the last loud frame.
    loud_until: Duration,
}

impl Hearing {
    /// An ear for the stream that `query` describes.
    pub(super) fn new(query: &Query, script: &Script) -> Self {
        let settings = Settings {
            threshold: script.threshold,
            interim_every: query.interim_results.then_some(script.interim_every),
            commit_every: script.commit_every,
            endpoint: query.endpointing.unwrap_or(CHUNK_PAUSE).max(script.pause),
            is_endpoint_final: query.endpointing.is_some(),
            utterance_end: query.utterance_end,
            per_char: script.per_char,
        };
        Self {
            settings,
            framer: Framer::new(query.sample_rate_hz),
            rate_hz: query.sample_rate_hz,
            samples: 0,
            at: Duration::ZERO,
            reported: Duration::ZERO,
            interim_at: Duration::ZERO,
            loud_frames: 0,
            utterance: None,
            last_word_end: None,
        }
    }

    /// How much audio has been heard.
    pub(super) fn position(&self) -> Duration {
        self.at
    }

    /// Hears `samples`; `cue` gives the words of each utterance that begins in them.
    pub(super) fn push(&mut self, samples: &[i16], mut cue: impl FnMut() -> Cue) -> Vec<Heard> {
        let mut loud = Vec::new();
        let threshold = self.settings.threshold;
        self.framer.push(samples, |frame| loud.push(threshold.is_loud(frame)));
        let mut heard = Vec::new();
        for is_loud in loud {
            self.frame(is_loud, &mut cue, &mut heard);
        }
        heard
    }

    /// `Finalize`: reports what is pending now, all of it if the speaker has paused.
    pub(super) fn finalize(&mut self) -> Option<Report> {
        if self.at == self.reported {
            return None;
        }
        let report = self.flush();
        Some(Report { speech_final: true, from_finalize: true, ..report })
    }

    /// The end of the stream: reports what is pending.
    pub(super) fn close(&mut self) -> Option<Report> {
        let is_pending = self.utterance.is_some() && self.at > self.reported;
        is_pending.then(|| self.flush())
    }

    fn flush(&mut self) -> Report {
        let is_paused = self.utterance.as_ref().is_some_and(|utterance| {
            self.at.saturating_sub(utterance.loud_until) >= FINALIZE_PAUSE
        });
        if is_paused { self.complete() } else { self.commit() }
    }

    /// One frame of 20 ms.
    fn frame(&mut self, is_loud: bool, cue: &mut impl FnMut() -> Cue, heard: &mut Vec<Heard>) {
        self.samples += self.framer.length() as u64;
        self.at = self.time_of(self.samples);
        self.loud_frames = if is_loud { self.loud_frames + 1 } else { 0 };
        match &mut self.utterance {
            Some(utterance) if is_loud => utterance.loud_until = self.at,
            Some(_) => {}
            None if self.loud_frames == ONSET_FRAMES => heard.push(self.begin(cue())),
            None => {}
        }
        heard.extend(self.finish().or_else(|| self.chunk()).or_else(|| self.interim()));
        heard.extend(self.utterance_end());
    }

    fn begin(&mut self, cue: Cue) -> Heard {
        let onset = self.samples - u64::from(ONSET_FRAMES) * self.framer.length() as u64;
        let begin = self.time_of(onset);
        let Cue { index, words } = cue;
        self.utterance = Some(Utterance { index, words, begin, loud_until: self.at });
        self.last_word_end = None;
        Heard::Started(begin)
    }

    /// The final of an utterance after which it has been silent for long enough.
    fn finish(&mut self) -> Option<Heard> {
        let silence = self.at - self.utterance.as_ref()?.loud_until;
        if silence < self.settings.endpoint {
            return None;
        }
        let speech_final = self.settings.is_endpoint_final;
        Some(Heard::Final(Report { speech_final, ..self.complete() }))
    }

    /// A final without a pause: of long speech where the script asks for it, of silence always.
    fn chunk(&mut self) -> Option<Heard> {
        let every = match self.utterance {
            Some(_) => self.settings.commit_every?,
            None => SILENCE_CHUNK,
        };
        let is_due = self.at - self.reported >= every;
        is_due.then(|| Heard::Final(self.commit()))
    }

    fn interim(&mut self) -> Option<Heard> {
        let every = self.settings.interim_every?;
        if self.at - self.interim_at.max(self.reported) < every {
            return None;
        }
        self.interim_at = self.at;
        let words = self.utterance.as_ref().map_or(Vec::new(), |utterance| self.passed(utterance));
        Some(Heard::Interim(self.report(words)))
    }

    fn utterance_end(&mut self) -> Option<Heard> {
        let (end, pause) = (self.last_word_end?, self.settings.utterance_end?);
        if self.utterance.is_some() || self.at < end + pause {
            return None;
        }
        self.last_word_end.take().map(Heard::UtteranceEnd)
    }

    /// Ends the utterance with all its words, spread over the energy that was there.
    fn complete(&mut self) -> Report {
        let Some(utterance) = self.utterance.take() else { return self.commit() };
        let words = spread(&utterance.words, utterance.begin, utterance.loud_until);
        self.settle(words, Some(utterance.index))
    }

    /// Reports for good the words that have passed; the utterance, if there is one, goes on.
    fn commit(&mut self) -> Report {
        let Some(mut utterance) = self.utterance.take() else {
            return self.settle(Vec::new(), None);
        };
        let words = self.passed(&utterance);
        utterance.words.drain(..words.len());
        utterance.begin = self.at;
        let is_all_said = !words.is_empty() && utterance.words.is_empty();
        let completes = is_all_said.then_some(utterance.index);
        self.utterance = Some(utterance);
        self.settle(words, completes)
    }

    /// The words that have ended by now, at the assumed speed.
    fn passed(&self, utterance: &Utterance) -> Vec<Timed> {
        let length = self.settings.per_char * units(&utterance.words);
        let mut words = spread(&utterance.words, utterance.begin, utterance.begin + length);
        words.retain(|word| word.end <= self.at);
        words
    }

    /// A report up to here, after which the next begins.
    fn settle(&mut self, words: Vec<Timed>, completes: Option<usize>) -> Report {
        let report = Report { completes, ..self.report(words) };
        self.last_word_end = report.words.last().map(|word| word.end).or(self.last_word_end);
        self.reported = self.at;
        report
    }

    fn report(&self, words: Vec<Timed>) -> Report {
        Report { start: self.reported, end: self.at, words, ..Report::default() }
    }

    fn time_of(&self, samples: u64) -> Duration {
        Duration::from_nanos(samples * 1_000_000_000 / u64::from(self.rate_hz))
    }
}
