//! Sound of a call in a room: heard on both sides, in time, and silent at once where it is to be.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use voicegraph_engine::transport::Captured;
use voicegraph_tests::livekit::{LIMIT, Server, Version, within};
use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_tests::sound::Sound;
use voicegraph_tests::tone::Tone;
use voicegraph_worker::room::Settings;

use crate::room_stage::{Agent, MICROPHONE, Stage, VOICE, against_both, frames};

against_both!(
    the_caller_hears_the_agent,
    the_agent_hears_the_caller,
    a_muted_caller_is_silent,
    nobody_else_is_heard,
);

/// What is louder than this counts as sound: a tone's loudness is 5700.
const LOUD: f64 = 500.0;

/// Waits for 20 ms of the agent's track that are loud, or are not.
async fn until(ada: &SdkPeer, loud: bool) {
    let wanted = |event| match event {
        Event::Level { track, rms } => (track == VOICE && (rms > LOUD) == loud).then_some(()),
        _ => None,
    };
    ada.event(if loud { "sound" } else { "silence" }, wanted).await;
}

/// How much of the agent is heard until it is silent for `pause_ms`.
async fn heard(ada: &SdkPeer, pause_ms: u64) -> Duration {
    until(ada, true).await;
    let (mut steps, mut silent) = (1_u64, 0);
    while silent * 20 < pause_ms {
        let level = |event| match event {
            Event::Level { rms, .. } => Some(rms),
            _ => None,
        };
        let is_silent = ada.event("a level", level).await <= LOUD;
        (steps, silent) = (steps + 1, if is_silent { silent + 1 } else { 0 });
    }
    Duration::from_millis((steps - silent) * 20)
}

/// From its first word on, at its level; what is said at 16 kHz too.
async fn the_caller_hears_the_agent(stage: Stage) {
    let Stage { ada, mut agent, .. } = stage;
    for rate in [24_000, 16_000] {
        let tone = Tone::new(440.0).sound(rate, 1_500);
        let (heard, ()) = tokio::join!(heard(&ada, 300), agent.say(&tone));
        let lost = tone.length().saturating_sub(heard);
        assert!(lost <= Duration::from_millis(60), "{rate} Hz: {lost:?} were not heard");
    }
    let tone = Tone::new(440.0).sound(24_000, 3_000);
    let recording = async { ada.record(VOICE, 48_000, 1, 3_500).await.remove(0) };
    let (begins, sound) = tokio::join!(begins(&mut agent, &tone), recording);
    let heard = Tone::new(440.0).measure(&sound).expect("the tone is heard");
    assert!(heard.typical_purity > 0.99 && heard.level_db.abs() < 1.0, "{heard:?}");
    let played = *begins.last().unwrap() - begins[0];
    let late = played.saturating_sub(Duration::from_millis(2_980));
    assert!(begins.is_sorted() && late < Duration::from_millis(500), "{played:?}");
}

/// Says `sound`, and gives when each frame began to be played.
async fn begins(agent: &mut Agent, sound: &Sound) -> Vec<Instant> {
    let mut begins = Vec::new();
    for frame in frames(sound) {
        let ahead = Settings::default().lead + Duration::from_millis(40);
        let begin = agent.sink.play(&frame).await.unwrap();
        assert!(begin <= Instant::now() + ahead, "no more than the queue is ahead");
        begins.push(begin);
    }
    begins
}

async fn the_agent_hears_the_caller(stage: Stage) {
    let Stage { ada, mut agent, .. } = stage;
    assert_eq!(agent.caller.as_deref(), Some("ada"));
    let tone = Tone::new(440.0);
    let said = [tone.sound(16_000, 2_000)];
    let (sound, ()) = tokio::join!(agent.hear(4_000), ada.play(MICROPHONE, &said));
    let heard = tone.measure(&sound).expect("the tone is heard");
    assert!(heard.typical_purity > 0.99 && heard.level_db.abs() < 1.0, "{heard:?}");
    assert!(heard.length >= Duration::from_millis(1_900), "{heard:?}");
    assert_in_time(&mut agent).await;
}

/// Frames come at the pace of the clock, and their times say so.
async fn assert_in_time(agent: &mut Agent) {
    let mut times = Vec::new();
    while times.len() < 101 {
        if let Captured::Frame(frame, at) = within("a frame", agent.source.next()).await {
            assert_eq!((frame.samples().len(), frame.sample_rate_hz().get()), (320, 16_000));
            assert!(at <= Instant::now(), "it was captured before it came");
            times.push(at);
        }
    }
    let span = times[100] - times[0];
    assert!(times.is_sorted(), "{times:?}");
    let (least, most) = (Duration::from_millis(1_900), Duration::from_millis(2_500));
    assert!((least..most).contains(&span), "{span:?} for 2 s");
}

async fn a_muted_caller_is_silent(stage: Stage) {
    let Stage { ada, mut agent, .. } = stage;
    ada.mute(MICROPHONE).await;
    let tone = [Tone::new(440.0).sound(16_000, 1_000)];
    let (sound, ()) = tokio::join!(agent.hear(2_000), ada.play(MICROPHONE, &tone));
    assert!(sound.loudness() < 10.0, "{} while muted", sound.loudness());
    assert_in_time(&mut agent).await;
    ada.unpublish(MICROPHONE).await;
    assert_in_time(&mut agent).await;
    ada.publish("another", 48_000, 1).await;
    let tone = [Tone::new(440.0).sound(48_000, 1_000)];
    let (sound, ()) = tokio::join!(agent.hear(3_000), ada.play("another", &tone));
    assert!(Tone::new(440.0).measure(&sound).is_some(), "the track that took its place");
}

async fn nobody_else_is_heard(mut stage: Stage) {
    let bob = stage.bob().await;
    bob.publish("theirs", 16_000, 1).await;
    let tone = [Tone::new(440.0).sound(16_000, 1_000)];
    let (sound, ()) = tokio::join!(stage.agent.hear(2_000), bob.play("theirs", &tone));
    assert!(sound.loudness() < 10.0, "{} of bob", sound.loudness());
    bob.leave().await;
    let said = stage.ada.play(MICROPHONE, &tone);
    let (sound, ()) = tokio::join!(stage.agent.hear(3_000), said);
    assert!(Tone::new(440.0).measure(&sound).is_some(), "ada is heard after bob has left");
}

/// Of a second of sound that was handed over, at the caller. A busy machine may be late by itself:
/// the best of three counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clear_silences_the_agent_within_200_ms() {
    let settings = Settings { lead: Duration::from_secs(1), ..Settings::default() };
    let opened = Stage::open_with("clear", Version::New, settings).await;
    let Some(Stage { ada, mut agent, .. }) = opened else { return };
    let tone = Tone::new(440.0).sound(24_000, 1_500);
    let mut best = Duration::MAX;
    for _ in 0..3 {
        tokio::join!(until(&ada, true), agent.say(&tone));
        let asked = Instant::now();
        agent.sink.clear();
        until(&ada, false).await;
        best = best.min(asked.elapsed());
    }
    assert!(best < Duration::from_millis(200), "silent after {best:?}");
    let begin = agent.sink.play(&frames(&tone)[0]).await.unwrap();
    assert!(begin <= Instant::now() + Duration::from_millis(20), "nothing is left before it");
}

/// Who comes first is heard, however late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_waits_for_the_caller() {
    let Some(server) = Server::shared("worker late", Version::New) else { return };
    let tone = Tone::new(440.0).sound(24_000, 1_000);
    let greeting = async {
        let mut agent = Agent::enter(server, "late", Settings::default()).await;
        agent.say(&tone).await;
        agent
    };
    let calling = async {
        let ada = SdkPeer::join("worker late", server, "late", "ada").await?;
        ada.meter_each(20, VOICE).await;
        let heard = timeout(LIMIT, heard(&ada, 300)).await.expect("the greeting is heard");
        Some((ada, heard))
    };
    let (_agent, heard) = tokio::join!(greeting, calling);
    let Some((_ada, heard)) = heard else { return };
    assert!(heard >= Duration::from_millis(900), "{heard:?} of the greeting");
}

/// What was said before the agent came is heard first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_from_before_is_heard_first() {
    let Some(server) = Server::shared("worker recorded", Version::New) else { return };
    let Some(ada) = SdkPeer::join("worker recorded", server, "recorded", "ada").await else {
        return;
    };
    ada.publish_recorded(MICROPHONE, 16_000).await;
    let tone = Tone::new(440.0);
    let sending = async {
        ada.meets(crate::room_stage::AGENT).await;
        ada.send_recording(MICROPHONE, &tone.sound(48_000, 1_500)).await;
    };
    let hearing = async {
        let mut agent = Agent::enter(server, "recorded", Settings::default()).await;
        agent.hear(4_000).await
    };
    let (sound, ()) = tokio::join!(hearing, sending);
    let heard = tone.measure(&sound).expect("the recording is heard");
    assert!(heard.length >= Duration::from_millis(1_400), "{heard:?}");
    assert!(heard.typical_purity > 0.99 && heard.silent.is_zero(), "{heard:?}");
}
