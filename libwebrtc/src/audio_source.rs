//! Where sound that is sent comes from.

/// The rate of a source that does not say, in hertz.
pub const DEFAULT_SAMPLE_RATE: u32 = 48_000;

/// The channels of a source that does not say.
pub const DEFAULT_NUM_CHANNELS: u32 = 1;

/// What is to be done to sound before it is sent. Kept and told again; none of it is done here.
#[derive(Default, Debug, Clone)]
pub struct AudioSourceOptions {
    /// Take out what the loudspeaker plays.
    pub echo_cancellation: bool,
    /// Take out noise.
    pub noise_suppression: bool,
    /// Keep it equally loud.
    pub auto_gain_control: bool,
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
    /// Sets the options of a source that the program feeds.
    pub fn set_audio_options(&self, options: AudioSourceOptions) {
        if let Self::Native(source) = self {
            source.set_audio_options(options);
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

    use parking_lot::Mutex;

    use super::AudioSourceOptions;
    use crate::RtcError;
    use crate::audio_frame::AudioFrame;

    /// A source that the program feeds; clones are the same source.
    #[derive(Clone)]
    pub struct NativeAudioSource {
        options: Arc<Mutex<AudioSourceOptions>>,
        sample_rate: u32,
        num_channels: u32,
    }

    impl NativeAudioSource {
        /// A source of that shape.
        pub fn new(
            options: AudioSourceOptions,
            sample_rate: u32,
            num_channels: u32,
            _queue_size_ms: u32,
        ) -> Self {
            Self { options: Arc::new(Mutex::new(options)), sample_rate, num_channels }
        }

        /// Drops what waits to be sent. Nothing does.
        pub fn clear_buffer(&self) {}

        /// Fails: the encoder of sound is not part of this build yet.
        pub async fn capture_frame(&self, _frame: &AudioFrame<'_>) -> Result<(), RtcError> {
            Err(RtcError::unsupported("sending audio"))
        }

        /// Sets its options.
        pub fn set_audio_options(&self, options: AudioSourceOptions) {
            *self.options.lock() = options;
        }

        /// Its options.
        pub fn audio_options(&self) -> AudioSourceOptions {
            self.options.lock().clone()
        }

        /// Its rate, in hertz.
        pub fn sample_rate(&self) -> u32 {
            self.sample_rate
        }

        /// Its channels.
        pub fn num_channels(&self) -> u32 {
            self.num_channels
        }
    }

    impl fmt::Debug for NativeAudioSource {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("NativeAudioSource")
                .field("sample_rate", &self.sample_rate)
                .field("num_channels", &self.num_channels)
                .finish()
        }
    }
}
