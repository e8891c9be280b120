//! Makes inputs of seeds: each is one of the corpus, changed in a few ways that a seed decides.

use std::ops::Range;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::corpus::Corpus;

/// The most bytes of an input, which is libFuzzer's own limit where no seed is longer.
const LONGEST: usize = 4_096;

/// The most bytes that are inserted at once.
const INSERTED: usize = 64;

/// Numbers at which readers go wrong: ends of types and their neighbours.
const NUMBERS: [i64; 20] = [
    0,
    1,
    -1,
    2,
    7,
    16,
    100,
    127,
    128,
    255,
    256,
    32_767,
    32_768,
    65_535,
    i32::MAX as i64,
    i32::MIN as i64,
    u32::MAX as i64,
    1 << 53,
    i64::MAX,
    i64::MIN,
];

/// Gives inputs without end.
pub struct Mutator<'a> {
    corpus: &'a Corpus,
    random: StdRng,
}

impl<'a> Mutator<'a> {
    /// Inputs from `corpus`, always the same for a seed.
    pub fn new(corpus: &'a Corpus, seed: u64) -> Self {
        Self { corpus, random: StdRng::seed_from_u64(seed) }
    }

    /// The next input.
    pub fn input(&mut self) -> Vec<u8> {
        let mut bytes = self.seed().to_vec();
        for _ in 0..1_u32 << self.random.random_range(0..4) {
            self.change(&mut bytes);
            bytes.truncate(LONGEST);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        match self.random.random_range(0..12) {
            0 => self.flip(bytes),
            1 => self.set(bytes),
            2 => self.insert(bytes),
            3 => self.delete(bytes),
            4 => self.duplicate(bytes),
            5 => self.repeat(bytes),
            6 => self.splice(bytes),
            7 => self.cut(bytes),
            8 => self.number(bytes),
            9 => self.digits(bytes),
            10 => self.insert_word(bytes),
            _ => self.replace_word(bytes),
        }
    }

    /// Turns a bit.
    fn flip(&mut self, bytes: &mut [u8]) {
        if let Some(at) = self.index(bytes) {
            bytes[at] ^= 1 << self.random.random_range(0..8);
        }
    }

    /// Sets a byte.
    fn set(&mut self, bytes: &mut [u8]) {
        if let Some(at) = self.index(bytes) {
            bytes[at] = self.random.random();
        }
    }

    /// Inserts bytes, equal ones or any.
    fn insert(&mut self, bytes: &mut Vec<u8>) {
        let count = self.random.random_range(1..=INSERTED);
        let same: u8 = self.random.random();
        let inserted: Vec<u8> = match self.random.random() {
            true => vec![same; count],
            false => (0..count).map(|_| self.random.random()).collect(),
        };
        self.put(bytes, &inserted);
    }

    /// Takes a part out.
    fn delete(&mut self, bytes: &mut Vec<u8>) {
        let part = self.part(bytes);
        bytes.drain(part);
    }

    /// Puts a part in another place too, between what is there or over it.
    fn duplicate(&mut self, bytes: &mut Vec<u8>) {
        let part = bytes[self.part(bytes)].to_vec();
        let at = self.random.random_range(0..=bytes.len());
        let over = if self.random.random() { part.len().min(bytes.len() - at) } else { 0 };
        bytes.splice(at..at + over, part);
    }

    /// Repeats a part on the spot, which makes what is nested deep.
    fn repeat(&mut self, bytes: &mut Vec<u8>) {
        let part = self.part(bytes);
        let times = self.random.random_range(1..=INSERTED);
        let repeated = bytes[part.clone()].repeat(times.min(LONGEST / part.len().max(1)));
        bytes.splice(part.end..part.end, repeated);
    }

    /// Goes on as another seed does, or as another part of it.
    fn splice(&mut self, bytes: &mut Vec<u8>) {
        let other = self.seed();
        let from = self.random.random_range(0..=other.len());
        bytes.truncate(self.random.random_range(0..=bytes.len()));
        bytes.extend_from_slice(&other[from..]);
    }

    /// Ends early.
    fn cut(&mut self, bytes: &mut Vec<u8>) {
        bytes.truncate(self.random.random_range(0..=bytes.len()));
    }

    /// Writes a number over what is there, as machines do: 1, 2, 4 or 8 bytes, in either order.
    fn number(&mut self, bytes: &mut [u8]) {
        let Some(at) = self.index(bytes) else { return };
        let number = NUMBERS[self.random.random_range(0..NUMBERS.len())];
        let width = 1 << self.random.random_range(0..4);
        let mut written = number.to_le_bytes()[..width].to_vec();
        if self.random.random() {
            written.reverse();
        }
        let width = width.min(bytes.len() - at);
        bytes[at..at + width].copy_from_slice(&written[..width]);
    }

    /// Writes a number in the place of another, as people do.
    fn digits(&mut self, bytes: &mut Vec<u8>) {
        let Some(begin) = self.find(bytes, |byte| byte.is_ascii_digit()) else { return };
        let length = bytes[begin..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = NUMBERS[self.random.random_range(0..NUMBERS.len())];
        bytes.splice(begin..begin + length, number.to_string().into_bytes());
    }

    /// Inserts a word.
    fn insert_word(&mut self, bytes: &mut Vec<u8>) {
        let word = self.word();
        self.put(bytes, word);
    }

    /// Puts a word in the place of another.
    fn replace_word(&mut self, bytes: &mut Vec<u8>) {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let Some(begin) = self.find(bytes, is_inner) else { return };
        let length = bytes[begin..].iter().take_while(|byte| is_inner(**byte)).count();
        let word = self.word();
        bytes.splice(begin..begin + length, word.iter().copied());
    }

    fn put(&mut self, bytes: &mut Vec<u8>, inserted: &[u8]) {
        let at = self.random.random_range(0..=bytes.len());
        bytes.splice(at..at, inserted.iter().copied());
    }

    /// The first byte that `fits` from some place on.
    fn find(&mut self, bytes: &[u8], fits: impl Fn(u8) -> bool) -> Option<usize> {
        let from = self.index(bytes)?;
        let found = bytes[from..].iter().position(|byte| fits(*byte))?;
        Some(from + found)
    }

    fn index(&mut self, bytes: &[u8]) -> Option<usize> {
        (!bytes.is_empty()).then(|| self.random.random_range(0..bytes.len()))
    }

    /// A part, mostly a short one.
    fn part(&mut self, bytes: &[u8]) -> Range<usize> {
        let begin = self.random.random_range(0..=bytes.len());
        let most = if self.random.random_bool(0.8) { INSERTED } else { LONGEST };
        let most = most.min(bytes.len() - begin);
        begin..begin + self.random.random_range(0..=most)
    }

    fn seed(&mut self) -> &'a [u8] {
        let seeds = &self.corpus.seeds;
        &seeds[self.random.random_range(0..seeds.len())].1
    }

    fn word(&mut self) -> &'a [u8] {
        let words = &self.corpus.words;
        &words[self.random.random_range(0..words.len())]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn corpus() -> Corpus {
        let seeds = [("seed-a", &b"{\"number\": 12}"[..]), ("seed-b", b"second \x1e seed")];
        Corpus::new(seeds.map(|(name, seed)| (name.to_owned(), seed.to_vec())).into())
    }

    fn inputs(seed: u64, count: usize) -> Vec<Vec<u8>> {
        let corpus = corpus();
        let mut mutator = Mutator::new(&corpus, seed);
        (0..count).map(|_| mutator.input()).collect()
    }

    #[test]
    fn a_seed_makes_the_same_inputs_again() {
        assert_eq!(inputs(7, 100), inputs(7, 100));
        assert_ne!(inputs(7, 100), inputs(8, 100));
    }

    #[test]
    fn inputs_differ_and_keep_their_limit() {
        let inputs = inputs(1, 2_000);
        let different: BTreeSet<_> = inputs.iter().collect();
        assert!(different.len() > 1_600, "{} of 2000", different.len());
        assert!(inputs.iter().all(|input| input.len() <= LONGEST));
        assert!(inputs.iter().any(|input| input.len() > 1_000));
    }

    fn has(input: &[u8], part: &[u8]) -> bool {
        input.windows(part.len()).any(|window| window == part)
    }

    /// Each leaves its own trace in one of many inputs.
    #[test]
    fn every_way_of_change_is_gone() {
        type Trace = fn(&[u8]) -> bool;
        let ways: [(&str, Trace); 9] = [
            ("insert", |it| has(it, b"\x07\x07\x07\x07\x07\x07")),
            ("duplicate", |it| has(it, b"{\"number\": 12}{\"number\": 12}")),
            ("repeat", |it| has(it, b"12121212121212")),
            ("splice", |it| it.starts_with(b"{\"n") && it.ends_with(b"d \x1e seed")),
            ("cut", |it| it == b"{\"num"),
            ("number", |it| has(it, &i64::MAX.to_be_bytes()[..4])),
            ("digits", |it| has(it, b"\"number\": 9223372036854775807}")),
            ("insert_word", |it| has(it, b"{}{\"number\"")),
            ("replace_word", |it| has(it, b"{\"seed\": 12}")),
        ];
        let inputs = inputs(1, 20_000);
        for (way, trace) in ways {
            assert!(inputs.iter().any(|it| trace(it)), "{way} left no trace");
        }
        let seed = &corpus().seeds[0].1;
        let turned =
            |it: &[u8]| seed.iter().zip(it).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
        let like = inputs.iter().filter(|it| it.len() == seed.len()).map(|it| turned(it));
        let (one, some): (Vec<u32>, Vec<u32>) = like.filter(|it| *it > 0).partition(|it| *it == 1);
        assert!(one.len() > 100 && some.len() > 100, "{} flipped, {} set", one.len(), some.len());
    }
}
