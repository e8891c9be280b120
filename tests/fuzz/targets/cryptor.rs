//! See `tests/src/targets/cryptor.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::cryptor(bytes));
