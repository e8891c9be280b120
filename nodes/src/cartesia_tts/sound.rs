//! The turn's sound on its way from the provider's chunks to exact frames.
//!
//! In come bytes, i16 little-endian mono, in chunks of any size; out go frames of 20 ms, the last
//! of which may be shorter or empty. Speech is made faster than it is played, so most of it waits
//! here: where a context breaks off, what was not passed on can still be cut back to the last whole
//! word.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use voicegraph_engine::message::AudioFrame;

/// The sound of one turn that was received and not passed on yet.
#[derive(Debug)]
pub(super) struct Sound {
    rate: NonZeroU32,
    frame_samples: usize,
    odd: Option<u8>,
    partial: Vec<i16>,
    frames: VecDeque<AudioFrame>,
    /// Samples in `frames`.
    framed: usize,
    /// Samples passed on so far.
    passed: usize,
    finished: bool,
}

impl Sound {
    /// No sound yet, of `rate` samples per second.
    pub(super) fn new(rate: NonZeroU32) -> Self {
        let frame_samples = samples_in(AudioFrame::LENGTH, rate);
        let (partial, frames) = (Vec::new(), VecDeque::new());
        Self {
            rate,
            frame_samples,
            odd: None,
            partial,
            frames,
            framed: 0,
            passed: 0,
            finished: false,
        }
    }

    /// Appends a chunk; half a sample waits for its other half.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        if let (Some(low), Some((high, rest))) = (self.odd, bytes.split_first()) {
            self.fill([i16::from_le_bytes([low, *high])].into_iter());
            (self.odd, bytes) = (None, rest);
        }
        let (pairs, odd) = bytes.as_chunks::<2>();
        self.fill(pairs.iter().map(|pair| i16::from_le_bytes(*pair)));
        self.odd = odd.first().copied().or(self.odd);
    }

    /// A context is over: half a sample of it never finds its other half.
    pub(super) fn align(&mut self) {
        self.odd = None;
    }

    /// The sound is complete: what is left becomes the last frame.
    pub(super) fn finish(&mut self) {
        assert!(!self.finished, "a turn's sound is finished once");
        self.align();
        let samples = std::mem::take(&mut self.partial);
        self.framed += samples.len();
        self.frames.push_back(AudioFrame::new(samples, self.rate));
        self.finished = true;
    }

    /// The next frame, and whether it is the turn's last.
    pub(super) fn pop(&mut self) -> Option<(AudioFrame, bool)> {
        let frame = self.frames.pop_front()?;
        self.framed -= frame.samples().len();
        self.passed += frame.samples().len();
        Some((frame, self.is_over()))
    }

    /// Whether a frame is to be passed on.
    pub(super) fn has_frame(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Whether a frame is or was to be passed on.
    pub(super) fn has_begun(&self) -> bool {
        self.has_frame() || self.passed > 0
    }

    /// Whether everything was passed on.
    pub(super) fn is_over(&self) -> bool {
        self.finished && self.frames.is_empty()
    }

    /// Whether the sound is complete.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The length of all sound so far, less what was cut off.
    pub(super) fn received(&self) -> Duration {
        self.length(self.passed + self.waiting_samples())
    }

    /// The length of the sound that waits.
    pub(super) fn waiting(&self) -> Duration {
        self.length(self.waiting_samples())
    }

    /// Cuts off the sound from `end` on, save what was passed on already.
    pub(super) fn cut(&mut self, end: Duration) {
        assert!(!self.finished, "only sound that broke off is cut");
        let mut keep = samples_in(end, self.rate).saturating_sub(self.passed);
        let waiting = std::mem::take(&mut self.frames);
        self.framed = 0;
        let partial = std::mem::take(&mut self.partial);
        for samples in waiting.iter().map(AudioFrame::samples).chain([partial.as_slice()]) {
            let kept = keep.min(samples.len());
            self.fill(samples[..kept].iter().copied());
            keep -= kept;
        }
        self.align();
    }

    /// Makes frames of what fills them; the rest waits.
    fn fill(&mut self, mut samples: impl ExactSizeIterator<Item = i16>) {
        while samples.len() > 0 {
            let room = self.frame_samples - self.partial.len();
            self.partial.reserve_exact(room);
            self.partial.extend(samples.by_ref().take(room));
            if self.partial.len() == self.frame_samples {
                self.frames.push_back(AudioFrame::new(self.partial.as_slice(), self.rate));
                self.framed += self.frame_samples;
                self.partial.clear();
            }
        }
    }

    fn waiting_samples(&self) -> usize {
        self.framed + self.partial.len()
    }

    fn length(&self, samples: usize) -> Duration {
        Duration::from_nanos(samples as u64 * 1_000_000_000 / u64::from(self.rate.get()))
    }
}

fn samples_in(length: Duration, rate: NonZeroU32) -> usize {
    let samples = length.as_nanos() * u128::from(rate.get()) / 1_000_000_000;
    usize::try_from(samples).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sound() -> Sound {
        Sound::new(NonZeroU32::new(8000).expect("not zero"))
    }

    fn bytes(samples: impl IntoIterator<Item = i16>) -> Vec<u8> {
        samples.into_iter().flat_map(i16::to_le_bytes).collect()
    }

    /// The frames' samples, and which of them is the last.
    fn drain(sound: &mut Sound) -> Vec<(Vec<i16>, bool)> {
        let frames = std::iter::from_fn(|| sound.pop());
        frames.map(|(frame, last)| (frame.samples().to_vec(), last)).collect()
    }

    #[test]
    fn the_last_frame_is_what_is_left() {
        let mut sound = sound();
        sound.push(&bytes(0..170));
        sound.finish();
        let (first, last) = ((0..160).collect(), (160..170).collect());
        assert_eq!(drain(&mut sound), [(first, false), (last, true)]);
        assert!(sound.is_over());
    }

    #[test]
    fn a_turn_without_sound_has_one_empty_last_frame() {
        let mut sound = sound();
        sound.finish();
        assert_eq!(drain(&mut sound), [(vec![], true)]);
    }

    #[test]
    fn a_cut_spares_what_was_passed_on() {
        let mut sound = sound();
        sound.push(&bytes(0..500));
        sound.pop();
        sound.cut(Duration::from_millis(30));
        assert_eq!(sound.received(), Duration::from_millis(30));
        sound.cut(Duration::from_millis(10));
        assert_eq!(sound.received(), Duration::from_millis(20));
        sound.push(&bytes(1000..1160));
        sound.finish();
        let frames = drain(&mut sound);
        assert_eq!(frames[0].0, (1000..1160).collect::<Vec<i16>>());
    }

    #[test]
    fn a_cut_beyond_the_end_keeps_all() {
        let mut sound = sound();
        sound.push(&bytes(0..500));
        let received = sound.received();
        sound.cut(Duration::from_secs(9));
        assert_eq!(sound.received(), received);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_frames(
            samples in prop::collection::vec(any::<i16>(), 0..700),
            sizes in prop::collection::vec(1_usize..50, 1..40),
        ) {
            let bytes = bytes(samples.iter().copied());
            let mut sound = sound();
            let (mut rest, mut sizes) = (bytes.as_slice(), sizes.into_iter().cycle());
            while !rest.is_empty() {
                let size = sizes.next().expect("endless").min(rest.len());
                sound.push(&rest[..size]);
                rest = &rest[size..];
            }
            sound.finish();
            let frames = drain(&mut sound);
            let (_, whole) = frames.split_last().expect("a last frame");
            prop_assert!(whole.iter().all(|(frame, last)| frame.len() == 160 && !last));
            let joined: Vec<i16> = frames.into_iter().flat_map(|(frame, _)| frame).collect();
            prop_assert_eq!(joined, samples);
        }
    }
}
