//! A target's corpus: the seeds that are committed, and the words that stand in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::workspace;

/// Words that mean something to many readers, whatever the corpus holds.
const COMMON: [&[u8]; 24] = [
    b"\x1e",
    b"\0",
    b"\r\n",
    b"\xff",
    b"\xf0\x9f\x98\x80",
    b"\xe2\x80\xae",
    b"\xef\xbb\xbf",
    b"\"",
    b"\\",
    b"\\u0000",
    b"{}",
    b"[]",
    b"[[[[[[[[",
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"-1e-999",
    b"NaN",
    b"0.1",
    b"${A}",
    b"'",
    b"--",
    b":",
];

/// What a target begins with.
#[derive(Debug)]
pub struct Corpus {
    /// The seeds, by the names of their files.
    pub seeds: Vec<(String, Vec<u8>)>,
    /// What is put in the place of other things: common words, and those of the seeds.
    pub words: Vec<Vec<u8>>,
}

/// The folder of all corpora.
pub fn folder() -> PathBuf {
    workspace::root().join("tests/fuzz/corpus")
}

impl Corpus {
    /// The committed corpus of `target`. What libFuzzer has found on this machine lies beside it,
    /// and is not read: a run is the same everywhere.
    ///
    /// # Panics
    /// Where there is none.
    pub fn of(target: &str) -> Self {
        let entries = fs::read_dir(folder().join(target)).expect("the target has a corpus");
        let mut seeds = Vec::new();
        for entry in entries {
            let path = entry.expect("the folder is readable").path();
            let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
            if name.starts_with("seed-") {
                seeds.push((name, fs::read(path).expect("the seed is readable")));
            }
        }
        seeds.sort();
        Self::new(seeds)
    }

    /// A corpus of these seeds.
    ///
    /// # Panics
    /// Where there are none.
    pub fn new(seeds: Vec<(String, Vec<u8>)>) -> Self {
        assert!(!seeds.is_empty(), "there is nothing to begin with");
        let mut words: BTreeSet<Vec<u8>> = COMMON.iter().map(|word| word.to_vec()).collect();
        words.extend(seeds.iter().flat_map(|(_, seed)| tokens(seed)));
        Self { seeds, words: words.into_iter().collect() }
    }
}

/// The runs of letters, digits and `_` or `-` in `bytes`, each with the sign before and after it
/// too: `"type"` is more than `type`.
fn tokens(bytes: &[u8]) -> Vec<Vec<u8>> {
    /// Shorter ones are made by chance, longer ones are no words.
    const LENGTHS: std::ops::RangeInclusive<usize> = 2..=32;
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let mut tokens = Vec::new();
    let mut begin = 0;
    for token in bytes.split(|byte| !is_inner(byte)) {
        let end = begin + token.len();
        if LENGTHS.contains(&token.len()) {
            tokens.push(token.to_vec());
            tokens.push(bytes[begin.saturating_sub(1)..bytes.len().min(end + 1)].to_vec());
        }
        begin = end + 1;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_with_and_without_their_signs() {
        let tokens = tokens(b"{\"type\":12,\"a\":max_length}");
        let expected: [&[u8]; 6] =
            [b"type", b"\"type\"", b"12", b":12,", b"max_length", b":max_length}"];
        assert_eq!(tokens, expected);
    }

    #[test]
    fn a_corpus_has_its_own_words_and_the_common_ones() {
        let corpus = Corpus::of("openai");
        let has = |word: &[u8]| corpus.words.iter().any(|it| it == word);
        assert!(has(b"choices") && has(b"\x1e"));
        assert!(corpus.seeds.iter().all(|(name, _)| name.starts_with("seed-")));
    }
}
