//! See `tests/src/targets/jobs.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::jobs(bytes));
