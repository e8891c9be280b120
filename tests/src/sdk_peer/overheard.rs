//! What a peer hears of another while it speaks itself, both on the peer's own clock.

use std::time::Duration;

use serde_json::json;

use super::{LIMIT, SdkPeer, with};
use crate::sound::Sound;

/// What was heard of another's track while a sound was played.
#[derive(Clone, Debug)]
pub struct Overheard {
    /// All that was heard.
    pub sound: Sound,
    /// When each of its frames, which are of one length, came out of the SDK: since the first
    /// sample of what was played was handed to it.
    pub times: Vec<Duration>,
}

impl Overheard {
    /// The samples of a frame.
    fn frame_length(&self) -> usize {
        assert!(!self.times.is_empty(), "the peer waits for a frame");
        self.sound.samples.len() / self.times.len()
    }

    /// When each frame was heard, and its loudness.
    fn frames(&self) -> impl Iterator<Item = (Duration, f64)> {
        let frames = self.sound.samples.chunks_exact(self.frame_length());
        let rate_hz = self.sound.rate_hz;
        let loudness = move |it: &[i16]| Sound { rate_hz, samples: it.to_vec() }.loudness();
        self.times.iter().copied().zip(frames.map(loudness))
    }

    /// When the first frame that is louder than `level` was heard.
    pub fn begins(&self, level: f64) -> Option<Duration> {
        self.frames().find(|(_, loudness)| *loudness > level).map(|(at, _)| at)
    }

    /// When the last one was.
    pub fn ends(&self, level: f64) -> Option<Duration> {
        self.frames().filter(|(_, loudness)| *loudness > level).last().map(|(at, _)| at)
    }

    /// What was heard from then on.
    pub fn since(&self, at: Duration) -> Sound {
        let before = self.times.iter().take_while(|time| **time < at).count();
        let samples = self.sound.samples[before * self.frame_length()..].to_vec();
        Sound { samples, ..self.sound }
    }
}

impl SdkPeer {
    /// Plays `said` on its own track, and hears for so long what is heard of the others' track of
    /// the name `other`, which is there already.
    ///
    /// # Panics
    /// Where that takes more than [`LIMIT`] beyond their lengths.
    pub async fn overhear(
        &self,
        track: &str,
        said: &Sound,
        other: &str,
        for_: Duration,
    ) -> Overheard {
        let (wav, heard) = (self.file(), self.file());
        said.write(&wav);
        let form = json!({
            "wav": wav, "track": other, "heard": heard, "rate_hz": 24_000,
            "ms": for_.as_millis() as u64,
        });
        let limit = LIMIT + said.length() + for_;
        let told = self.told_for(with("overhear", track, form), limit).await;
        let times = told["times_ms"].as_array().expect("it is a list").iter();
        let time = |ms: &serde_json::Value| ms.as_f64().expect("a number") / 1_000.0;
        let times = times.map(|ms| Duration::from_secs_f64(time(ms))).collect();
        Overheard { sound: Sound::read(&heard).remove(0), times }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = 240;

    /// Silence, sound and silence, whose frames came when they could.
    fn heard() -> Overheard {
        let samples = [0, 900, 900, 0].into_iter().flat_map(|level| [level; FRAME]).collect();
        let times = [10, 35, 36, 60].map(Duration::from_millis).to_vec();
        Overheard { sound: Sound { rate_hz: 24_000, samples }, times }
    }

    #[test]
    fn what_counts_is_when_a_frame_came() {
        assert_eq!(heard().begins(300.0), Some(Duration::from_millis(35)));
        assert_eq!(heard().ends(300.0), Some(Duration::from_millis(36)));
        assert_eq!(heard().begins(1_000.0), None);
    }

    #[test]
    fn what_came_before_is_left_out() {
        let rest = heard().since(Duration::from_millis(36));
        assert_eq!((rest.samples.len(), rest.samples[0]), (2 * FRAME, 900));
        assert!(heard().since(Duration::from_secs(1)).samples.is_empty());
    }
}
