//! See `tests/src/targets/requests.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::requests(bytes));
