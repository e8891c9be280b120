//! See `tests/src/targets/deepgram.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::deepgram(bytes));
