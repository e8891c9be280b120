//! Where audio is loud: frames of 20 ms, each loud or not by its RMS level. Nothing here knows
//! what an utterance is.

/// Frames per second.
const FRAMES_PER_SECOND: u32 = 50;

/// The RMS level from which a frame counts as speech.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Threshold {
    mean_square: f64,
}

impl Threshold {
    /// A level in dB below full scale, e.g. −42.
    pub(crate) fn from_dbfs(level_dbfs: f64) -> Self {
        let amplitude = 32_768.0 * 10f64.powf(level_dbfs / 20.0);
        Self { mean_square: amplitude * amplitude }
    }

    /// Whether `frame` is at least as loud.
    pub(crate) fn is_loud(self, frame: &[i16]) -> bool {
        let sum: f64 = frame.iter().map(|&sample| f64::from(sample) * f64::from(sample)).sum();
        !frame.is_empty() && sum / frame.len() as f64 >= self.mean_square
    }
}

impl Default for Threshold {
    /// −42 dBFS: above the noise floor of a quiet line, below soft speech.
    fn default() -> Self {
        Self::from_dbfs(-42.0)
    }
}

/// Cuts a stream of samples into 20 ms frames; what is left waits for more.
#[derive(Debug)]
pub(crate) struct Framer {
    length: usize,
    rest: Vec<i16>,
}

impl Framer {
    /// Frames of 20 ms at `rate_hz`, at least one sample each.
    pub(crate) fn new(rate_hz: u32) -> Self {
        Self { length: (rate_hz / FRAMES_PER_SECOND).max(1) as usize, rest: Vec::new() }
    }

    /// Samples per frame.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Calls `frame` with each frame that `samples` completes.
    pub(crate) fn push(&mut self, samples: &[i16], mut frame: impl FnMut(&[i16])) {
        self.rest.extend_from_slice(samples);
        let whole = self.rest.len() / self.length * self.length;
        self.rest[..whole].chunks_exact(self.length).for_each(&mut frame);
        self.rest.drain(..whole);
    }
}

/// The first loud sample and one past the last, or `None` for silence.
pub(crate) fn loud_span(
    samples: &[i16],
    rate_hz: u32,
    threshold: Threshold,
) -> Option<(usize, usize)> {
    let length = Framer::new(rate_hz).length();
    let loud = |frame: &[i16]| threshold.is_loud(frame);
    let first = samples.chunks(length).position(loud)?;
    let last = samples.chunks(length).rposition(loud)?;
    Some((first * length, ((last + 1) * length).min(samples.len())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn level_is_rms_in_dbfs() {
        let threshold = Threshold::from_dbfs(-20.0);
        assert!(threshold.is_loud(&[3_277; 320]));
        assert!(!threshold.is_loud(&[3_276; 320]));
        assert!(!threshold.is_loud(&[]));
    }

    proptest! {
        #[test]
        fn loud_span_finds_the_burst(
            (before, loud, after) in (0usize..40, 1usize..40, 0usize..40),
        ) {
            let frames = [(before, 0i16), (loud, 8_000), (after, 0)];
            let samples: Vec<i16> =
                frames.iter().flat_map(|&(count, level)| vec![level; count * 320]).collect();
            let span = loud_span(&samples, 16_000, Threshold::default());
            prop_assert_eq!(span, Some((before * 320, (before + loud) * 320)));
        }

        #[test]
        fn frames_are_the_same_however_the_stream_is_cut(
            cuts in prop::collection::vec(0usize..900, 1..20),
        ) {
            let total: usize = cuts.iter().sum();
            let samples: Vec<i16> = (0..total).map(|index| index as i16).collect();
            let mut framer = Framer::new(16_000);
            let mut seen = Vec::new();
            let mut rest = samples.as_slice();
            for cut in cuts {
                let (head, tail) = rest.split_at(cut);
                framer.push(head, |frame| seen.extend_from_slice(frame));
                rest = tail;
            }
            prop_assert_eq!(&seen[..], &samples[..total / 320 * 320]);
        }
    }
}
