//! See `tests/src/targets/arguments.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::arguments(bytes));
