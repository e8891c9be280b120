//! See `tests/src/targets/candidate.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::candidate(bytes));
