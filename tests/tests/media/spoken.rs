//! Speech both ways, at each rate, and who is told to speak.

use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use livekit::prelude::*;
use voicegraph_tests::again::Tries;
use voicegraph_tests::livekit::{Guest, Voice, record};
use voicegraph_tests::sdk_peer::Event;
use voicegraph_tests::sound::Sound;
use voicegraph_tests::{spectral, speech, workspace};

use crate::stage::{Stage, against_both};

/// The rates at which speech is played and listened to.
const RATES_HZ: [u32; 4] = [8_000, 16_000, 24_000, 48_000];

/// Played one after the other within each track, so that the tracks say different things.
const SAID: &str = "agent-greeting";

/// What is recorded beyond what is said, in ms.
const BEYOND_MS: u64 = 1_500;

/// Second tries of speech into which the machine tore a hole.
static TRIES: Tries = Tries::none();

against_both!(speech_is_heard_by_the_sdk, speech_of_the_sdk_is_heard, speakers_are_seen);

/// Three seconds of a voice, made at 24 kHz, at that rate.
fn voice(rate_hz: u32) -> Sound {
    let folder = workspace::root().join("pipelines/clinic/demo");
    let sound = Sound::read(&folder.join(Path::new(SAID).with_extension("wav"))).remove(0);
    sound.part(0, 3_000).at_rate(rate_hz)
}

/// How far from what was said the bands may be: seen are 1.4 dB, at 8 kHz 3.3.
const DISTANCE_DB: f64 = 5.0;

/// How far a jitter buffer may move it, in all: it does when packets are late, which on a busy
/// machine they are, and nobody hears that. Seen are 60 ms, beside forty that compute 700.
const SHIFTED_MS: f64 = 1_000.0;

const LEVEL_DB: f64 = 3.0;

/// Says what was heard of each. What was not as it was said: a machine that stands still for half a
/// second tears a hole into it.
fn differences(voices: &[[Sound; 1]], heard: &[Vec<Sound>]) -> Vec<String> {
    let compared = voices.iter().zip(heard).filter_map(|([said], heard)| {
        let level_db = speech::compare(said, &heard[0]).expect("as much was recorded").level_db;
        let distance = spectral::distance(said, &heard[0]);
        let line = format!("{} Hz: {level_db:.2} dB louder, {distance:?}", said.rate_hz);
        println!("{line}");
        let alike = level_db.abs() < LEVEL_DB && distance.db < DISTANCE_DB;
        let whole = distance.lost_ms == 0.0 && distance.shifted_ms < SHIFTED_MS;
        (!alike || !whole).then_some(line)
    });
    compared.collect()
}

/// What is recorded while `said` is played, in ms.
fn recorded_ms(said: &Sound) -> u64 {
    said.length().as_millis() as u64 + BEYOND_MS
}

async fn speech_is_heard_by_the_sdk(stage: Stage) {
    let names = RATES_HZ.map(|rate_hz| format!("voice-{rate_hz}"));
    let voices = RATES_HZ.map(|rate_hz| [voice(rate_hz)]);
    let mut tracks = Vec::new();
    for (name, rate_hz) in names.iter().zip(RATES_HZ) {
        tracks.push(stage.ada.publish(name, rate_hz, 1).await);
        let event = Event::TrackSubscribed { from: "ada".to_owned(), track: name.clone() };
        stage.bob.sees(&event).await;
    }
    loop {
        let said = tracks.iter().zip(&voices).map(async |(track, said)| track.play(said).await);
        let heard = names.iter().zip(&voices).map(async |(name, [said])| {
            stage.bob.record(name, said.rate_hz, 1, recorded_ms(said)).await
        });
        let (heard, _) = tokio::join!(join_all(heard), join_all(said));
        match &differences(&voices, &heard)[..] {
            [] => return,
            found => TRIES.again("speech to the SDK", &found.join("; ")),
        }
    }
}

async fn speech_of_the_sdk_is_heard(mut stage: Stage) {
    let names = RATES_HZ.map(|rate_hz| format!("voice-{rate_hz}"));
    let voices = RATES_HZ.map(|rate_hz| [voice(rate_hz)]);
    let mut tracks = Vec::new();
    for (name, rate_hz) in names.iter().zip(RATES_HZ) {
        stage.bob.publish(name, rate_hz, 1).await;
        tracks.push(stage.ada.track(name).await);
    }
    loop {
        let said = names.iter().zip(&voices).map(async |(name, said)| {
            stage.bob.play(name, said).await;
        });
        let heard = tracks
            .iter()
            .zip(&voices)
            .map(async |(track, [said])| record(track, said.rate_hz, 1, recorded_ms(said)).await);
        let (heard, _) = tokio::join!(join_all(heard), join_all(said));
        match &differences(&voices, &heard)[..] {
            [] => return,
            found => TRIES.again("speech of the SDK", &found.join("; ")),
        }
    }
}

/// Who speaks is told by the levels that travel with the packets.
async fn speakers_are_seen(mut stage: Stage) {
    let ours = stage.ada.publish("ours", 16_000, 1).await;
    let seen = |event| match event {
        Event::ActiveSpeakersChanged { speakers } => {
            speakers.contains(&"ada".to_owned()).then_some(())
        }
        _ => None,
    };
    speaking(&ours, stage.bob.event("that ada speaks", seen)).await;
    let silent = |event| match event {
        Event::ActiveSpeakersChanged { speakers } => speakers.is_empty().then_some(()),
        _ => None,
    };
    let silence = [Sound { rate_hz: 16_000, samples: Vec::new() }.after_silence(60_000)];
    tokio::select! {
        biased;
        () = stage.bob.event("that nobody speaks", silent) => {}
        () = ours.play(&silence) => panic!("nobody speaks, and bob is not told"),
    }
    stage.bob.publish("theirs", 16_000, 1).await;
    let Stage { ada, bob, .. } = &mut stage;
    let said = long(&voice(16_000));
    tokio::select! {
        biased;
        () = bob_speaks(ada) => {}
        () = bob.play("theirs", &said) => panic!("bob speaks, and ada is not told"),
    }
}

/// Speaks until `seen` comes.
async fn speaking(track: &Voice, seen: impl Future<Output = ()>) {
    let said = long(&voice(16_000));
    tokio::select! {
        biased;
        () = seen => {}
        () = track.play(&said) => panic!("ada speaks, and bob is not told"),
    }
}

/// Beyond any limit of a wait.
fn long(said: &Sound) -> [Sound; 1] {
    const LONG: Duration = Duration::from_secs(60);
    let times = LONG.div_duration_f64(said.length()).ceil() as usize;
    [Sound { samples: said.samples.repeat(times), ..*said }]
}

async fn bob_speaks(ada: &mut Guest) {
    let seen = |event| match event {
        RoomEvent::ActiveSpeakersChanged { speakers } => {
            speakers.iter().any(|it| it.identity().as_str() == "bob").then_some(())
        }
        _ => None,
    };
    ada.event("that bob speaks", seen).await;
}
