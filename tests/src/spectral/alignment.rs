//! Which received frame each sent one is, though speech may be missing and the delay may leap.
//!
//! As two texts are aligned: a sent frame is a received one, behind that of the frame before it, or
//! it is lost; between two of them received frames may be passed over. Each has its cost, and of
//! all ways through both sounds the cheapest is taken.
//!
//! ```text
//! sent       a b c d     e f g h i j
//! received   a b c d x y e f     i j       x, y: ahead    g, h: lost    the others: here
//! ```

use Fate::{Ahead, Here, Lost};

/// What a lost frame costs, in dB: less than a frame of speech differs from other speech or from
/// silence (12 and 20 are usual), more than what codecs and concealment make of it.
const LOST_DB: f64 = 10.0;

/// What it costs besides that a loss begins. So silence in the place of speech is a loss if it is
/// longer than 100 ms; shorter ones are what concealment bridges.
const GAP_DB: f64 = 50.0;

/// What it costs that received frames are passed over: that the delay leaps.
const LEAP_DB: f64 = 25.0;

/// What it costs that a received frame is two sent ones, or that one is left out: a jitter buffer
/// stretches speech as it changes its delay. That costs more than to lose what is other speech.
const STRETCH_DB: f64 = 8.0;

const NEVER: f64 = f64::INFINITY;

/// What became of a sent frame, and where those received are that are passed by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is the last of them.
    Here,
    /// It is none of them.
    Lost,
    /// It was one of the two, and others were passed over since.
    Ahead,
}

/// What it costs to be in a cell of the table, by fate. A cell is a sent frame and how many of the
/// received ones are passed.
type Costs = [f64; 3];

/// How a cell is reached: from which fate, with how many received frames less.
#[derive(Clone, Copy)]
struct Way {
    cost: f64,
    from: Fate,
    back: u8,
}

impl Way {
    const NONE: Self = Self { cost: NEVER, from: Ahead, back: 0 };

    /// Takes another where it costs less.
    #[inline]
    fn or(&mut self, cost: f64, from: Fate, back: u8) {
        if cost < self.cost {
            *self = Self { cost, from, back };
        }
    }
}

/// The ways to a cell without their costs, by fate.
type Steps = [(Fate, u8); 3];

/// Aligns as many sent frames as there are in `speech`, which says of each whether it is speech,
/// with `received` ones: gives the received frame that each is, `None` where it is lost.
/// `difference` is that of a sent and a received frame in dB.
pub(super) fn align(
    speech: &[bool],
    received: usize,
    difference: impl Fn(usize, usize) -> f64,
) -> Vec<Option<usize>> {
    // Before the first sent frame any number of received ones may be passed over, or a loss begins.
    let mut costs: Vec<Costs> = vec![[NEVER, NEVER, 0.0]; received + 1];
    costs[0][Lost as usize] = GAP_DB;
    let mut steps: Vec<Steps> = Vec::with_capacity(speech.len() * costs.len());
    for (sent, &speaks) in speech.iter().enumerate() {
        costs = row(&costs, speaks, |place| difference(sent, place), &mut steps);
    }
    places(&costs, &steps)
}

/// The costs of a sent frame's cells, by those of the frame before it; adds how each is reached.
fn row(
    before: &[Costs],
    speaks: bool,
    difference: impl Fn(usize) -> f64,
    steps: &mut Vec<Steps>,
) -> Vec<Costs> {
    let mut row: Vec<Costs> = Vec::with_capacity(before.len());
    for passed in 0..before.len() {
        let [mut here, mut lost, mut ahead] = [Way::NONE; 3];
        if passed > 0 {
            for from in [Here, Lost, Ahead] {
                here.or(before[passed - 1][from as usize], from, 1);
            }
            here.or(before[passed][Here as usize] + STRETCH_DB, Here, 0);
            if passed > 1 {
                here.or(before[passed - 2][Here as usize] + STRETCH_DB, Here, 2);
            }
            here.cost += if speaks { difference(passed - 1) } else { 0.0 };
            ahead.or(row[passed - 1][Here as usize] + LEAP_DB, Here, 1);
            ahead.or(row[passed - 1][Lost as usize], Lost, 1);
            ahead.or(row[passed - 1][Ahead as usize], Ahead, 1);
        }
        lost.or(before[passed][Here as usize] + GAP_DB, Here, 0);
        lost.or(before[passed][Lost as usize], Lost, 0);
        lost.cost += if speaks { LOST_DB } else { 0.0 };
        row.push([here.cost, lost.cost, ahead.cost]);
        steps.push([here, lost, ahead].map(|way| (way.from, way.back)));
    }
    row
}

/// Goes back from the cheapest cell of the last row.
fn places(last: &[Costs], steps: &[Steps]) -> Vec<Option<usize>> {
    let ends = last
        .iter()
        .enumerate()
        .flat_map(|(passed, costs)| [Here, Lost].map(|fate| (costs[fate as usize], passed, fate)));
    let end = ends.min_by(|a, b| a.0.total_cmp(&b.0)).expect("a row has cells");
    let (_, mut passed, mut fate) = end;
    let mut places = Vec::new();
    for row in steps.chunks_exact(last.len()).rev() {
        while fate == Ahead {
            fate = row[passed][Ahead as usize].0;
            passed -= 1;
        }
        places.push((fate == Here).then(|| passed - 1));
        let (from, back) = row[passed][fate as usize];
        (fate, passed) = (from, passed - usize::from(back));
    }
    places.reverse();
    places
}

#[test]
fn letters_are_aligned_as_texts_are() {
    let check = |sent: &str, received: &str, expected: &str| {
        let [sent, received] = [sent, received].map(str::as_bytes);
        let differ = |a: usize, b: usize| if sent[a] == received[b] { 0.0 } else { 30.0 };
        let places = align(&vec![true; sent.len()], received.len(), differ);
        let letter = |place: Option<usize>| place.map_or('-', |place| char::from(received[place]));
        let found: String = places.into_iter().map(letter).collect();
        assert_eq!(found, expected);
    };
    check("abcdefgh", "abcdefgh", "abcdefgh");
    check("abcdefgh", "...abcdefgh..", "abcdefgh");
    check("abcdefgh", "abcd.....efgh", "abcdefgh");
    check("abcdefghijkl", "abcdijkl", "abcd----ijkl");
    check("abcdefghijkl", "abcd....ijkl", "abcd----ijkl");
    check("abcdefghijkl", "abcd........ijkl", "abcd----ijkl");
    check("abcdefghijkl", "abcd.fghijkl", "abcd.fghijkl");
    check("abcdefghijkl", "efghijkl", "----efghijkl");
    check("abcdefghijkl", "abcdefgh", "abcdefgh----");
    check("abcdefgh", "........", "--------");
    check("abcdefgh", "", "--------");
}
