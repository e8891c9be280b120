//! Fuzzing without a fuzzer's build: each target over its corpus and over changes of it that a seed
//! decides, beside the other tests.
//!
//! ```text
//!  corpus (seeds, words) ──► mutator (by SEED) ──► campaign ──► target
//!                                                    └── panics, or hangs: SEED, TARGET, the input
//! ```
//!
//! It knows nothing of coverage: what it takes luck or hours to find is left to libFuzzer
//! (`.ci/night`). An input that fails is written down, and becomes a seed of the corpus.

mod campaign;
mod corpus;
mod mutator;

pub use campaign::Campaign;
pub use corpus::{Corpus, folder};
pub use mutator::Mutator;
