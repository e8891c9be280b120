//! Content by a seed, and its hash.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Bytes that nothing can compress.
pub(crate) fn bytes(seed: u64, size: usize) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut bytes = vec![0; size];
    random.fill_bytes(&mut bytes);
    bytes
}

/// Text of `size` bytes, with characters of one to four, so that a cut through one shows.
pub(crate) fn text(seed: u64, size: usize) -> String {
    const ALPHABET: [char; 8] = ['a', 'q', ' ', 'é', 'ß', '語', '…', '🩺'];
    let mut text = String::with_capacity(size);
    for byte in bytes(seed, size) {
        let character = ALPHABET[usize::from(byte) % ALPHABET.len()];
        if text.len() + character.len_utf8() > size {
            break;
        }
        text.push(character);
    }
    text.extend(std::iter::repeat_n('.', size - text.len()));
    text
}

/// The SHA-256 of `content`, in hexadecimal digits.
pub(crate) fn sha256(content: &[u8]) -> String {
    let hash = digest(&SHA256, content);
    hash.as_ref().iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a string takes all");
        digits
    })
}
