//! See `tests/src/targets/description.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: voicegraph_fuzz::survive_panics(),
    |bytes: &[u8]| voicegraph_fuzz::targets::description(bytes)
);
