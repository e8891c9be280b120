//! Stands in for LiveKit's `libwebrtc`: media on Rust and libopus.

mod imp;
