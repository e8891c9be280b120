//! What has to hold for a call on a bad network: sound goes on, stays pure, and is not late.

use std::time::Duration;

use super::call::{Call, Heard, with_many_seeds, with_seeds};
use super::network::{Conditions, Jitter, Loss, Outage};
use super::tone::{Tone, level, purity, voice};

const AMPLITUDE: f64 = 9_000.0;

/// What the tone's level is.
const LOUD: f64 = AMPLITUDE * 0.707;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn tone() -> impl FnMut(usize) -> Vec<i16> {
    let mut tone = Tone::new(440.0, 48_000, AMPLITUDE);
    move |count| tone.take(count)
}

/// A tone that sounds every other `stretch`.
fn bursts(stretch: Duration) -> impl FnMut(usize) -> Vec<i16> {
    let mut tone = Tone::new(440.0, 48_000, AMPLITUDE);
    let mut said = Duration::ZERO;
    move |count| {
        let speaks = (said.as_millis() / stretch.as_millis()).is_multiple_of(2);
        said += ms(10);
        let sound = tone.take(count);
        if speaks { sound } else { vec![0; count] }
    }
}

/// The share of frames of 10 ms in which less than half of the tone's level is heard.
fn gaps(samples: &[i16]) -> f64 {
    let frames: Vec<_> = samples.chunks_exact(480).collect();
    let quiet = frames.iter().filter(|frame| level(frame) < 0.5 * LOUD).count();
    quiet as f64 / frames.len() as f64
}

/// The most frames of 10 ms in a row in which less than a tenth of the tone's level is heard.
fn longest_silence(samples: &[i16]) -> Duration {
    let (mut longest, mut run) = (0, 0);
    for frame in samples.chunks_exact(480) {
        run = if level(frame) < 0.1 * LOUD { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    ms(10) * longest
}

/// The tone's purity after the first seconds, in which the sender does not know of the loss yet.
fn settled_purity(heard: &Heard) -> f64 {
    purity(heard.between(s(4), s(3_600)), 440.0, 48_000)
}

#[test]
fn a_clean_network_adds_little_delay_and_nothing_else() {
    let heard = Call::new(1, Conditions::clean()).run(tone());
    let stats = heard.end();
    assert!(stats.target_delay <= ms(25), "{stats:?}");
    assert!(heard.stats.iter().all(|stats| stats.actual_delay <= ms(60)), "{stats:?}");
    let touched = [stats.concealed, stats.restored, stats.removed, stats.inserted, stats.lost];
    assert_eq!(touched, [0; 5], "{stats:?}");
    assert!(settled_purity(&heard) > 0.998, "{}", settled_purity(&heard));
    assert_eq!(gaps(heard.between(s(1), s(20))), 0.0);
}

#[test]
fn the_delay_that_is_heard_is_that_which_is_told() {
    let mut silence = 500;
    let mut tone = Tone::new(440.0, 48_000, AMPLITUDE);
    let heard = Call::new(1, Conditions::clean()).run(|count| {
        silence -= 1;
        if silence >= 0 { vec![0; count] } else { tone.take(count) }
    });
    let begin = heard.samples.iter().position(|sample| sample.abs() > 3_000).unwrap();
    let heard_at = Duration::from_secs_f64(begin as f64 / 48_000.0);
    // The first sample leaves with the last of its packet, and libopus delays by 6.5 ms.
    let earliest = s(5) + ms(20) + ms(50);
    let added = heard_at - earliest;
    assert!(added <= ms(60), "{added:?}");
    let told = heard.at(s(5)).actual_delay + Duration::from_micros(6_500);
    assert!(added.abs_diff(told) < ms(5), "{added:?} heard, {told:?} told");
}

#[test]
fn a_tone_stays_pure_at_a_tenth_lost() {
    with_many_seeds(20, |seed| {
        let conditions = Conditions { loss: Loss::Random(0.1), ..Conditions::clean() };
        let heard = Call { length: s(30), ..Call::new(seed, conditions) }.run(tone());
        let pure = settled_purity(&heard);
        // A seed whose draw loses clearly more than a tenth is judged as what it is.
        let stats = heard.end();
        let lost = stats.lost as f64 / (stats.lost + stats.received) as f64;
        let least = if lost < 0.115 { 0.99 } else { 0.985 };
        assert!(pure >= least, "purity {pure} at {lost} lost, {stats:?}");
        assert!(gaps(heard.between(s(1), s(30))) < 0.01);
        assert!(heard.end().actual_delay <= ms(60), "{:?}", heard.end());
    });
}

#[test]
fn a_voice_is_restored_from_the_packet_after() {
    let said = voice(30 * 48_000);
    let mut at = 0;
    let conditions = Conditions { loss: Loss::Random(0.1), ..Conditions::clean() };
    let call = Call { length: s(30), ..Call::new(1, conditions) };
    let heard = call.run(|count| {
        at += count;
        said.get(at - count..at).map_or(vec![0; count], <[i16]>::to_vec)
    });
    let stats = heard.end();
    assert!(stats.restored > stats.concealed / 2, "{stats:?}");
    assert!(stats.target_delay <= ms(60) && stats.actual_delay <= ms(60), "{stats:?}");
}

#[test]
fn sound_goes_on_at_any_loss() {
    with_seeds(|seed| {
        let losses = [
            (Loss::Random(0.02), 0.01),
            (Loss::Random(0.3), 0.06),
            (Loss::Burst { share: 0.1, length: 3.0 }, 0.08),
            (Loss::Burst { share: 0.2, length: 4.0 }, 0.18),
        ];
        for (loss, gap_share) in losses {
            let conditions = Conditions { loss, ..Conditions::clean() };
            let heard = Call::new(seed, conditions).run(tone());
            let gaps = gaps(heard.between(s(1), s(20)));
            assert!(gaps <= gap_share, "{loss:?}: {gaps} gaps, {:?}", heard.end());
        }
    });
}

#[test]
fn jitter_is_covered() {
    with_seeds(|seed| {
        for jitter in [ms(40), ms(100), ms(200)] {
            for jitter in [Jitter::Shuffled(jitter), Jitter::Queued(jitter)] {
                let conditions = Conditions { jitter, ..Conditions::clean() };
                let heard = Call { length: s(30), ..Call::new(seed, conditions) }.run(tone());
                let (early, stats) = (heard.at(s(5)), heard.end());
                let made_up = (stats.concealed - early.concealed) as f64 / (25.0 * 48_000.0);
                assert!(made_up < 0.03, "{jitter:?}: {made_up} made up, {stats:?}");
                assert!(gaps(heard.between(s(5), s(30))) < 0.01, "{jitter:?}: {stats:?}");
                assert!(longest_silence(heard.between(s(1), s(30))) < ms(60), "{jitter:?}");
                assert!(stats.target_delay <= ms(240), "{jitter:?}: {stats:?}");
            }
        }
    });
}

#[test]
fn the_delay_shrinks_again_after_jitter() {
    let mut conditions = Conditions::clean();
    let held = |from: u64| Outage::Held(ms(from)..ms(from + 150));
    conditions.outages = (10..20).map(|k| held(k * 500)).collect();
    let heard = Call { length: s(90), ..Call::new(1, conditions) }.run(bursts(s(1)));
    assert!(heard.at(s(10)).target_delay > ms(100), "{:?}", heard.at(s(10)));
    assert!(heard.end().target_delay <= ms(25), "{:?}", heard.end());
    assert!(heard.end().actual_delay <= ms(60), "{:?}", heard.end());
}

#[test]
fn sound_is_back_at_once_after_five_seconds_of_nothing() {
    with_seeds(|seed| {
        for outage in [Outage::Lost(s(8)..s(13)), Outage::Held(s(8)..s(13))] {
            let conditions = Conditions { outages: vec![outage.clone()], ..Conditions::clean() };
            let heard = Call::new(seed, conditions).run(tone());
            let after = heard.between(ms(13_250), s(20));
            assert!(gaps(after) < 0.01, "{outage:?}: {} gaps, {:?}", gaps(after), heard.end());
            let stats = heard.at(ms(13_500));
            assert!(stats.actual_delay <= ms(100), "{outage:?}: {stats:?}");
            assert!(purity(after, 440.0, 48_000) > 0.99, "{outage:?}");
            assert!(heard.end().concealed <= 48 * 600, "{outage:?}: {:?}", heard.end());
        }
    });
}

#[test]
fn clocks_that_differ_are_followed_without_a_mark() {
    for drift_ppm in [200.0, -200.0] {
        let call = Call { drift_ppm, length: s(400), ..Call::new(1, Conditions::clean()) };
        let heard = call.run(tone());
        let stats = heard.end();
        assert_eq!((stats.concealed, stats.discarded, stats.late), (0, 0, 0), "{stats:?}");
        assert!(heard.stats.iter().all(|stats| stats.actual_delay <= ms(60)), "{stats:?}");
        let corrected = stats.removed as i64 - stats.inserted as i64;
        assert!(corrected.abs() > 1_500, "80 ms are 3 840 samples: {stats:?}");
        assert!(settled_purity(&heard) > 0.995, "{drift_ppm}: {}", settled_purity(&heard));
        assert_eq!(gaps(heard.between(s(1), s(400))), 0.0);
    }
}

#[test]
fn pauses_under_dtx_are_no_loss() {
    let call = Call { dtx: true, ..Call::new(1, Conditions::clean()) };
    let heard = call.run(bursts(s(2)));
    let stats = heard.end();
    assert_eq!((stats.lost, stats.concealed, stats.late), (0, 0, 0), "{stats:?}");
    assert!(stats.received < 700, "{} of a thousand packets were sent", stats.received);
    assert_eq!(gaps(heard.between(ms(4_150), ms(6_050))), 0.0, "a burst is whole");
    assert!(level(heard.between(ms(6_500), ms(8_000))) < 50.0, "a pause is quiet");
}

#[test]
fn each_length_of_packets_works() {
    for packet in [10, 20, 40, 60].map(ms) {
        let conditions = Conditions {
            jitter: Jitter::Shuffled(ms(30)),
            loss: Loss::Random(0.05),
            duplicated: 0.05,
            ..Conditions::clean()
        };
        let heard = Call { packet, ..Call::new(5, conditions) }.run(tone());
        let pure = settled_purity(&heard);
        assert!(pure > 0.98, "{packet:?}: {pure}, {:?}", heard.end());
        assert!(gaps(heard.between(s(1), s(20))) < 0.03, "{packet:?}: {:?}", heard.end());
        assert!(heard.end().duplicates > 0, "{packet:?}");
    }
}

#[test]
fn a_narrow_link_is_met_with_fewer_bits() {
    let conditions = Conditions { link_bps: Some((s(5), 40_000.0)), ..Conditions::clean() };
    let heard = Call { length: s(40), ..Call::new(1, conditions) }.run(tone());
    let late = heard.between(s(20), s(40));
    assert!(gaps(late) < 0.05, "{} gaps, {:?}", gaps(late), heard.end());
}

#[test]
fn a_run_replays_from_its_seed() {
    let run = |seed| {
        let conditions = Conditions {
            jitter: Jitter::Shuffled(ms(80)),
            loss: Loss::Burst { share: 0.1, length: 2.0 },
            duplicated: 0.02,
            ..Conditions::clean()
        };
        Call { length: s(6), drift_ppm: 100.0, ..Call::new(seed, conditions) }.run(tone())
    };
    assert!(run(11) == run(11));
    assert!(run(11) != run(12));
}
