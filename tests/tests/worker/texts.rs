//! What the room is told: the agent's state, and the words of both sides.

use std::collections::BTreeMap;
use std::time::Duration;

use voicegraph_engine::event::{AgentState, Event};
use voicegraph_engine::turn::{Anchor, Outcome, TurnId, TurnReport};
use voicegraph_tests::sdk_peer::{self, SdkPeer};

use crate::room_stage::{AGENT, Stage, against_both};

against_both!(
    states_are_seen,
    the_agents_words_come_as_they_are_spoken,
    the_callers_words_are_told
);

async fn states_are_seen(stage: Stage) {
    let Stage { ada, agent, .. } = stage;
    for state in
        [AgentState::Listening, AgentState::Thinking, AgentState::Speaking, AgentState::Listening]
    {
        agent.tell(&Event::AgentState(state));
        let changed = BTreeMap::from([("lk.agent.state".to_owned(), state.name().to_owned())]);
        let from = AGENT.to_owned();
        ada.sees(&sdk_peer::Event::ParticipantAttributesChanged { from, changed }).await;
    }
}

/// A stream as it was when it was told of.
struct Words {
    from: String,
    stream: String,
    text: String,
    segment: String,
    is_final: String,
    track: String,
    ended: bool,
}

async fn words(ada: &SdkPeer) -> Words {
    let pick = |event| match event {
        sdk_peer::Event::Words { from, topic, stream, text, mut attributes, ended } => {
            assert_eq!(topic, "lk.transcription");
            let mut attribute = |name| attributes.remove(name).unwrap_or_default();
            let segment = attribute("lk.segment_id");
            let is_final = attribute("lk.transcription_final");
            let track = attribute("lk.transcribed_track_id");
            Some(Words { from, stream, text, segment, is_final, track, ended })
        }
        _ => None,
    };
    ada.event("words", pick).await
}

fn spoke(text: &str) -> Event {
    Event::AgentSpoke { turn: TurnId(1), text: text.to_owned() }
}

fn ended(heard: &str) -> Event {
    let report = TurnReport {
        turn: TurnId(1),
        anchor: Anchor::CallStart,
        outcome: Outcome::Interrupted,
        end_of_turn_delay: None,
        transcription_delay: None,
        llm_ttft: None,
        tts_ttfb: None,
        e2e: None,
        engine_added: None,
        played: Duration::ZERO,
        barge_in_stop: None,
        flush: None,
    };
    Event::TurnEnded { heard: heard.to_owned(), report }
}

/// In one stream, which ends with what was heard and not with what was to be said.
async fn the_agents_words_come_as_they_are_spoken(stage: Stage) {
    let Stage { ada, agent, .. } = stage;
    ada.follow("lk.transcription").await;
    agent.tell(&Event::AgentText { turn: TurnId(1), text: "Good morning to you".to_owned() });
    agent.tell(&spoke("Good"));
    let first = words(&ada).await;
    assert_eq!((first.from.as_str(), first.text.as_str()), (AGENT, "Good"));
    assert!(first.segment.starts_with("SG_") && first.track.starts_with("TR_"));
    assert_eq!((first.is_final.as_str(), first.ended), ("false", false));

    agent.tell(&spoke(" morning"));
    let second = words(&ada).await;
    assert_eq!((&second.stream, second.text.as_str()), (&first.stream, "Good morning"));

    agent.tell(&ended("Good morning"));
    let last = words(&ada).await;
    assert_eq!((&last.stream, last.text.as_str()), (&first.stream, "Good morning"));
    assert_eq!((&last.segment, last.is_final.as_str(), last.ended), (&first.segment, "true", true));
}

/// Each time in full, in a stream of its own, in the caller's name.
async fn the_callers_words_are_told(stage: Stage) {
    let Stage { ada, agent, .. } = stage;
    ada.follow("lk.transcription").await;
    let mut segments = Vec::new();
    let mut streams = Vec::new();
    for (text, is_final) in [("I need", false), ("I need a doctor.", true), ("Today.", true)] {
        agent.tell(&Event::UserTranscript { text: text.to_owned(), is_final });
        let told = loop {
            let told = words(&ada).await;
            if told.ended {
                break told;
            }
        };
        assert_eq!((told.from.as_str(), told.text.as_str()), ("ada", text));
        assert_eq!(told.is_final, is_final.to_string());
        assert!(told.track.starts_with("TR_"), "{}", told.track);
        segments.push(told.segment);
        streams.push(told.stream);
    }
    assert!(segments[0] == segments[1] && segments[1] != segments[2], "{segments:?}");
    streams.dedup();
    assert_eq!(streams.len(), 3);
}
