//! End-to-end encryption between the two stacks: both derive the same keys, and nothing is heard
//! without them.

use std::time::Duration;

use livekit::e2ee::EncryptionType;
use livekit::e2ee::key_provider::{KeyProvider, KeyProviderOptions};
use livekit::prelude::*;
use livekit::webrtc::native::frame_cryptor::EncryptionState;
use livekit::{E2eeOptions, RoomOptions};
use voicegraph_tests::livekit::{Guest, Server, Version, record};
use voicegraph_tests::sdk_peer::SdkPeer;
use voicegraph_tests::sound::Sound;
use voicegraph_tests::tone::Tone;

/// What the keys are made of.
const SECRET: &str = "correct horse battery staple";

/// The rate of all sound here, in hertz.
const RATE_HZ: u32 = 48_000;

/// How much is recorded, in milliseconds.
const RECORDED_MS: u64 = 3_000;

/// The length of the tones, in milliseconds: longer than recordings and what goes before them.
const TONE_MS: u64 = 8_000;

/// The purity of a tone that was decrypted, on the busiest machine too: what was not is noise, of
/// which hardly anything is the tone.
const CLEAR: f64 = 0.9;

/// How long is waited for what must not come: many times what it takes when it may.
const SILENCE: Duration = Duration::from_secs(2);

/// `ada`, on our stack, and `bob`, on the real one, with the secret of each.
async fn two(room: &str, secrets: [&str; 2]) -> Option<(Guest, KeyProvider, SdkPeer)> {
    let suite = format!("media encrypted {room}");
    let server = Server::shared(&suite, Version::New)?;
    let [ours, theirs] = secrets;
    let bob = SdkPeer::join_encrypted(&suite, server, room, "bob", theirs).await?;
    let material = ours.as_bytes().to_vec();
    let keys = KeyProvider::with_shared_key(KeyProviderOptions::default(), material);
    let mut options = RoomOptions::default();
    let encryption_type = EncryptionType::Gcm;
    options.encryption = Some(E2eeOptions { key_provider: keys.clone(), encryption_type });
    let mut ada = Guest::join_with(server, room, "ada", options).await;
    ada.room.e2ee_manager().set_enabled(true);
    ada.sees("bob").await;
    bob.meets("ada").await;
    Some((ada, keys, bob))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_goes_both_ways_and_keys_are_followed() {
    let Some((mut ada, keys, bob)) = two("data-under-keys", [SECRET; 2]).await else { return };
    for turn in 0..3_u8 {
        ada.send(vec![turn; 1_000], true).await;
        assert_eq!(bob.data().await, (vec![turn; 1_000], true), "turn {turn}");
        bob.send(&[turn; 500], true).await;
        assert_eq!(ada.data().await.0, vec![turn; 500], "turn {turn}");
        let theirs = bob.turn_key().await;
        if turn == 0 {
            // Only bob goes on: his next packet takes ada along.
            bob.send(b"come", true).await;
            assert_eq!(ada.data().await.0, b"come");
            assert_eq!(keys.get_shared_key(0), Some(theirs));
        } else {
            assert_eq!(keys.ratchet_shared_key(0), Some(theirs));
        }
    }
    tokio::join!(ada.leave(), bob.leave());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_under_another_key_does_not_arrive() {
    let secrets = [SECRET, "another one"];
    let Some((mut ada, _, bob)) = two("data-under-another-key", secrets).await else { return };
    bob.send(b"not for ada", true).await;
    let came = tokio::time::timeout(SILENCE, ada.data()).await;
    assert!(came.is_err(), "{came:?}");
    tokio::join!(ada.leave(), bob.leave());
}

/// Has each play a tone of its own, and gives what each hears of the other.
async fn tones(ada: &mut Guest, bob: &SdkPeer) -> [(Tone, Sound); 2] {
    let (ours, theirs) = (Tone::new(440.0), Tone::new(600.0));
    let voice = ada.publish("ours", RATE_HZ, 1).await;
    bob.publish("theirs", RATE_HZ, 1).await;
    let track = ada.track("theirs").await;
    let [said, answered] = [ours, theirs].map(|tone| [tone.sound(RATE_HZ, TONE_MS)]);
    let playing = async { tokio::join!(voice.play(&said), bob.play("theirs", &answered)) };
    let heard = async {
        tokio::join!(
            bob.record("ours", RATE_HZ, 1, RECORDED_MS),
            record(&track, RATE_HZ, 1, RECORDED_MS)
        )
    };
    let (_, (at_bobs, at_adas)) = tokio::join!(playing, heard);
    [(ours, first(at_bobs)), (theirs, first(at_adas))]
}

fn first(sound: Vec<Sound>) -> Sound {
    sound.into_iter().next().expect("there is a channel")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_are_heard_both_ways() {
    let Some((mut ada, _, bob)) = two("tones-under-keys", [SECRET; 2]).await else { return };
    for (tone, recorded) in tones(&mut ada, &bob).await {
        let found = tone.find(&recorded).expect("the tone is there");
        let heard = tone.measure(&found).expect("it is long enough");
        assert!(heard.purity > CLEAR, "{heard:?}");
    }
    let cryptors = ada.room.e2ee_manager().frame_cryptors();
    assert_eq!(cryptors.len(), 2, "one for each track");
    assert!(cryptors.values().all(|cryptor| cryptor.enabled()));
    tokio::join!(ada.leave(), bob.leave());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tones_under_another_key_are_not_heard() {
    let secrets = [SECRET, "another one"];
    let Some((mut ada, _, bob)) = two("tones-under-another-key", secrets).await else { return };
    let [_, (_, at_adas)] = tones(&mut ada, &bob).await;
    assert!(at_adas.samples.iter().all(|&sample| sample.unsigned_abs() < 100), "ada hears");
    let failed = |event| match event {
        RoomEvent::E2eeStateChanged { participant, state } => {
            (participant.identity().as_str() == "bob").then_some(state)
        }
        _ => None,
    };
    let state = ada.event("a word about the key", failed).await;
    assert_eq!(state, EncryptionState::DecryptionFailed);
    tokio::join!(ada.leave(), bob.leave());
}
