//! See `tests/src/targets/dispatch.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::dispatch(bytes));
