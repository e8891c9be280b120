//! What a side says, by its own clock, and what it hears.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::Stream;

use crate::audio_frame::AudioFrame;
use crate::audio_source::native::NativeAudioSource;
use crate::audio_stream::native::NativeAudioStream;
use crate::audio_track::RtcAudioTrack;
use crate::imp::audio::jitter::Stats;

const FRAME: Duration = Duration::from_millis(10);
const RATE_HZ: u32 = 48_000;

/// Gives so many samples of what is said.
type Say = Box<dyn FnMut(usize) -> Vec<i16>>;

/// A mouth and an ear, as programs have them: a source that is fed every 10 ms, and a stream.
pub(super) struct Voice {
    source: NativeAudioSource,
    say: Say,
    /// When the next frame is whole, by the side's clock, once it talks.
    next: Option<Duration>,
    stream: Option<NativeAudioStream>,
    pub(super) heard: Heard,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Heard {
    /// Mono at 48 kHz, from the moment on at which the two began to talk.
    pub(super) samples: Vec<i16>,
    /// At the end of each frame.
    pub(super) stats: Vec<Stats>,
}

impl Voice {
    pub(super) fn new(source: NativeAudioSource, say: Say) -> Self {
        Self { source, say, next: None, stream: None, heard: Heard::default() }
    }

    /// Begins to talk, and to listen.
    pub(super) fn begin(&mut self, now: Duration, track: Option<RtcAudioTrack>) {
        self.next = Some(now + FRAME);
        self.stream = track.map(|track| NativeAudioStream::new(track, RATE_HZ as i32, 1));
    }

    /// When it has something to say.
    pub(super) fn due(&self) -> Option<Duration> {
        self.next
    }

    /// Says what is due.
    pub(super) fn speak(&mut self, now: Duration) {
        while let Some(next) = self.next.filter(|next| *next <= now) {
            self.next = Some(next + FRAME);
            let data = (self.say)(480).into();
            let frame = AudioFrame {
                data,
                sample_rate: RATE_HZ,
                num_channels: 1,
                samples_per_channel: 480,
            };
            let captured = pin!(self.source.capture_frame(&frame))
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(captured, Poll::Ready(Ok(()))), "a source without a queue takes all");
        }
    }

    /// Takes what is there to hear.
    pub(super) fn listen(&mut self, stats: impl Fn() -> Stats) {
        let Some(stream) = &mut self.stream else { return };
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(frame)) = Pin::new(&mut *stream).poll_next(&mut context) {
            self.heard.samples.extend_from_slice(&frame.data);
            self.heard.stats.push(stats());
        }
    }
}
