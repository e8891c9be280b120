//! Tones both ways, at each rate of a source and of a listener.

use std::time::Duration;

use futures_util::future::join_all;
use voicegraph_tests::livekit::{Version, record};
use voicegraph_tests::sdk_peer::Event;
use voicegraph_tests::sound::Sound;
use voicegraph_tests::tone::Tone;

use crate::stage::{Stage, against_both};

/// A source's rate, the rate at which it is listened to, and the tone's frequency. All play at
/// once, so that a track that gets another's sound shows.
const LINES: [(u32, u32, f64); 4] = [
    (8_000, 48_000, 440.0),
    (16_000, 8_000, 700.0),
    (24_000, 16_000, 1_000.0),
    (48_000, 24_000, 1_600.0),
];

const PLAYED_MS: u64 = 2_500;

/// The tone, and what comes before and after it.
const RECORDED_MS: u64 = PLAYED_MS + 1_500;

/// How far a tone may be detuned. Sound that catches up is, by up to a hundredth; beside twenty
/// that compile it did so through all of a recording, by 1.3 Hz of 700, and else by 0.01 Hz.
const DETUNED_HZ: f64 = 4.0;

against_both!(
    tones_are_heard_by_the_sdk,
    tones_of_the_sdk_are_heard,
    two_channels_arrive_as_the_server_lets_them
);

/// What must be heard of a tone of [`PLAYED_MS`]. A machine that is busy with other tests may
/// interrupt it for once; what is wrong with the sound itself shows all the time.
fn check(name: &str, tone: Tone, recorded: &Sound) {
    let heard = tone.measure(recorded).unwrap_or_else(|| panic!("{name}: no tone is heard"));
    println!("{name}: {heard:?}");
    assert!(heard.typical_purity > 0.995 && heard.purity > 0.9, "{name}: {heard:?}");
    assert!(heard.level_db.abs() < 1.5, "{name}: {heard:?}");
    assert!(heard.detuned_hz.abs() < DETUNED_HZ, "{name}: {heard:?}");
    assert!(heard.silent <= Duration::from_millis(60), "{name}: {heard:?}");
    let lost = Duration::from_millis(PLAYED_MS).saturating_sub(heard.length);
    assert!(lost < Duration::from_millis(250), "{name}: {heard:?}");
}

fn names() -> [String; 4] {
    LINES.map(|(rate_hz, ..)| format!("tone-{rate_hz}"))
}

async fn tones_are_heard_by_the_sdk(stage: Stage) {
    let mut voices = Vec::new();
    for (name, (rate_hz, ..)) in names().iter().zip(LINES) {
        voices.push(stage.ada.publish(name, rate_hz, 1).await);
        let event = Event::TrackSubscribed { from: "ada".to_owned(), track: name.clone() };
        stage.bob.sees(&event).await;
    }
    let played = voices.iter().zip(LINES).map(async |(voice, (rate_hz, _, frequency_hz))| {
        voice.play(&[Tone::new(frequency_hz).sound(rate_hz, PLAYED_MS)]).await;
    });
    let names = names();
    let heard = names.iter().zip(LINES).map(async |(name, (_, listener_hz, _))| {
        stage.bob.record(name, listener_hz, 1, RECORDED_MS).await
    });
    let (heard, _) = tokio::join!(join_all(heard), join_all(played));
    for ((name, (.., frequency_hz)), heard) in names.iter().zip(LINES).zip(&heard) {
        check(name, Tone::new(frequency_hz), &heard[0]);
    }
}

async fn tones_of_the_sdk_are_heard(mut stage: Stage) {
    let mut tracks = Vec::new();
    for (name, (rate_hz, ..)) in names().iter().zip(LINES) {
        stage.bob.publish(name, rate_hz, 1).await;
        tracks.push(stage.ada.track(name).await);
    }
    let names = names();
    let played = names.iter().zip(LINES).map(async |(name, (rate_hz, _, frequency_hz))| {
        stage.bob.play(name, &[Tone::new(frequency_hz).sound(rate_hz, PLAYED_MS)]).await;
    });
    let heard = tracks
        .iter()
        .zip(LINES)
        .map(async |(track, (_, listener_hz, _))| record(track, listener_hz, 1, RECORDED_MS).await);
    let (heard, _) = tokio::join!(join_all(heard), join_all(played));
    for ((name, (.., frequency_hz)), heard) in names.iter().zip(LINES).zip(&heard) {
        check(name, Tone::new(frequency_hz), &heard[0]);
    }
}

/// The crate, here and in the SDK, does not tell the server that a track has two channels. The new
/// server then asks for one, which is the mean of both; the old one leaves it to the two ends. The
/// SDK's hears one even so, since it does not ask for two; ours hears what comes.
async fn two_channels_arrive_as_the_server_lets_them(mut stage: Stage) {
    let sides = [Tone::new(440.0), Tone::new(1_000.0)];
    let sound = sides.map(|tone| tone.sound(48_000, PLAYED_MS));
    let ours = stage.ada.publish("ours", 48_000, 2).await;
    let seen = Event::TrackSubscribed { from: "ada".to_owned(), track: "ours".to_owned() };
    stage.bob.sees(&seen).await;
    stage.bob.publish("theirs", 48_000, 2).await;
    let theirs = stage.ada.track("theirs").await;
    let (heard, heard_back, ..) = tokio::join!(
        stage.bob.record("ours", 48_000, 2, RECORDED_MS),
        record(&theirs, 48_000, 2, RECORDED_MS),
        ours.play(&sound),
        stage.bob.play("theirs", &sound),
    );
    heard.iter().for_each(|channel| check_mean(sides, channel));
    match stage.server.version() {
        Version::New => heard_back.iter().for_each(|channel| check_mean(sides, channel)),
        Version::Old => {
            for (tone, channel) in sides.into_iter().zip(&heard_back) {
                // At the SDK's bit rate for voices some of each channel is in the other.
                let heard = tone.measure(channel).expect("something is heard");
                assert!(heard.typical_purity > 0.95, "{heard:?}");
            }
        }
    }
}

/// Each of two tones has half of the energy, and half of its own amplitude.
fn check_mean(tones: [Tone; 2], recorded: &Sound) {
    for tone in tones {
        let half = Tone { amplitude: tone.amplitude / 2.0, ..tone };
        let heard = half.measure(recorded).expect("something is heard");
        assert!((0.45..0.55).contains(&heard.typical_purity), "{heard:?}");
        assert!((heard.level_db - 3.0).abs() < 1.5, "{heard:?}");
    }
}
