//! What the whole-system tests share.

pub mod agent;
pub mod booking;
pub mod caller;
pub mod cut;
pub mod http;
pub mod livekit;
pub mod made;
pub mod network;
pub mod postgres;
pub mod program;
pub mod promtool;
pub mod python;
pub mod relay;
pub mod sample;
pub mod scenario;
pub mod sdk_peer;
pub mod simulate;
pub mod slow_listener;
pub mod slow_tool;
pub mod sound;
pub mod spectral;
pub mod speech;
pub mod tidy;
pub mod tone;
pub mod typed;
pub mod workspace;
