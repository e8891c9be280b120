//! A conversation as the caller hears and reads it.

use std::time::Duration;

use voicegraph_tests::sdk_peer::{Overheard, SdkPeer};
use voicegraph_tests::sound::Sound;
use voicegraph_tests::worker::{Setup, Worker};
use voicegraph_tests::{speech, workspace};

use super::seen::Seen;
use crate::clinic::{self, BEN, GREETING, HOURS, line};
use crate::room_stage::{MICROPHONE, VOICE};
use crate::site::{Site, against_both};

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

/// How much more is listened to.
const BEYOND: Duration = Duration::from_millis(1_500);

/// How often the caller asks: a machine that stands still for half a second tears a hole into what
/// is said or heard, and once without one is enough. What is written must be right each time.
const TIMES: usize = 3;

async fn what_is_said_is_answered(site: Site) {
    let (url, script) = (site.server.url(), clinic::heard(&[QUESTION; TIMES], ""));
    let mut worker = Worker::start(Setup { script, ..Setup::new(&url, site.name) }).await;
    let ada = SdkPeer::join(site.name, site.server, site.name, BEN).await;
    let Some(ada) = ada else { return };
    ada.publish(MICROPHONE, 16_000, 1).await;
    ada.follow("lk.transcription").await;
    site.api().dispatch(site.name, site.name, "").await;
    let seen = Seen::answer(&ada).await;
    assert_eq!(seen.agents_words(), GREETING);
    assert!(seen.states.ends_with(&["speaking", "listening"].map(str::to_owned)), "{seen:?}");
    let mut tries = 1;
    while !is_answered(&ada).await {
        tries += 1;
        assert!(tries <= TIMES, "no answer was in time and as it was said");
    }
    ada.leave().await;
    worker.until_busy(0).await;
    let goodbye = worker.end().await;
    assert!(goodbye.contains("1 calls ended well, 0 failed, 0 were cut"), "{goodbye}");
}

/// Asks, and checks what is written of it. Gives whether the answer sounded as it was said, when
/// it should.
async fn is_answered(ada: &SdkPeer) -> bool {
    let (question, answer) = (line(0), clinic::hours());
    let whole = question.length() + LATEST + answer.length() + BEYOND;
    let heard = ada.overhear(MICROPHONE, &question, VOICE, whole).await;
    let seen = Seen::answer(ada).await;
    assert_eq!(seen.states, ["thinking", "speaking", "listening"]);
    assert_eq!(seen.callers_words(), QUESTION);
    assert_eq!(seen.agents_words(), HOURS);
    is_in_time(&question, &answer, &heard)
}

/// How alike the loudness must be over time: a jitter buffer stretches time when packets are late,
/// which on a busy machine they are.
const ENVELOPE: f64 = 0.7;
const LEVEL_DB: f64 = 3.0;

/// The answer begins no sooner than it can, soon after, and is all there, at its level and with its
/// rhythm. One that is too soon, or none, is no matter of a busy machine.
fn is_in_time(question: &Sound, answer: &Sound, heard: &Overheard) -> bool {
    let begins = heard.begins(LOUD).expect("an answer is heard");
    let ends = heard.ends(LOUD).expect("an answer is heard");
    let (after, lasts) = (begins.saturating_sub(question.length()), ends - begins);
    assert!(after >= SOONEST, "{after:?}");
    let lead = Duration::from_millis(100);
    let rest = heard.since(begins.saturating_sub(lead));
    let Some(alike) = speech::compare(answer, &rest) else { return false };
    workspace::say(&format!(
        "worker: an answer of {:?} begins {after:?} after its question and lasts {lasts:?}: \
         {alike:?}\n",
        answer.length()
    ));
    let is_whole = lasts.abs_diff(answer.length()) < Duration::from_millis(500);
    let is_alike = alike.envelope > ENVELOPE && alike.level_db.abs() < LEVEL_DB;
    after < LATEST && is_whole && is_alike
}
