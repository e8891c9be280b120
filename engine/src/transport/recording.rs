//! Records a call as a WAV file: what the caller said and what the caller was played, at their
//! times.
//!
//! Both sides write at the instants of the call's clock. Half a second stays in memory, since the
//! sides are not told in step; what is older goes to the file. Resampling is done here, so each
//! side may come at any rate.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufWriter;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};
use tokio::time::Instant;

use super::{FileError, Resampler};
use crate::message::AudioFrame;

/// How far back a side may still write. The caller's frames are told at their end, 20 ms after
/// their beginning, and a resampler holds back 12 ms: this is ample.
const HORIZON: Duration = Duration::from_millis(500);

/// What a recording holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Two channels: the caller on the left, the agent on the right.
    Both,
    /// One channel: the agent.
    Agent,
}

/// One call's recording. Clones write to the same file, which is complete once
/// [`finish`](Self::finish) was called or the last clone is gone.
#[derive(Clone)]
pub struct Recording(Arc<Mutex<Recorder>>);

/// The side of a call.
#[derive(Clone, Copy)]
enum Side {
    Caller = 0,
    Agent = 1,
}

struct Recorder {
    path: PathBuf,
    rate: NonZeroU32,
    layout: Layout,
    writer: Option<WavWriter<BufWriter<File>>>,
    failure: Option<hound::Error>,
    start: Option<Instant>,
    tracks: [Track; 2],
    window: Window,
}

/// One side: where its sound has come to.
#[derive(Default)]
struct Track {
    resampler: Option<Resampler>,
    /// The place of the next sample.
    next: u64,
    /// When the sound written so far is over.
    until: Option<Instant>,
}

/// The last stretch of both sides, not yet in the file.
#[derive(Default)]
struct Window {
    first: u64,
    frames: VecDeque<[i16; 2]>,
}

impl Recording {
    /// Begins the file at `path`, of 16 bits at `rate` samples per second.
    ///
    /// # Errors
    /// [`FileError::Write`] where the file cannot be made.
    pub fn create(path: &Path, rate: NonZeroU32, layout: Layout) -> Result<Self, FileError> {
        let channels = if layout == Layout::Both { 2 } else { 1 };
        let spec = WavSpec {
            channels,
            sample_rate: rate.get(),
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let writer = WavWriter::create(path, spec)
            .map_err(|source| FileError::Write { path: path.into(), source })?;
        Ok(Self(Arc::new(Mutex::new(Recorder {
            path: path.into(),
            rate,
            layout,
            writer: Some(writer),
            failure: None,
            start: None,
            tracks: Default::default(),
            window: Window::default(),
        }))))
    }

    /// Samples per second of the file.
    pub fn sample_rate_hz(&self) -> NonZeroU32 {
        self.lock().rate
    }

    /// The file begins at `at`, unless it has begun.
    pub(super) fn start(&self, at: Instant) {
        self.lock().start.get_or_insert(at);
    }

    /// The caller's `frame` began to be captured at `begin`.
    pub(super) fn caller(&self, begin: Instant, frame: &AudioFrame) {
        self.lock().write(Side::Caller, begin, frame);
    }

    /// The agent's `frame` began to be played at `begin`.
    pub(super) fn agent(&self, begin: Instant, frame: &AudioFrame) {
        self.lock().write(Side::Agent, begin, frame);
    }

    /// Writes what is left and completes the file. What comes later is left out.
    ///
    /// # Errors
    /// [`FileError::Write`] where some part of the recording could not be written.
    pub fn finish(&self) -> Result<(), FileError> {
        self.lock().finish()
    }

    fn lock(&self) -> MutexGuard<'_, Recorder> {
        self.0.lock().expect("no panic holds this lock")
    }
}

impl Recorder {
    fn write(&mut self, side: Side, begin: Instant, frame: &AudioFrame) {
        if self.writer.is_none() {
            return;
        }
        let start = *self.start.get_or_insert(begin);
        let place = place(begin.saturating_duration_since(start), self.rate);
        let settled = place.saturating_sub(self::place(HORIZON, self.rate));
        self.settle(settled);
        self.tracks[side as usize].write(side, begin, place, frame, self.rate, &mut self.window);
    }

    /// Writes all before the sample `until` to the file.
    fn settle(&mut self, until: u64) {
        while self.window.first < until {
            let frame = self.window.frames.pop_front().unwrap_or_default();
            self.window.first += 1;
            let Some(writer) = &mut self.writer else { return };
            let sides = if self.layout == Layout::Both { &frame[..] } else { &frame[1..] };
            if let Err(error) = sides.iter().try_for_each(|sample| writer.write_sample(*sample)) {
                self.failure.get_or_insert(error);
                self.writer = None;
            }
        }
    }

    fn finish(&mut self) -> Result<(), FileError> {
        for (track, side) in self.tracks.iter_mut().zip([Side::Caller, Side::Agent]) {
            track.flush(side, &mut self.window);
        }
        self.settle(self.window.first + self.window.frames.len() as u64);
        let finished = self.writer.take().map_or(Ok(()), WavWriter::finalize);
        match self.failure.take().map_or(finished, Err) {
            Ok(()) => Ok(()),
            Err(source) => Err(FileError::Write { path: self.path.clone(), source }),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::warn!(%error, "recording is incomplete");
        }
    }
}

impl Track {
    fn write(
        &mut self,
        side: Side,
        begin: Instant,
        place: u64,
        frame: &AudioFrame,
        rate: NonZeroU32,
        window: &mut Window,
    ) {
        let same_rate =
            self.resampler.as_ref().is_some_and(|it| it.from_hz() == frame.sample_rate_hz());
        if self.until != Some(begin) || !same_rate {
            self.flush(side, window);
            self.next = place;
        }
        let resampler =
            self.resampler.get_or_insert_with(|| Resampler::new(frame.sample_rate_hz(), rate));
        let mut samples = Vec::with_capacity(frame.samples().len());
        resampler.push(frame.samples(), &mut samples);
        self.put(side, &samples, window);
        self.until = Some(begin + frame.length());
    }

    /// Writes what the resampler held back: the sound pauses here.
    fn flush(&mut self, side: Side, window: &mut Window) {
        if let Some(mut resampler) = self.resampler.take() {
            let mut rest = Vec::new();
            resampler.flush(&mut rest);
            self.put(side, &rest, window);
        }
    }

    fn put(&mut self, side: Side, samples: &[i16], window: &mut Window) {
        window.put(side, self.next, samples);
        self.next += samples.len() as u64;
    }
}

impl Window {
    fn put(&mut self, side: Side, from: u64, samples: &[i16]) {
        for (place, &sample) in (from..).zip(samples) {
            let Some(index) = place.checked_sub(self.first) else { continue };
            let index = usize::try_from(index).expect("the window is short");
            if index >= self.frames.len() {
                self.frames.resize(index + 1, [0; 2]);
            }
            self.frames[index][side as usize] = sample;
        }
    }
}

/// The number of the sample at `time`, rounded.
fn place(time: Duration, rate: NonZeroU32) -> u64 {
    let samples = (time.as_nanos() * u128::from(rate.get()) + 500_000_000) / 1_000_000_000;
    u64::try_from(samples).expect("a call is shorter than ages")
}
