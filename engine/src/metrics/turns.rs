//! The durations of finished turns, over all calls of a pipeline: as histograms, and the last ones
//! as they were.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::bounds;
use crate::edge::{histogram, micros};
use crate::turn::{Outcome, TurnReport};

/// A duration of a turn that is kept as a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TurnSeries {
    /// End of speech to the first sound played.
    E2e,
    /// End of speech to the decision that the turn is over.
    EndOfTurnDelay,
    /// End of speech to the last transcript.
    TranscriptionDelay,
    /// Request to first token.
    LlmTtft,
    /// First text sent to first sound received.
    TtsTtfb,
    /// What neither a provider nor a configured delay accounts for.
    EngineAdded,
    /// Onset of the interruption to silence.
    BargeInStop,
}

impl TurnSeries {
    /// Every series.
    pub const ALL: [Self; 7] = [
        Self::E2e,
        Self::EndOfTurnDelay,
        Self::TranscriptionDelay,
        Self::LlmTtft,
        Self::TtsTtfb,
        Self::EngineAdded,
        Self::BargeInStop,
    ];

    /// The metric's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::E2e => "voicegraph_turn_e2e_seconds",
            Self::EndOfTurnDelay => "voicegraph_turn_end_of_turn_delay_seconds",
            Self::TranscriptionDelay => "voicegraph_turn_transcription_delay_seconds",
            Self::LlmTtft => "voicegraph_turn_llm_ttft_seconds",
            Self::TtsTtfb => "voicegraph_turn_tts_ttfb_seconds",
            Self::EngineAdded => "voicegraph_turn_engine_added_seconds",
            Self::BargeInStop => "voicegraph_barge_in_stop_seconds",
        }
    }

    /// What the metric says.
    pub fn help(self) -> &'static str {
        match self {
            Self::E2e => "End of the caller's speech to the answer's first sound.",
            Self::EndOfTurnDelay => {
                "End of the caller's speech to the decision that the turn is over."
            }
            Self::TranscriptionDelay => "End of the caller's speech to the turn's last transcript.",
            Self::LlmTtft => "Request to the language model to its first token.",
            Self::TtsTtfb => "First text sent to the voice to its first sound.",
            Self::EngineAdded => {
                "Part of the end-to-end time spent neither waiting for a provider or tool nor in a \
                 configured delay."
            }
            Self::BargeInStop => "Onset of the interrupting speech to the agent's silence.",
        }
    }

    /// The bucket bounds in µs.
    pub(super) fn bounds(self) -> &'static [u64] {
        if self == Self::EngineAdded { bounds::EDGE } else { bounds::TURN }
    }

    fn of(self, report: &TurnReport) -> Option<Duration> {
        match self {
            Self::E2e => report.e2e,
            Self::EndOfTurnDelay => report.end_of_turn_delay,
            Self::TranscriptionDelay => report.transcription_delay,
            Self::LlmTtft => report.llm_ttft,
            Self::TtsTtfb => report.tts_ttfb,
            Self::EngineAdded => report.engine_added,
            Self::BargeInStop => report.barge_in_stop,
        }
    }
}

/// The value of the label `outcome`: as in reports.
fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "completed",
        Outcome::Interrupted => "interrupted",
        Outcome::Superseded => "superseded",
        Outcome::CallEnded => "call_ended",
    }
}

/// How many of a pipeline's last turns are kept.
pub const MAX_RECENT_TURNS: usize = 64;

/// A finished turn, for `/turns`: times, and nothing of what was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndedTurn {
    /// How many turns of the pipeline have ended with this one, in all its calls: by this a reader
    /// knows which ones are new.
    pub ended: u64,
    /// Its figures.
    #[serde(flatten)]
    pub report: TurnReport,
}

/// What is kept of finished turns. A series without values stays empty: unknown is never 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    pub(super) outcomes: BTreeMap<&'static str, u64>,
    pub(super) durations_us: BTreeMap<TurnSeries, Histogram<u64>>,
    /// At most [`MAX_RECENT_TURNS`], the latest last.
    pub(super) recent: VecDeque<EndedTurn>,
}

impl Turns {
    pub(super) fn note(&mut self, report: &TurnReport) {
        self.keep(report);
        *self.outcomes.entry(outcome_name(report.outcome)).or_default() += 1;
        for series in TurnSeries::ALL {
            if let Some(duration) = series.of(report) {
                let histogram = self.durations_us.entry(series).or_insert_with(histogram);
                histogram.saturating_record(micros(duration));
            }
        }
    }

    fn keep(&mut self, report: &TurnReport) {
        if self.recent.len() == MAX_RECENT_TURNS {
            self.recent.pop_front();
        }
        let ended = self.recent.back().map_or(1, |last| last.ended + 1);
        self.recent.push_back(EndedTurn { ended, report: report.clone() });
    }
}
