//! One who listens to a remote track: frames of 10 ms in its own shape wait here for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use super::audio::clock::RATE_HZ;
use super::audio::resample::{Error, Resampler};

/// Frames that wait where the listener does not say how many: a second.
pub(crate) const QUEUE_FRAMES: usize = 100;

/// One who listens.
pub(crate) struct Listener {
    rate_hz: u32,
    channels: u32,
    limit: usize,
    queue: Mutex<Queue>,
    waker: AtomicWaker,
    ended: AtomicBool,
    dropped: AtomicU64,
}

struct Queue {
    frames: VecDeque<Vec<i16>>,
    resampler: Resampler,
    /// The frame with the listener's channels, at the track's rate.
    mixed: Vec<i16>,
}

impl Listener {
    /// Listens at that rate, with so many channels and at most so many frames that wait.
    ///
    /// # Errors
    /// Where that is no shape of sound.
    pub(crate) fn new(rate_hz: u32, channels: u32, limit: usize) -> Result<Self, Error> {
        let resampler = Resampler::new(RATE_HZ, rate_hz, channels)?;
        let queue = Mutex::new(Queue { frames: VecDeque::new(), resampler, mixed: Vec::new() });
        let (ended, dropped) = (AtomicBool::new(false), AtomicU64::new(0));
        let limit = limit.max(1);
        let waker = AtomicWaker::new();
        Ok(Self { rate_hz, channels, limit, queue, waker, ended, dropped })
    }

    pub(crate) fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    pub(crate) fn channels(&self) -> u32 {
        self.channels
    }

    /// How many frames nobody took in time.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Takes a frame of 10 ms at 48 kHz, with 1 or 2 channels.
    pub(crate) fn give(&self, frame: &[i16], channels: u32) {
        let mut queue = self.queue.lock();
        if queue.frames.len() >= self.limit {
            queue.frames.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        let made = queue.shape(frame, channels, self.channels, self.rate_hz);
        queue.frames.push_back(made);
        drop(queue);
        self.waker.wake();
    }

    /// Nothing more will come.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// The next frame; none after the end.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Vec<i16>>> {
        self.waker.register(context.waker());
        // Looked at first: what was given before the end is still there after it.
        let ended = self.ended.load(Ordering::Acquire);
        match self.queue.lock().frames.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None if ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Queue {
    fn shape(&mut self, frame: &[i16], from: u32, to: u32, rate_hz: u32) -> Vec<i16> {
        let mut made = Vec::with_capacity((rate_hz / 100 * to) as usize);
        if from == to {
            self.resampler.push(frame, &mut made);
            return made;
        }
        self.mixed.clear();
        for sample in frame.chunks_exact(from as usize) {
            let mono = || i16::midpoint(sample[0], sample[sample.len() - 1]);
            let channel =
                |at: u32| if to == 1 { mono() } else { sample[at.min(from - 1) as usize] };
            self.mixed.extend((0..to).map(channel));
        }
        self.resampler.push(&self.mixed, &mut made);
        made
    }
}
