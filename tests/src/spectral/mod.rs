//! How far received speech is from what was sent: in dB, in time, and what of it is missing.
//!
//! Both are cut into overlapping frames, and each frame becomes the levels of bands as wide as the
//! ear's (mel). The received frames are put beside the sent ones, first in pieces between which the
//! delay may leap and speech may be lost, then by dynamic time warping within each piece, since a
//! jitter buffer moves speech in time and nobody hears that. What remains is the root mean square
//! of the bands' differences, averaged over the frames in which the sender speaks.
//!
//! ```text
//! sent      |--30 ms--|            every 10 ms   ─┐ levels of 26 bands
//! received  |--30 ms--|            every 2 ms    ─┴ alignment → pieces → warping → differences
//! ```

mod alignment;
mod levels;
mod pair;
mod pieces;
mod warping;

#[cfg(test)]
mod tests;

use std::iter::once;
use std::ops::Range;

use pair::Pair;
use pieces::Piece;
use warping::{Warped, warp};

use crate::sound::Sound;

/// Frames of the sent sound per second, and how long one is put after the other.
const SENT_PER_S: u32 = 100;
const SENT_MS: f64 = 1_000.0 / SENT_PER_S as f64;

/// Received frames for each sent one: they are put together to 2 ms.
const FINE: usize = 5;
const FINE_MS: f64 = SENT_MS / FINE as f64;

/// Speech that is missing counts as lost from so many sent frames on, 80 ms. Fewer are a packet or
/// two, or what a jitter buffer leaves out to catch up.
const SHORTEST_LOSS: usize = 8;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// The mean difference of a speech frame's bands in dB; 0 for what is the same. What is lost
    /// counts as silence.
    pub db: f64,
    /// How much later than the sent sound the received one begins, in ms. 0 where nothing of it is
    /// received.
    pub delay_ms: f64,
    /// How far the delay moved in the course of the sound, in all, in ms. That speech which is cut
    /// out brings the rest earlier is not part of it.
    pub shifted_ms: f64,
    /// How much of the sent speech is not in what was received, in ms: in its place there is
    /// silence, something else, or the speech after it. The pauses of the speech do not count.
    pub lost_ms: f64,
}

/// Compares what was received with what was sent. The received sound may begin earlier and end
/// later.
///
/// # Panics
/// Where the rates differ, or the sent sound has no speech.
pub fn distance(sent: &Sound, received: &Sound) -> Distance {
    assert_eq!(sent.rate_hz, received.rate_hz, "both are at the same rate");
    let pair = Pair::new(sent, received);
    let pieces = pair.pieces();
    let difference = |frame, at| pair.difference(frame, at);
    let warped: Vec<Warped> = pieces.iter().map(|piece| warp(piece, difference)).collect();
    let gaps = gaps(&pieces, pair.frames());
    let lost: Vec<usize> = gaps.iter().map(|gap| lost(&pair, gap)).collect();

    let silence: f64 = gaps.iter().cloned().flatten().map(|frame| pair.silence(frame)).sum();
    let total = warped.iter().map(|it| it.db).sum::<f64>() + silence;
    let within = warped.iter().map(|it| it.last.abs_diff(it.first));
    let between = warped.windows(2).zip(&gaps[1..]).zip(&lost[1..]);
    let between = between.map(|((pieces, gap), &lost)| {
        let cut = if lost > 0 { (gap.len() * FINE).cast_signed() } else { 0 };
        leap(pieces[1].first - pieces[0].last, cut)
    });
    Distance {
        db: total / pair.speech(&(0..pair.frames())) as f64,
        delay_ms: warped.first().map_or(0.0, |it| it.first as f64 * FINE_MS),
        shifted_ms: within.chain(between).sum::<usize>() as f64 * FINE_MS,
        lost_ms: lost.iter().sum::<usize>() as f64 * SENT_MS,
    }
}

/// The sent frames before, between and behind the pieces.
fn gaps(pieces: &[Piece], frames: usize) -> Vec<Range<usize>> {
    let ends = once(0).chain(pieces.iter().map(|piece| piece.frames().end));
    let begins = pieces.iter().map(|piece| piece.frames().start).chain(once(frames));
    ends.zip(begins).map(|(end, begin)| end..begin).collect()
}

/// How many frames of speech are lost in a gap.
fn lost(pair: &Pair, gap: &Range<usize>) -> usize {
    let speech = pair.speech(gap);
    if speech < SHORTEST_LOSS { 0 } else { speech }
}

/// How far the delay leaps, over a gap in which `cut` is lost. What was lost may have been cut out,
/// which alone moves the rest earlier, or may be silence, which moves nothing.
fn leap(moved: isize, cut: isize) -> usize {
    moved.abs_diff(moved.clamp(-cut, 0))
}
