//! How soon the agent is silent when the caller begins to speak, measured at the caller.
//!
//! ```text
//!   0 ────── first sample of the caller's line is handed to the SDK
//!   voice ── the line's first loud frame: it begins with a little silence
//!   known ── voice + `vad.min_speech_ms`: sooner nobody can know that it is speech
//!   silent ─ the last frame of the agent's that came out of the SDK and was loud
//! ```

use std::path::Path;
use std::time::Duration;

use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_tests::sound::Sound;
use voicegraph_tests::tone::Tone;
use voicegraph_tests::worker::{Setup, Worker};
use voicegraph_tests::workspace;

use super::seen::{agent_says, state};
use crate::clinic::{BEN, GREETING, heard, line};
use crate::room::until;
use crate::room_stage::{MICROPHONE, VOICE};
use crate::site::{Site, against_both};

against_both!(speech_silences_the_agent_within_200_ms);

/// What is promised.
const LIMIT: Duration = Duration::from_millis(200);

/// The clinic's `vad.min_speech_ms`, which is the default.
const MIN_SPEECH: Duration = Duration::from_millis(60);

/// What is louder than this counts as sound: the tone's loudness is 5700.
const LOUD: f64 = 300.0;

/// How often the agent is interrupted. A busy machine may be late by itself: the best counts, and
/// all are told.
const TIMES: usize = 5;

/// What the model always says, and how long that takes to speak: longer than the test.
const STORY: &str = "Long ago there was a clinic by the river.";
const STORY_MS: u64 = 30_000;

/// How long is listened from the beginning of the caller's line on: less than the line and the
/// answer's beginning.
const LISTEN: Duration = Duration::from_millis(2_000);

/// An answer that is one tone without a pause, so that silence is nothing but the interruption.
fn script(folder: &Path) -> String {
    let tone = folder.join("story.wav");
    Tone::new(440.0).sound(24_000, STORY_MS).write(&tone);
    let tone = tone.to_str().unwrap();
    format!(
        "[[openai.rules]]\nuser = \"story\"\nreply = \"{STORY}\"\n\
         [[cartesia.lines]]\ntext = \"{STORY}\"\nspeech = \"{tone}\"\n"
    )
}

async fn speech_silences_the_agent_within_200_ms(site: Site) {
    let (url, folder) = (site.server.url(), tempfile::tempdir().unwrap());
    let script = heard(&["Tell me a story."; TIMES + 1], &script(folder.path()));
    let mut worker = Worker::start(Setup { script, ..Setup::new(&url, site.name) }).await;
    let ada = SdkPeer::join(site.name, site.server, site.name, BEN).await;
    let Some(ada) = ada else { return };
    ada.publish(MICROPHONE, 16_000, 1).await;
    ada.follow("lk.transcription").await;
    ada.meter_each(20, VOICE).await;
    site.api().dispatch(site.name, site.name, "").await;
    agent_says(&ada, GREETING).await;
    until(&ada, false).await;
    ada.play(MICROPHONE, &[line(0)]).await;
    let (mut best, mut all) = (Duration::MAX, Duration::ZERO);
    for _ in 0..TIMES {
        let after_voice = interrupt(&site, &ada).await;
        best = best.min(after_voice.saturating_sub(MIN_SPEECH));
        all += after_voice;
    }
    assert!(best < LIMIT, "silent {best:?} after it was known to be speech");
    ada.leave().await;
    worker.until_busy(0).await;
    let own = worker.figures().await.mean("voicegraph_barge_in_stop_seconds");
    let name = site.server.version().name();
    workspace::say(&format!("worker, {name}: by its own figures {own:.3} s after the onset\n"));
    let heard = (all / TIMES as u32).as_secs_f64();
    assert!(own > 0.0 && own < heard, "what is told, {own} s, is less than is heard, {heard} s");
    worker.end().await;
}

/// Speaks into the agent's answer. Gives how long after the voice began the agent was heard.
async fn interrupt(site: &Site, ada: &SdkPeer) -> Duration {
    ada.event("the answer", |event| (state(&event) == Some("speaking")).then_some(())).await;
    until(ada, true).await;
    let said = line(1);
    let voice = onset(&said);
    let heard = ada.overhear(MICROPHONE, &said, VOICE, LISTEN).await;
    let (begins, silent) = (heard.begins(LOUD).unwrap(), heard.ends(LOUD).unwrap());
    assert!(begins < Duration::from_millis(100), "the agent spoke until then: {begins:?}");
    assert!(silent < LISTEN - Duration::from_millis(500), "{silent:?}");
    let after_voice = silent.saturating_sub(voice);
    let after_known = after_voice.saturating_sub(MIN_SPEECH);
    let name = site.server.version().name();
    workspace::say(&format!(
        "worker, {name}: silent {silent:?} after the line began, {after_voice:?} after its voice, \
         {after_known:?} after it could be known\n"
    ));
    tells_what_was_spoken(ada).await;
    after_voice
}

/// The agent's words end with those that were spoken, and say that they are final.
async fn tells_what_was_spoken(ada: &SdkPeer) {
    let last = |event| match event {
        Event::Words { text, attributes, ended: true, .. } => {
            STORY.starts_with(text.trim()).then_some((text, attributes))
        }
        _ => None,
    };
    let (text, attributes) = ada.event("the end of what was said", last).await;
    assert!(text.len() < STORY.len(), "all was said: {text}");
    assert_eq!(attributes["lk.transcription_final"], "true");
}

/// When a voice is first louder than a noise.
fn onset(sound: &Sound) -> Duration {
    let step = sound.samples_in(10);
    let loud = |samples: &&[i16]| Sound { samples: samples.to_vec(), ..*sound }.loudness() > LOUD;
    let before = sound.samples.chunks(step).take_while(|samples| !loud(samples)).count();
    Duration::from_millis(10 * before as u64)
}
