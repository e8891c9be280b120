//! Sound that was received, as a stream of frames.

/// The stream for programs.
pub mod native {
    use std::fmt;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, ready};

    use futures_util::Stream;
    use tracing::error;

    use crate::audio_frame::AudioFrame;
    use crate::audio_track::RtcAudioTrack;
    use crate::imp::listener::{Listener, QUEUE_FRAMES};

    /// How a stream is to be.
    #[derive(Clone, Debug, Default)]
    pub struct NativeAudioStreamOptions {
        /// How many frames wait at most; then the oldest is dropped. A hundred, where it is not
        /// said.
        pub queue_size_frames: Option<usize>,
    }

    /// The frames of a remote track, 10 ms each, at the pace of the machine's clock: silence where
    /// nothing is received. It ends with the track.
    pub struct NativeAudioStream {
        track: RtcAudioTrack,
        /// None where there is nothing to hear.
        listener: Option<Arc<Listener>>,
    }

    impl NativeAudioStream {
        /// Frames at that rate, in hertz, with so many channels.
        ///
        /// Where there is no such sound, or the track is a local one, an error is logged and the
        /// stream ends at once.
        pub fn new(audio_track: RtcAudioTrack, sample_rate: i32, num_channels: i32) -> Self {
            let options = NativeAudioStreamOptions::default();
            Self::with_options(audio_track, sample_rate, num_channels, options)
        }

        /// The same, with options.
        pub fn with_options(
            audio_track: RtcAudioTrack,
            sample_rate: i32,
            num_channels: i32,
            NativeAudioStreamOptions { queue_size_frames }: NativeAudioStreamOptions,
        ) -> Self {
            let limit = queue_size_frames.unwrap_or(QUEUE_FRAMES);
            let rate_hz = u32::try_from(sample_rate).unwrap_or(0);
            let channels = u32::try_from(num_channels).unwrap_or(0);
            let listener = match Listener::new(rate_hz, channels, limit) {
                Ok(listener) => Some(Arc::new(listener)),
                Err(error) => {
                    error!(track = %audio_track.id(), %error, "no stream of that shape");
                    None
                }
            };
            let listener = listener.filter(|listener| hear(&audio_track, listener));
            Self { track: audio_track, listener }
        }

        /// The track.
        pub fn track(&self) -> RtcAudioTrack {
            self.track.clone()
        }

        /// Ends the stream.
        pub fn close(&mut self) {
            if let Some(listener) = self.listener.take() {
                self.track.handle.leave(&listener);
            }
        }
    }

    fn hear(track: &RtcAudioTrack, listener: &Arc<Listener>) -> bool {
        if !track.handle.is_remote() {
            error!(track = %track.id(), "a local track cannot be listened to in this build");
            return false;
        }
        track.handle.listen(listener.clone())
    }

    impl Stream for NativeAudioStream {
        type Item = AudioFrame<'static>;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let Some(listener) = &self.listener else { return Poll::Ready(None) };
            let Some(data) = ready!(listener.poll(context)) else { return Poll::Ready(None) };
            let (sample_rate, num_channels) = (listener.rate_hz(), listener.channels());
            let samples_per_channel = sample_rate / 100;
            let data = data.into();
            Poll::Ready(Some(AudioFrame { data, sample_rate, num_channels, samples_per_channel }))
        }
    }

    impl Drop for NativeAudioStream {
        fn drop(&mut self) {
            self.close();
        }
    }

    impl fmt::Debug for NativeAudioStream {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let mut out = f.debug_struct("NativeAudioStream");
            out.field("track", &self.track);
            if let Some(listener) = &self.listener {
                out.field("sample_rate", &listener.rate_hz())
                    .field("num_channels", &listener.channels())
                    .field("frames_dropped", &listener.dropped());
            }
            out.finish()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use futures_util::Stream;

    use super::native::NativeAudioStream;
    use crate::audio_track::RtcAudioTrack;
    use crate::imp::listener::QUEUE_FRAMES;
    use crate::imp::track::Track;

    #[test]
    fn a_stream_that_nobody_reads_keeps_a_second() {
        let track = Track::new("voice");
        track.set_driver(Arc::default());
        let track = RtcAudioTrack { handle: Arc::new(track) };
        let mut stream = NativeAudioStream::new(track.clone(), 48_000, 1);
        for _ in 0..QUEUE_FRAMES + 50 {
            track.handle.push(&[7; 480], 1);
        }
        let mut context = Context::from_waker(Waker::noop());
        let mut next = || Pin::new(&mut stream).poll_next(&mut context);
        let frames = std::iter::from_fn(|| match next() {
            Poll::Ready(frame) => frame,
            Poll::Pending => None,
        });
        assert_eq!(frames.count(), 100);
    }
}
