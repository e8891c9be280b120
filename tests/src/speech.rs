//! How alike the loudness of what was said and of what was heard go, whatever the rates of the two.
//! A delay does not count: it is found.

use crate::sound::Sound;

/// The length of a frame and the step from one to the next, in ms.
const FRAME_MS: u64 = 20;
const HOP_MS: u64 = 5;

/// The greatest delay that is looked for, in hops: 2 s.
const MAX_DELAY: usize = 400;

/// How alike two sounds are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// The correlation of their loudness over time: 1 for equal.
    pub envelope: f64,
    /// How much louder the second is, in dB.
    pub level_db: f64,
    /// How much later the second is, in ms.
    pub delay_ms: u64,
}

/// Compares what was said with what was heard. `None` where less was heard than was said.
pub fn compare(said: &Sound, heard: &Sound) -> Option<Likeness> {
    let (said, heard) = (envelope(said), envelope(heard));
    let delays = heard.len().checked_sub(said.len())?.min(MAX_DELAY);
    let part = |delay: usize| &heard[delay..][..said.len()];
    let scored = (0..=delays).map(|delay| (delay, correlation(&said, part(delay))));
    let (delay, envelope) = scored.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let energy = |levels: &[f64]| levels.iter().map(|level| level.powi(2)).sum::<f64>();
    let level_db = 10.0 * (energy(part(delay)) / energy(&said)).log10();
    Some(Likeness { envelope, level_db, delay_ms: delay as u64 * HOP_MS })
}

fn frames(sound: &Sound) -> impl Iterator<Item = &[i16]> {
    let (length, hop) = (sound.samples_in(FRAME_MS), sound.samples_in(HOP_MS));
    sound.samples.windows(length).step_by(hop)
}

fn envelope(sound: &Sound) -> Vec<f64> {
    let loudness = |frame: &[i16]| Sound { samples: frame.to_vec(), ..*sound }.loudness();
    frames(sound).map(loudness).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut only_a, mut only_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        both += a * b;
        only_a += a * a;
        only_b += b * b;
    }
    both / (only_a * only_b).sqrt().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    fn caller() -> Sound {
        let path = workspace::root().join("pipelines/clinic/demo/caller.wav");
        Sound::read(&path).remove(0).part(0, 3_000)
    }

    #[test]
    fn the_same_later_is_alike() {
        let likeness = compare(&caller(), &caller().after_silence(300)).unwrap();
        assert!(likeness.envelope > 0.9999 && likeness.level_db.abs() < 0.01, "{likeness:?}");
        assert_eq!(likeness.delay_ms, 300);
    }

    #[test]
    fn what_is_lost_shows() {
        let mut holes = caller();
        for packet in holes.samples.chunks_exact_mut(320).step_by(10) {
            packet.fill(0);
        }
        let likeness = compare(&caller(), &holes).unwrap();
        assert!(likeness.envelope < 0.98, "{likeness:?}");
    }

    #[test]
    fn other_words_are_not_alike() {
        let path = workspace::root().join("pipelines/clinic/demo/agent-hours.wav");
        let other = Sound::read(&path).remove(0).part(0, 5_000);
        let likeness = compare(&caller(), &other).unwrap();
        assert!(likeness.envelope < 0.7, "{likeness:?}");
    }
}
