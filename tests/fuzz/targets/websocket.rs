//! See `tests/src/targets/websocket.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| voicegraph_fuzz::targets::websocket(bytes));
