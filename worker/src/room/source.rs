//! The caller, as the graph hears them.

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::message::AudioFrame;
use voicegraph_engine::transport::{Captured, Source};

/// A frame, and when its last sample was captured.
pub(super) type Frame = (AudioFrame, Instant);

/// Frames from the microphone, and what is typed or pressed beside them.
pub(super) struct RoomSource {
    pub(super) frames: mpsc::Receiver<Frame>,
    pub(super) inputs: mpsc::Receiver<Captured>,
    /// Fires when nobody listens any more.
    pub(super) gone: CancellationToken,
}

#[async_trait]
impl Source for RoomSource {
    async fn next(&mut self) -> Captured {
        tokio::select! {
            biased;
            () = self.gone.cancelled() => Captured::HungUp,
            Some(input) = self.inputs.recv() => input,
            frame = self.frames.recv() => match frame {
                Some((frame, at)) => Captured::Frame(frame, at),
                None => Captured::HungUp,
            },
        }
    }
}
