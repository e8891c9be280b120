use std::sync::LazyLock;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;
use crate::workspace;

static SPEECH: LazyLock<Sound> = LazyLock::new(|| recording("agent-greeting"));

/// 3.5 s, in which there is no pause from [`TALK_BEGINS_MS`] on for 1.05 s, and one of 150 ms
/// before.
static TALK: LazyLock<Sound> = LazyLock::new(|| recording("agent-hours").part(6_000, 9_500));
const TALK_BEGINS_MS: u64 = 1_020;
const PAUSE_MS: u64 = 860;

/// How exact the times are: a frame of 30 ms belongs to what is left or not.
const EXACT_MS: f64 = 30.0;

fn recording(name: &str) -> Sound {
    let path = workspace::root().join("pipelines/clinic/demo").join(name).with_extension("wav");
    Sound::read(&path).remove(0)
}

fn altered(sound: &Sound, change: impl Fn(usize, i16) -> i16) -> Sound {
    let samples = sound.samples.iter().enumerate().map(|(n, &sample)| change(n, sample));
    Sound { samples: samples.collect(), ..*sound }
}

fn changed(change: impl Fn(usize, i16) -> i16) -> Sound {
    altered(&SPEECH, change)
}

fn db(received: &Sound) -> f64 {
    distance(&SPEECH, received).db
}

/// Which packets of 20 ms are lost.
fn lost_packets(loss: f64) -> Vec<bool> {
    let mut random = StdRng::seed_from_u64(1);
    (0..1_000).map(|_| random.random_bool(loss)).collect()
}

/// Each packet of 20 ms is silent with the probability `loss`.
fn with_losses(loss: f64) -> Sound {
    let lost = lost_packets(loss);
    let packet = SPEECH.samples_in(20);
    changed(|n, sample| if lost[n / packet] { 0 } else { sample })
}

/// In the place of each lost packet there is the one before it, softer.
fn concealed(loss: f64) -> Sound {
    let packet = TALK.samples_in(20);
    let mut samples = TALK.samples.clone();
    for (number, _) in lost_packets(loss).iter().enumerate().filter(|it| *it.1) {
        for at in number * packet..((number + 1) * packet).min(samples.len()) {
            samples[at] = at.checked_sub(packet).map_or(0, |at| samples[at] / 4 * 3);
        }
    }
    Sound { samples, ..*TALK }
}

/// The talk with `ms` of silence in the place of `instead_of_ms` from `at_ms` on.
fn silent(at_ms: u64, instead_of_ms: u64, ms: u64) -> Sound {
    spliced(&TALK, at_ms, instead_of_ms, ms)
}

fn spliced(sound: &Sound, at_ms: u64, instead_of_ms: u64, ms: u64) -> Sound {
    let [from, to] = [at_ms, at_ms + instead_of_ms].map(|ms| sound.samples_in(ms));
    let mut samples = sound.samples.clone();
    samples.splice(from..to, vec![0; sound.samples_in(ms)]);
    Sound { samples, ..*sound }
}

fn noisy(sound: &Sound, level: f64) -> Sound {
    let mut random = StdRng::seed_from_u64(2);
    let noise: Vec<f64> =
        sound.samples.iter().map(|_| random.random_range(-level..level)).collect();
    altered(sound, |n, sample| (f64::from(sample) + noise[n]) as i16)
}

/// The talk, so many times slower.
fn slower(times: f64) -> Sound {
    let rate_hz = (f64::from(TALK.rate_hz) * times) as u32;
    Sound { rate_hz: TALK.rate_hz, samples: TALK.at_rate(rate_hz).samples }
}

/// Compares each with the talk: what is shifted and lost, in ms, and at most how many dB there are.
fn check<const N: usize>(cases: [(&str, Sound, [f64; 2], f64); N]) {
    for (what, received, [shifted_ms, lost_ms], most_db) in cases {
        let found = distance(&TALK, &received);
        let shifted = (found.shifted_ms - shifted_ms).abs() <= EXACT_MS;
        let lost = (found.lost_ms - lost_ms).abs() <= EXACT_MS;
        assert!(shifted && lost && found.db < most_db, "{what}: {found:?}");
    }
}

#[test]
fn the_same_sound_has_no_distance() {
    let none = Distance { db: 0.0, delay_ms: 0.0, shifted_ms: 0.0, lost_ms: 0.0 };
    assert_eq!(distance(&SPEECH, &SPEECH), none);
}

#[test]
fn a_delay_is_no_difference() {
    let found = distance(&SPEECH, &SPEECH.after_silence(1_234));
    assert!(found.db < 0.2, "{found:?}");
    assert!((found.delay_ms - 1_234.0).abs() < 2.1, "{found:?}");
    assert!(found.shifted_ms < 2.1 && found.lost_ms == 0.0, "{found:?}");
}

#[test]
fn speech_that_jumps_by_60_ms_in_its_middle_is_warped() {
    let middle = SPEECH.samples.len() / 2;
    let mut samples = SPEECH.samples.clone();
    let jump = vec![0; SPEECH.samples_in(60)];
    samples.splice(middle..middle, jump);
    let found = db(&Sound { samples, ..*SPEECH });
    assert!(found < 0.7, "{found}");
}

#[test]
fn more_noise_is_more_distance() {
    let found = [3.0, 30.0, 300.0, 3_000.0].map(|level| db(&noisy(&SPEECH, level)));
    assert!(found.is_sorted() && found[0] < 2.0 && found[3] > 10.0, "{found:?}");
}

#[test]
fn more_loss_is_more_distance() {
    let found = [0.02, 0.05, 0.15, 0.4, 1.0].map(|loss| db(&with_losses(loss)));
    assert!(found.is_sorted(), "{found:?}");
    assert!(found[0] > 0.05 && found[1] < found[2] / 2.0 && found[4] > 15.0, "{found:?}");
}

#[test]
fn half_as_loud_is_6_db() {
    let found = db(&changed(|_, sample| sample / 2));
    assert!((4.5..6.5).contains(&found), "{found}");
}

/// In mid-speech, where the warping alone took 150 ms for 3 dB and more.
#[test]
fn speech_that_comes_later_is_shifted() {
    let at = TALK_BEGINS_MS + 480;
    let twice = spliced(&silent(at, 0, 150), at + 800, 0, 400);
    check([
        ("by 60 ms", silent(at, 0, 60), [60.0, 0.0], 0.2),
        ("by 150 ms", silent(at, 0, 150), [150.0, 0.0], 0.2),
        ("by 400 ms", silent(at, 0, 400), [400.0, 0.0], 0.2),
        ("by 3 s", silent(at, 0, 3_000), [3_000.0, 0.0], 0.2),
        ("by 150 ms, then by 400", twice, [550.0, 0.0], 0.2),
        ("in a pause", silent(PAUSE_MS + 70, 0, 150), [150.0, 0.0], 0.1),
        ("earlier, in a pause", silent(PAUSE_MS + 10, 130, 0), [130.0, 0.0], 0.1),
        ("5 % slower", slower(1.05), [175.0, 0.0], 5.0),
    ]);
}

#[test]
fn speech_that_is_missing_is_lost() {
    let at = TALK_BEGINS_MS + 20;
    let second = |at| silent(at, 1_000, 0);
    let end = TALK.length().as_millis() as u64 - 500;
    check([
        ("1 s cut out", second(at), [0.0, 1_000.0], 8.0),
        ("1 s cut out, 2 s late", second(at).after_silence(2_000), [0.0, 1_000.0], 8.0),
        ("200 ms cut out", silent(at, 200, 0), [0.0, 200.0], 2.0),
        ("silence for 500 ms", silent(at, 500, 500), [0.0, 500.0], 4.0),
        ("silence for 200 ms", silent(at, 200, 200), [0.0, 200.0], 2.0),
        ("silence for 500 ms, and 200 late", silent(at, 500, 700), [200.0, 500.0], 4.0),
        ("twice", spliced(&silent(at, 300, 300), at + 600, 300, 0), [0.0, 600.0], 5.0),
        ("in noise", noisy(&silent(at, 500, 500), 300.0), [0.0, 500.0], 6.0),
    ]);
    let all = distance(&TALK, &altered(&TALK, |_, _| 0));
    let begun = distance(&TALK, &TALK.part(0, end));
    let ended = distance(&TALK, &TALK.part(500, end + 500));
    let none = distance(&TALK, &TALK.part(0, 20));
    assert_eq!(none, all);
    assert!(all.lost_ms > 2_500.0 && all.shifted_ms == 0.0 && all.db > 15.0, "{all:?}");
    assert!(begun.lost_ms > 200.0 && begun.shifted_ms == 0.0, "{begun:?}");
    assert!(ended.lost_ms > 200.0 && ended.delay_ms <= -500.0, "{ended:?}");
}

#[test]
fn what_is_there_but_worse_is_neither() {
    check([
        ("2 % lost", concealed(0.02), [0.0, 0.0], 0.5),
        ("5 % lost", concealed(0.05), [0.0, 0.0], 1.0),
        ("10 % lost", concealed(0.10), [0.0, 0.0], 1.5),
        ("15 % lost", concealed(0.15), [0.0, 0.0], 2.0),
        ("a packet is silent", silent(1_500, 20, 20), [0.0, 0.0], 0.2),
        ("60 ms are silent", silent(1_500, 60, 60), [0.0, 0.0], 0.6),
        ("a little noise", noisy(&TALK, 30.0), [0.0, 0.0], 0.5),
        ("much noise", noisy(&TALK, 1_000.0), [0.0, 0.0], 8.0),
        ("nothing but noise", noisy(&TALK, 3_000.0), [0.0, 0.0], 15.0),
        ("half as loud", altered(&TALK, |_, sample| sample / 2), [0.0, 0.0], 6.5),
    ]);
}
