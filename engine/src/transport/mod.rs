//! Where a call's audio comes from and goes to, and what the caller types or presses beside it.
//!
//! A transport gives the graph a [`Source`] and a [`Sink`], resamples at the border, and keeps the
//! clock by which `heard` and the end-to-end latency are measured: the instant at which each frame
//! begins to be played.

pub mod file;
mod microphone;
mod playback;
mod recording;
mod resample;
pub mod scripted;
mod wav;
pub mod websocket;

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::event::Observer;
use crate::message::{AudioFrame, UserInput};
use crate::variables::Variables;
pub use recording::{Layout, Recording};
pub use resample::Resampler;
pub use wav::{FileError, LONGEST_FILE, decode_voice, read_voice};

/// The two halves of a call's audio.
pub struct Transport {
    /// The caller's voice.
    pub source: Box<dyn Source>,
    /// The way to the caller's ear.
    pub sink: Box<dyn Sink>,
    /// Who calls, where the transport knows it: a phone number in E.164 or an identity.
    pub caller: Option<Arc<str>>,
    /// What the call is given; what is declared and not given gets its default.
    pub variables: Variables,
    /// Told of the call's events, where the transport passes them on or acts by them.
    pub observer: Option<Arc<dyn Observer>>,
}

/// The caller's audio.
#[async_trait]
pub trait Source: Send {
    /// The next frame, 20 ms of mono sound at 16 kHz, or what the caller typed or pressed. Cancel
    /// safe.
    async fn next(&mut self) -> Captured;
}

/// What a source gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Captured {
    /// A frame, and when its last sample was captured.
    Frame(AudioFrame, Instant),
    /// What the caller typed or pressed, and when.
    Input(UserInput, Instant),
    /// The caller's audio is over, but the caller still listens: what was said is answered first.
    Finished,
    /// The caller is gone: nobody listens any more.
    HungUp,
}

/// The way to the caller's ear. Frames are played in the order in which they are given.
#[async_trait]
pub trait Sink: Send {
    /// The rate at which the sink plays, in Hz. Frames of another rate are resampled.
    fn sample_rate_hz(&self) -> NonZeroU32;

    /// Hands over a frame, once there is room for it, and gives the instant at which it begins to
    /// be played. Cancel safe: the frame is taken only when this returns.
    ///
    /// # Errors
    /// [`SinkGone`] where nobody listens any more.
    async fn play(&mut self, frame: &AudioFrame) -> Result<Instant, SinkGone>;

    /// Drops what was handed over and has not begun to be played.
    fn clear(&mut self);
}

/// Nobody listens any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody listens any more")]
pub struct SinkGone;
