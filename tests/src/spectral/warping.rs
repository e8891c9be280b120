//! Where exactly the frames of a piece are in what was received, and how far they differ there.

use super::FINE;
use super::pieces::Piece;

/// How far the warping may go from where the piece's places are, in received frames: 40 ms.
const REACH: usize = 20;

/// The places at which a frame is tried: slots.
const WIDTH: usize = 2 * REACH + 1;

/// What a received frame more or less than [`FINE`] from one sent frame to the next costs in dB, so
/// that it is done for a reason.
const WARP_DB: f64 = 1.6;

/// A piece that was warped.
pub(super) struct Warped {
    /// The sum of the differences of all frames. What warping costs is not part of it.
    pub(super) db: f64,
    /// The delay of the first frame and of the last, in received frames.
    pub(super) first: isize,
    pub(super) last: isize,
}

/// The best way to a slot: what it costs with and without the warping, and the delay of its first
/// frame.
#[derive(Clone, Copy)]
struct Way {
    with: f64,
    without: f64,
    first: isize,
}

/// No way leads there.
const NONE: Way = Way { with: f64::INFINITY, without: f64::INFINITY, first: 0 };

/// Finds the least cost over all ways to walk through the received frames with the piece's: at each
/// step none to two times [`FINE`] of them are passed.
pub(super) fn warp(piece: &Piece, difference: impl Fn(usize, isize) -> f64) -> Warped {
    let frames = piece.frames();
    let place = |n: usize, slot: usize| (piece.places[n] + slot) as isize - REACH as isize;
    let delay = |n: usize, slot: usize| place(n, slot) - ((frames.start + n) * FINE) as isize;
    let start = |slot| {
        let here = difference(frames.start, place(0, slot));
        Way { with: here, without: here, first: delay(0, slot) }
    };
    let mut ways: Vec<Way> = (0..WIDTH).map(start).collect();
    for n in 1..frames.len() {
        // Slots move along with the places; by so many, an even step goes to another slot.
        let step = piece.places[n] as isize - piece.places[n - 1] as isize;
        let next = |slot: usize| {
            let even = slot as isize + step - FINE as isize;
            let best = cheapest(&ways, even);
            let here = difference(frames.start + n, place(n, slot));
            Way { with: best.with + here, without: best.without + here, ..best }
        };
        ways = (0..WIDTH).map(next).collect();
    }
    let ends = ways.into_iter().enumerate();
    let best = ends.min_by(|a, b| a.1.with.total_cmp(&b.1.with)).expect("there are slots");
    Warped { db: best.1.without, first: best.1.first, last: delay(frames.len() - 1, best.0) }
}

/// The way that costs least of those to the slots around `even`, each with the warping from there.
fn cheapest(ways: &[Way], even: isize) -> Way {
    let reach = FINE.cast_signed();
    let mut best = NONE;
    for slot in (even - reach).max(0)..=(even + reach).min(WIDTH.cast_signed() - 1) {
        let way = ways[slot.cast_unsigned()];
        let with = way.with + WARP_DB * slot.abs_diff(even) as f64;
        if with < best.with {
            best = Way { with, ..way };
        }
    }
    best
}
