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
    pub(crate) fn push(&self, frame: &[i16], channels: u32) {
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
        // Looked at first: what was pushed before the end is still there after it.
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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn take(listener: &Listener) -> Poll<Option<Vec<i16>>> {
        listener.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_oldest_frame_is_dropped_and_counted() {
        let listener = Listener::new(RATE_HZ, 1, 3).unwrap();
        for number in 0..5 {
            listener.push(&[number; 480], 1);
        }
        assert_eq!(listener.dropped(), 2);
        for number in 2..5 {
            assert_eq!(take(&listener), Poll::Ready(Some(vec![number; 480])));
        }
        assert!(take(&listener).is_pending());
    }

    #[test]
    fn what_came_before_the_end_is_still_heard() {
        let listener = Listener::new(RATE_HZ, 1, 3).unwrap();
        listener.push(&[1; 480], 1);
        listener.end();
        assert!(matches!(take(&listener), Poll::Ready(Some(_))));
        assert_eq!(take(&listener), Poll::Ready(None));
    }

    #[test]
    fn channels_are_mixed_and_spread() {
        let stereo: Vec<i16> = [1_000, 3_000].repeat(480);
        for (from, frame, to, expected) in [
            (2, stereo.clone(), 1, vec![2_000; 480]),
            (1, vec![7; 480], 2, vec![7; 960]),
            (2, stereo.clone(), 2, stereo.clone()),
            (2, stereo, 3, [1_000, 3_000, 3_000].repeat(480)),
        ] {
            let listener = Listener::new(RATE_HZ, to, 1).unwrap();
            listener.push(&frame, from);
            assert_eq!(take(&listener), Poll::Ready(Some(expected)), "{from} to {to}");
        }
    }

    #[test]
    fn a_frame_is_ten_milliseconds_at_each_rate() {
        for rate in [8_000, 16_000, 24_000, 44_100, 48_000] {
            let listener = Listener::new(rate, 2, 1).unwrap();
            listener.push(&[0; 480], 1);
            let Poll::Ready(Some(frame)) = take(&listener) else { panic!("a frame") };
            assert_eq!(frame.len() as u32, rate / 100 * 2);
        }
        assert!(Listener::new(0, 1, 1).is_err());
        assert!(Listener::new(48_000, 0, 1).is_err());
        assert!(Listener::new(22_050, 1, 1).is_err());
    }
}
