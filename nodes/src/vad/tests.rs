//! The stage against real (synthesized) speech, noise and silence, under a paused clock.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;
use voicegraph_engine::edge::{Limit, Overflow};
use voicegraph_engine::message::{AudioFrame, Envelope, Speech};
use voicegraph_engine::node::{Kind, NodeError, Ports};

use super::{Options, Vad};
use crate::testing::{context, edge_to, edge_with};

const DOCTOR: &[u8] = include_bytes!("testdata/doctor.wav");
const TUESDAY: &[u8] = include_bytes!("testdata/tuesday.wav");

/// How far from the truth an onset or an end of clear speech may be told.
const CLEAR_MS: u64 = 60;

/// The same for speech 20 dB above white noise, which the detector leaves more slowly.
const NOISY_MS: u64 = 100;

fn samples(wav: &[u8]) -> Vec<i16> {
    let header = wav.windows(4).position(|tag| tag == b"data").expect("a data chunk") + 8;
    wav[header..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

fn silence(ms: usize) -> Vec<i16> {
    vec![0; ms * 16]
}

fn noise(ms: usize, peak: i16) -> Vec<i16> {
    let mut rng = StdRng::seed_from_u64(7);
    (0..ms * 16).map(|_| rng.random_range(-peak..=peak)).collect()
}

fn millis(samples: usize) -> u64 {
    u64::try_from(samples / 16).expect("short")
}

/// What the stage tells of `sound`, in ms since its first sample.
async fn listen(sound: &[i16], options: Options) -> Vec<(&'static str, u64)> {
    let start = Instant::now();
    let (mut audio, input) = edge_to(&Vad::signature(), "audio");
    let (output, mut speech) = edge_with(Limit::count(64), Overflow::Fail);
    let mut ports = Ports::default();
    ports.add_input("audio", input);
    ports.add_output("speech", output);
    let factory = Vad::build(options, "dev").expect("the options fit");
    let stage = tokio::spawn(factory.create().run(ports, context()));
    for (number, samples) in (1..).zip(sound.chunks(320)) {
        let captured = start + AudioFrame::LENGTH * number;
        tokio::time::sleep_until(captured).await;
        let frame = AudioFrame::new(samples, AudioFrame::CALLER_RATE_HZ);
        audio.send(Envelope::session(captured, frame)).await.expect("the stage reads");
    }
    drop(audio);
    stage.await.expect("no panic").expect("no failure");
    let mut heard = Vec::new();
    while let Some(envelope) = speech.recv().await {
        let (name, at) = match envelope.body {
            Speech::Started { at } => ("started", at),
            Speech::Ended { at, decided } => {
                assert!(at <= decided, "an end is decided after it came");
                ("ended", at)
            }
        };
        assert_eq!(envelope.origin, at);
        heard.push((name, u64::try_from((at - start).as_millis()).expect("short")));
    }
    heard
}

fn check(heard: &[(&str, u64)], expected: &[(&str, u64)], tolerance_ms: u64) {
    let near = heard.len() == expected.len()
        && heard.iter().zip(expected).all(|((name, at), (expected, truth))| {
            name == expected && at.abs_diff(*truth) <= tolerance_ms
        });
    assert!(near, "heard {heard:?}, the truth is {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn utterances_are_told_where_they_are() {
    let (doctor, tuesday) = (samples(DOCTOR), samples(TUESDAY));
    let sound = [silence(1000), doctor.clone(), silence(1000), tuesday.clone(), silence(600)];
    let first = (1000, 1000 + millis(doctor.len()));
    let second = (first.1 + 1000, first.1 + 1000 + millis(tuesday.len()));
    let expected =
        [("started", first.0), ("ended", first.1), ("started", second.0), ("ended", second.1)];
    let options = Options { min_silence_ms: 300, ..Options::default() };
    check(&listen(&sound.concat(), options).await, &expected, CLEAR_MS);
}

#[tokio::test(start_paused = true)]
async fn quiet_speech_in_noise_is_told_where_it_is() {
    let doctor = samples(DOCTOR);
    let ends = 1000 + millis(doctor.len());
    let mut sound = [silence(1000), doctor, silence(800)].concat();
    let noise = noise(sound.len() / 16 + 1, 160);
    for (sample, noise) in sound.iter_mut().zip(noise) {
        *sample = *sample / 4 + noise;
    }
    let expected = [("started", 1000), ("ended", ends)];
    check(&listen(&sound, Options::default()).await, &expected, NOISY_MS);
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_speech_from_min_silence_on() {
    let sound = [silence(500), samples(TUESDAY), silence(600)].concat();
    let count = async |min_silence_ms| {
        listen(&sound, Options { min_silence_ms, ..Options::default() }).await.len()
    };
    assert_eq!(count(150).await, 4, "the comma is a pause of 224 ms");
    assert_eq!(count(300).await, 2);
}

#[tokio::test(start_paused = true)]
async fn silence_and_noise_are_no_speech() {
    for sound in [silence(3000), noise(3000, 30), noise(3000, 160)] {
        assert_eq!(listen(&sound, Options::default()).await, []);
    }
    let hiss = [silence(1000), noise(3000, 2000)].concat();
    assert_eq!(listen(&hiss, Options { activation: 0.7, ..Options::default() }).await, []);
}

#[tokio::test(start_paused = true)]
async fn speech_that_is_cut_off_ends_with_the_audio() {
    let sound = [silence(500), samples(DOCTOR)[..16_000].to_vec()].concat();
    let expected = [("started", 500), ("ended", 1500)];
    check(&listen(&sound, Options::default()).await, &expected, CLEAR_MS);
}

#[tokio::test(start_paused = true)]
async fn sound_at_another_rate_is_refused() {
    let (mut audio, input) = edge_to(&Vad::signature(), "audio");
    let mut ports = Ports::default();
    ports.add_input("audio", input);
    let frame = AudioFrame::silence(
        Duration::from_millis(20),
        std::num::NonZeroU32::new(24_000).expect("not zero"),
    );
    audio.send(Envelope::session(Instant::now(), frame)).await.expect("the stage will read");
    let factory = Vad::build(Options::default(), "dev").expect("the defaults fit");
    let ended = factory.create().run(ports, context()).await;
    assert!(matches!(ended, Err(NodeError::BadInput { port: "audio", .. })), "{ended:?}");
}
