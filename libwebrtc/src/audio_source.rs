//! Where sound that is sent comes from.

use crate::imp::absent;

/// The rate of a source that does not say, in hertz.
pub const DEFAULT_SAMPLE_RATE: u32 = 48_000;

/// The channels of a source that does not say.
pub const DEFAULT_NUM_CHANNELS: u32 = 1;

/// What is to be done to sound before it is sent. None of it is done in this build: it is kept,
/// told again, and where any is asked for the log says so once.
#[derive(Default, Debug, Clone)]
pub struct AudioSourceOptions {
    /// Take out what the loudspeaker plays.
    pub echo_cancellation: bool,
    /// Take out noise.
    pub noise_suppression: bool,
    /// Keep it equally loud.
    pub auto_gain_control: bool,
}

impl AudioSourceOptions {
    /// Says once that what is asked for is not done.
    fn checked(self) -> Self {
        if self.echo_cancellation || self.noise_suppression || self.auto_gain_control {
            absent::warn_once("processing of captured sound");
        }
        self
    }
}

/// A source of sound.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub enum RtcAudioSource {
    /// One that the program feeds.
    Native(native::NativeAudioSource),
    /// The microphone. This build has none: its track stays silent.
    Device,
}

impl RtcAudioSource {
    /// Sets the options of a source that the program feeds. A microphone's are not
    /// kept.
    pub fn set_audio_options(&self, options: AudioSourceOptions) {
        match self {
            Self::Native(source) => source.set_audio_options(options),
            Self::Device => drop(options.checked()),
        }
    }

    /// Its options.
    pub fn audio_options(&self) -> AudioSourceOptions {
        match self {
            Self::Native(source) => source.audio_options(),
            Self::Device => AudioSourceOptions::default(),
        }
    }

    /// Its rate, in hertz.
    pub fn sample_rate(&self) -> u32 {
        match self {
            Self::Native(source) => source.sample_rate(),
            Self::Device => DEFAULT_SAMPLE_RATE,
        }
    }

    /// Its channels.
    pub fn num_channels(&self) -> u32 {
        match self {
            Self::Native(source) => source.num_channels(),
            Self::Device => DEFAULT_NUM_CHANNELS,
        }
    }
}

/// The source that the program feeds.
pub mod native {
    use std::fmt;
    use std::sync::Arc;
    use std::time::Duration;

    use parking_lot::Mutex;

    use super::AudioSourceOptions;
    use crate::RtcError;
    use crate::audio_frame::AudioFrame;
    use crate::imp::feed::Feed;

    /// A source that the program feeds; clones are the same source.
    #[derive(Clone)]
    pub struct NativeAudioSource {
        feed: Arc<Feed>,
        options: Arc<Mutex<AudioSourceOptions>>,
    }

    impl NativeAudioSource {
        /// A source of that rate, in hertz, with 1 or 2 channels. At most `queue_size_ms` of sound
        /// wait to be sent, 10 000 at the most; 0 sends each packet as soon as it is full.
        pub fn new(
            options: AudioSourceOptions,
            sample_rate: u32,
            num_channels: u32,
            queue_size_ms: u32,
        ) -> Self {
            let queue = Duration::from_millis(queue_size_ms.into());
            let feed = Feed::new(sample_rate, num_channels, queue);
            Self { feed, options: Arc::new(Mutex::new(options.checked())) }
        }

        pub(crate) fn into_feed(self) -> Arc<Feed> {
            self.feed
        }

        /// Drops what waits to be sent.
        pub fn clear_buffer(&self) {
            self.feed.clear();
        }

        /// Takes a frame of any length, and returns when all of it waits to be sent.
        ///
        /// # Errors
        /// Where the frame's shape is not the source's, or not its own.
        pub async fn capture_frame(&self, frame: &AudioFrame<'_>) -> Result<(), RtcError> {
            let (rate, channels) = (self.sample_rate(), self.num_channels());
            if (frame.sample_rate, frame.num_channels) != (rate, channels) {
                return Err(RtcError::invalid_state(format!(
                    "a frame of {} Hz and {} channels for a source of {rate} Hz and {channels}",
                    frame.sample_rate, frame.num_channels,
                )));
            }
            let values = u64::from(frame.samples_per_channel) * u64::from(channels);
            if frame.data.len() as u64 != values {
                return Err(RtcError::invalid_state(format!(
                    "a frame of {} values that should have {values}",
                    frame.data.len(),
                )));
            }
            self.feed.capture(&frame.data).await;
            Ok(())
        }

        /// Sets its options.
        pub fn set_audio_options(&self, options: AudioSourceOptions) {
            *self.options.lock() = options.checked();
        }

        /// Its options.
        pub fn audio_options(&self) -> AudioSourceOptions {
            self.options.lock().clone()
        }

        /// Its rate, in hertz.
        pub fn sample_rate(&self) -> u32 {
            self.feed.rate_hz()
        }

        /// Its channels.
        pub fn num_channels(&self) -> u32 {
            self.feed.channels()
        }
    }

    impl fmt::Debug for NativeAudioSource {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("NativeAudioSource")
                .field("sample_rate", &self.sample_rate())
                .field("num_channels", &self.num_channels())
                .finish()
        }
    }
}
