//! A conversation as the caller hears and reads it.

use std::time::Duration;

use voicegraph_tests::sample::Sample;
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::sdk_peer::{Overheard, SdkPeer};
use voicegraph_tests::sound::Sound;
use voicegraph_tests::{speech, workspace};

use super::seen::{Seen, is_listening};
use super::worker::{BEN, GREETING, HOURS, Start, line, pipeline};
use crate::protocol::{Site, against_both};
use crate::room_stage::{MICROPHONE, VOICE};

against_both!(what_is_said_is_answered);

/// What the caller says, as it is recognised.
const QUESTION: &str = "Hello, when are you open this week?";

/// What is louder than this counts as sound: speech's loudness is some 3000.
const LOUD: f64 = 300.0;

/// After the end of what was said: the silence that the detector waits for, the model's first token
/// and the voice's first sound, as the script has them, less the silence at the recording's end.
const SOONEST: Duration = Duration::from_millis(200 + 250 + 90 - 40);

/// What two busy processors may add to that.
const LATEST: Duration = Duration::from_secs(3);

/// How long the answer is, and how much more is listened to.
const ANSWER: Duration = Duration::from_millis(10_645);
const BEYOND: Duration = Duration::from_millis(1_500);

async fn what_is_said_is_answered(site: Site) {
    let database = Sample::new().await;
    let start = Start {
        server: site.server,
        agent: site.name,
        pipelines: &[&pipeline()],
        database: database.url(),
        heard: &[QUESTION],
        script: "",
        more: &[],
    };
    let worker = start.work().await;
    let ada = SdkPeer::join(site.name, site.server, site.name, BEN).await;
    let Some(ada) = ada else { return };
    ada.publish(MICROPHONE, 16_000, 1).await;
    ada.follow("lk.transcription").await;
    let greeting = async { ada.record(VOICE, 24_000, 1, 6_000).await.remove(0) };
    let api = site.api();
    let dispatch = api.dispatch(site.name, site.name, "");
    let (greeting, _) = tokio::join!(greeting, dispatch);
    assert_as_said("agent-greeting", &greeting);
    let seen = Seen::until(&ada, is_listening).await;
    assert_eq!(seen.agents_words(), GREETING);
    assert_eq!(seen.states.last().unwrap(), "listening");

    let question = line(0);
    let whole = question.length() + LATEST + ANSWER + BEYOND;
    let heard = ada.overhear(MICROPHONE, &question, VOICE, whole).await;
    assert_in_time(&question, &heard);
    let seen = Seen::until(&ada, is_listening).await;
    assert_eq!(seen.states, ["thinking", "speaking", "listening"]);
    assert_eq!(seen.callers_words(), QUESTION);
    assert_eq!(seen.agents_words(), HOURS);
    ada.leave().await;
    worker.until_busy(0).await;
    let goodbye = worker.end().await;
    assert!(goodbye.contains("1 calls ended well, 0 failed, 0 were cut"), "{goodbye}");
}

/// The answer begins no sooner than it can, soon after, and is all there.
fn assert_in_time(question: &Sound, heard: &Overheard) {
    let begins = heard.begins(LOUD).expect("an answer is heard");
    let ends = heard.ends(LOUD).expect("an answer is heard");
    let after = begins.saturating_sub(question.length());
    let line = format!("worker: an answer begins {after:?} after the question's end\n");
    workspace::say(&line);
    assert!(after >= SOONEST && after < LATEST, "{after:?}");
    let lasts = ends - begins;
    let near = lasts.abs_diff(ANSWER);
    assert!(near < Duration::from_millis(500), "{lasts:?} and not {ANSWER:?}");
    let lead = Duration::from_millis(100);
    assert_as_said("agent-hours", &heard.since(begins.saturating_sub(lead)));
}

/// How alike the loudness must be over time: a jitter buffer stretches time when packets are late,
/// which on a busy machine they are.
const ENVELOPE: f64 = 0.7;
const LEVEL_DB: f64 = 3.0;

/// At its level, and with its rhythm.
fn assert_as_said(name: &str, heard: &Sound) {
    let path = clinic().join("demo").join(name).with_extension("wav");
    let said = Sound::read(&path).remove(0);
    let alike = speech::compare(&said, heard).expect("as much was recorded");
    assert!(alike.envelope > ENVELOPE && alike.level_db.abs() < LEVEL_DB, "{name}: {alike:?}");
}
