//! Sound that was received, as a stream of frames.

/// The stream for programs.
pub mod native {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_util::Stream;
    use tracing::error;

    use crate::audio_frame::AudioFrame;
    use crate::audio_track::RtcAudioTrack;

    /// How a stream is to be.
    #[derive(Clone, Debug, Default)]
    pub struct NativeAudioStreamOptions {
        /// How many frames wait at most; then the oldest is dropped.
        pub queue_size_frames: Option<usize>,
    }

    /// The frames of a remote track. The decoder of sound is not part of this build yet: the stream
    /// ends at once, and an error is logged.
    #[derive(Debug)]
    pub struct NativeAudioStream {
        track: RtcAudioTrack,
    }

    impl NativeAudioStream {
        /// Frames of 10 ms at that rate, in hertz.
        pub fn new(audio_track: RtcAudioTrack, sample_rate: i32, num_channels: i32) -> Self {
            let options = NativeAudioStreamOptions::default();
            Self::with_options(audio_track, sample_rate, num_channels, options)
        }

        /// The same, with options.
        pub fn with_options(
            audio_track: RtcAudioTrack,
            _sample_rate: i32,
            _num_channels: i32,
            _options: NativeAudioStreamOptions,
        ) -> Self {
            error!(track = %audio_track.id(), "receiving audio is not supported by this build");
            Self { track: audio_track }
        }

        /// The track.
        pub fn track(&self) -> RtcAudioTrack {
            self.track.clone()
        }

        /// Ends the stream.
        pub fn close(&mut self) {}
    }

    impl Stream for NativeAudioStream {
        type Item = AudioFrame<'static>;

        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(None)
        }
    }
}
