//! Sound both ways.
use std::time::Duration;

use super::in_virtual_time;
use super::voice::Heard;
use super::world::{CONNECTED_AT, World};
use crate::imp::audio::tests::network::{Conditions, Jitter, Loss, Outage};
use crate::imp::audio::tests::tone::{Tone, level, purity};

async fn talk(conditions: &Conditions, drift_ppm: f64, seed: u64, length: Duration) -> [Heard; 2] {
    let mut world = World::new(drift_ppm);
    for side in [0, 1] {
        let mut tone = Tone::new(440.0, 48_000, 9_000.0);
        world.speak(side, move |count| tone.take(count));
    }
    world.connect(conditions, seed).await;
    world.run_until(CONNECTED_AT + length).await;
    world.voices.map(|voice| voice.unwrap().heard)
}

#[test]
fn a_run_replays_from_its_seed() {
    for loss in [Loss::None, Loss::Random(0.1)] {
        let conditions = Conditions { loss, ..Conditions::clean() };
        let run = |seed| in_virtual_time(talk(&conditions, 0.0, seed, Duration::from_secs(20)));
        let [first, second] = [run(1), run(1)];
        for side in [0, 1] {
            let h = &first[side];
            eprintln!(
                "{} {} {:?} {}",
                h.samples.len(),
                level(&h.samples),
                h.stats.last(),
                purity(&h.samples[4 * 48_000..], 440.0, 48_000)
            );
            assert!(first[side].samples == second[side].samples);
            assert!(first[side].stats == second[side].stats);
        }
    }
}
