//! Runs of sent frames that were received one after the other.

use std::ops::Range;

use super::FINE;

/// From a sent frame to the next, received frames go on by no more than this within a piece: it is
/// the longest step of the alignment but a leap.
const LONGEST_STEP: usize = 3 * FINE;

/// Sent frames in a row, each of which was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The first of the sent frames.
    pub(super) begin: usize,
    /// About where each of them begins, in received frames.
    pub(super) places: Vec<usize>,
}

impl Piece {
    /// The sent frames.
    pub(super) fn frames(&self) -> Range<usize> {
        self.begin..self.begin + self.places.len()
    }

    /// The piece without the pauses at its ends, in which nothing tells the delay; `None` where
    /// it is one.
    fn trimmed(&self, speech: &[bool]) -> Option<Self> {
        let speech = &speech[self.frames()];
        let first = speech.iter().position(|speaks| *speaks)?;
        let last = speech.iter().rposition(|speaks| *speaks)?;
        Some(Self { begin: self.begin + first, places: self.places[first..=last].to_vec() })
    }
}

/// Makes pieces of the places of all sent frames, of which some are lost and some are speech. They
/// begin and end with speech.
pub(super) fn pieces(places: &[Option<usize>], speech: &[bool]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut last: Option<usize> = None;
    for (begin, place) in places.iter().enumerate() {
        if let Some(place) = *place {
            let goes_on = last.is_some_and(|last| place <= last + LONGEST_STEP);
            match pieces.last_mut().filter(|_| goes_on) {
                Some(piece) => piece.places.push(place),
                None => pieces.push(Piece { begin, places: vec![place] }),
            }
        }
        last = *place;
    }
    pieces.iter().filter_map(|piece| piece.trimmed(speech)).collect()
}

#[test]
fn a_piece_ends_where_frames_are_lost_and_where_the_delay_leaps() {
    let places = [Some(0), Some(5), None, Some(20), Some(35), Some(51), Some(56), Some(61)];
    let speech = [true, true, true, true, true, false, true, false];
    let piece = |begin, places: &[usize]| Piece { begin, places: places.to_vec() };
    let expected = [piece(0, &[0, 5]), piece(3, &[20, 35]), piece(6, &[56])];
    assert_eq!(pieces(&places, &speech), expected);
}
