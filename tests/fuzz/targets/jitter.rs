//! See `tests/src/targets/jitter.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::jitter(bytes));
