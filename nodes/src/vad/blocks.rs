//! Frames of any length, cut again into the blocks that the detector takes.

use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::message::AudioFrame;

/// The samples of one block: what the detector takes at a time.
pub(super) const BLOCK: usize = 256;

/// The length of one block.
pub(super) const BLOCK_LENGTH: Duration = Duration::from_millis(16);

/// The samples that do not fill a block yet: fewer than [`BLOCK`].
#[derive(Debug)]
pub(super) struct Blocks {
    partial: Vec<i16>,
}

impl Blocks {
    pub(super) fn new() -> Self {
        Self { partial: Vec::with_capacity(BLOCK) }
    }

    /// Takes a frame whose last sample was captured at `captured`, and gives each block that is
    /// full with the capture time of its last sample.
    pub(super) fn push(
        &mut self,
        frame: &AudioFrame,
        captured: Instant,
        mut each: impl FnMut(&[i16], Instant),
    ) {
        let mut rest = frame.samples();
        while self.partial.len() + rest.len() >= BLOCK {
            let (head, tail) = rest.split_at(BLOCK - self.partial.len());
            self.partial.extend_from_slice(head);
            rest = tail;
            each(&self.partial, captured - length_of(rest.len()));
            self.partial.clear();
        }
        self.partial.extend_from_slice(rest);
    }
}

fn length_of(samples: usize) -> Duration {
    let rate = u64::from(AudioFrame::CALLER_RATE_HZ.get());
    Duration::from_nanos(samples as u64 * 1_000_000_000 / rate)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_sample_is_lost_and_each_block_has_its_time(
            lengths in prop::collection::vec(0_usize..1500, 1..20)
        ) {
            let start = Instant::now();
            let (mut blocks, mut cut, mut sent) = (Blocks::new(), Vec::new(), 0);
            for length in lengths {
                let samples: Vec<i16> = (sent..sent + length).map(|n| n as i16).collect();
                sent += length;
                let frame = AudioFrame::new(samples, AudioFrame::CALLER_RATE_HZ);
                blocks.push(&frame, start + length_of(sent), |block, end| {
                    cut.extend_from_slice(block);
                    let error = end.duration_since(start).abs_diff(length_of(cut.len()));
                    assert!(error <= Duration::from_nanos(2), "{error:?}");
                });
            }
            prop_assert_eq!(cut.len(), sent - sent % BLOCK);
            prop_assert!(cut.iter().enumerate().all(|(n, sample)| *sample == n as i16));
        }
    }
}
