//! See `tests/src/targets/wav.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::wav(bytes));
