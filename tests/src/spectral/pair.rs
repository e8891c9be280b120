//! What was sent and what was received, frame by frame.

use std::ops::Range;

use super::alignment::align;
use super::levels::{Levels, difference, levels, louder};
use super::pieces::{Piece, pieces};
use super::{FINE, SENT_PER_S};
use crate::sound::Sound;

/// Below the loudest band by as much nothing is heard: quieter is as good as this.
const RANGE_DB: f64 = 55.0;

/// A frame is speech where its loudest band is within as much of the loudest of all.
const SPEECH_DB: f64 = 35.0;

/// Sent frames for each that is aligned, and so 20 ms: half of that the warping makes up for.
const COARSE: usize = 2;

/// The share of received frames, one in so many, that is as quiet as noise alone.
const QUIET: usize = 10;

/// Both sounds. What nobody hears is as quiet as silence.
pub(super) struct Pair {
    sent: Vec<Levels>,
    /// Which of the sent frames are speech.
    speech: Vec<bool>,
    /// [`FINE`] frames for each sent one.
    received: Vec<Levels>,
    silence: Levels,
}

impl Pair {
    /// # Panics
    /// Where the sent sound has no speech.
    pub(super) fn new(sent: &Sound, received: &Sound) -> Self {
        let sent = levels(sent, SENT_PER_S);
        let received = levels(received, SENT_PER_S * FINE as u32);
        let peak = sent.iter().flatten().copied().fold(f64::MIN, f64::max);
        let speaks = |frame: &Levels| frame.iter().any(|&level| level > peak - SPEECH_DB);
        let speech: Vec<bool> = sent.iter().map(speaks).collect();
        assert!(speech.contains(&true), "something is said");
        let silence = [peak - RANGE_DB; _];
        let audible = |frames: Vec<Levels>| frames.iter().map(|it| louder(it, &silence)).collect();
        Self { sent: audible(sent), speech, received: audible(received), silence }
    }

    /// How many frames were sent.
    pub(super) fn frames(&self) -> usize {
        self.sent.len()
    }

    /// How many of these sent frames are speech.
    pub(super) fn speech(&self, frames: &Range<usize>) -> usize {
        self.speech[frames.clone()].iter().filter(|speaks| **speaks).count()
    }

    /// How far a sent frame is from what was received there; 0 where it is not speech.
    pub(super) fn difference(&self, frame: usize, at: isize) -> f64 {
        let other = usize::try_from(at).ok().and_then(|at| self.received.get(at));
        self.from(frame, other.unwrap_or(&self.silence))
    }

    /// How far a sent frame is from silence.
    pub(super) fn silence(&self, frame: usize) -> f64 {
        self.from(frame, &self.silence)
    }

    fn from(&self, frame: usize, other: &Levels) -> f64 {
        if self.speech[frame] { difference(&self.sent[frame], other) } else { 0.0 }
    }

    /// The pieces of the sent sound that were received.
    ///
    /// To find them, both are compared as if the noise of the received sound were in both, so that
    /// speech in noise is not far from that speech, and only what is missing is.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let received: Vec<Levels> = self.received.iter().step_by(FINE * COARSE).copied().collect();
        let noise = noise(&received).unwrap_or(self.silence);
        let sent = self.sent.iter().step_by(COARSE);
        let sent: Vec<Levels> = sent.map(|frame| louder(frame, &noise)).collect();
        let received: Vec<Levels> = received.iter().map(|it| louder(it, &noise)).collect();
        let speech: Vec<bool> = self.speech.chunks(COARSE).map(|it| it.contains(&true)).collect();
        let differ = |frame: usize, place: usize| difference(&sent[frame], &received[place]);
        let coarse = align(&speech, received.len(), differ);
        let places = coarse.into_iter().flat_map(|place| {
            (0..COARSE).map(move |n| place.map(|place| (place * COARSE + n) * FINE))
        });
        let places: Vec<_> = places.take(self.frames()).collect();
        pieces(&places, &self.speech)
    }
}

/// How loud each band is in the quietest frames; `None` where there are none.
fn noise(received: &[Levels]) -> Option<Levels> {
    let quiet = |band: usize| {
        let mut levels: Vec<f64> = received.iter().map(|frame| frame[band]).collect();
        levels.sort_by(f64::total_cmp);
        levels[levels.len() / QUIET]
    };
    (!received.is_empty()).then(|| std::array::from_fn(quiet))
}
