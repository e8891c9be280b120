//! See `tests/src/targets/cartesia.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::cartesia(bytes));
