//! What the caller's client is told of a call: the agent's states, and the words of both sides.

use std::collections::BTreeMap;

use voicegraph_tests::sdk_peer::{Event, SdkPeer};

use crate::clinic::BEN;

/// Waits until the agent's words, as they are told, contain this, and gives its identity.
pub(crate) async fn agent_says(caller: &SdkPeer, words: &str) -> String {
    let said = |event| match event {
        Event::Words { text, from, .. } => {
            (from.starts_with("agent-") && text.contains(words)).then_some(from)
        }
        _ => None,
    };
    caller.event(words, said).await
}

/// All that was told of an answer.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The agent's states, in order.
    pub(crate) states: Vec<String>,
    /// What streams of words told, in order.
    words: Vec<Words>,
}

#[derive(Debug)]
struct Words {
    from: String,
    stream: String,
    text: String,
    attributes: BTreeMap<String, String>,
    ended: bool,
}

/// The state that an event tells of the agent.
pub(crate) fn state(event: &Event) -> Option<&str> {
    match event {
        Event::ParticipantAttributesChanged { from, changed } if from.starts_with("agent-") => {
            changed.get("lk.agent.state").map(String::as_str)
        }
        _ => None,
    }
}

impl Seen {
    /// What is told until the agent has spoken and listens again, and its words have ended; which
    /// of the two comes first is not said.
    pub(crate) async fn answer(caller: &SdkPeer) -> Self {
        let mut seen = Self::default();
        while !(seen.has_spoken() && seen.agents().any(|words| words.ended)) {
            seen.take(caller.next().await);
        }
        seen
    }

    fn has_spoken(&self) -> bool {
        let spoke = self.states.iter().any(|state| state == "speaking");
        spoke && self.states.last().is_some_and(|state| state == "listening")
    }

    fn take(&mut self, event: Event) {
        self.states.extend(state(&event).map(str::to_owned));
        if let Event::Words { from, topic, stream, text, attributes, ended } = event {
            assert_eq!(topic, "lk.transcription");
            self.words.push(Words { from, stream, text, attributes, ended });
        }
    }

    fn agents(&self) -> impl Iterator<Item = &Words> {
        self.words.iter().filter(|words| words.from.starts_with("agent-"))
    }

    /// What the agent said: one stream, which grew as it was spoken and is final at its end.
    pub(crate) fn agents_words(&self) -> &str {
        let words: Vec<_> = self.agents().collect();
        assert!(words.len() > 2, "it came in one piece: {words:?}");
        for (before, after) in words.iter().zip(&words[1..]) {
            assert_eq!(before.stream, after.stream);
            assert!(after.text.starts_with(&before.text), "{before:?} and {after:?}");
        }
        let (first, last) = (words[0], words[words.len() - 1]);
        assert!(first.text.len() < last.text.len() && !first.ended && last.ended, "{words:?}");
        assert_eq!(first.attributes["lk.transcription_final"], "false");
        last.check_final();
        &last.text
    }

    /// What the caller was heard saying: a stream for each update, all of one segment.
    pub(crate) fn callers_words(&self) -> &str {
        let words = self.words.iter().filter(|words| words.from == BEN && words.ended);
        let words: Vec<_> = words.collect();
        let last = words.last().expect("the caller's words are told");
        last.check_final();
        for update in &words[..words.len() - 1] {
            assert_ne!(update.stream, last.stream);
            assert_eq!(update.attributes["lk.transcription_final"], "false", "{update:?}");
            assert_eq!(update.attributes["lk.segment_id"], last.attributes["lk.segment_id"]);
        }
        assert!(words.len() > 1, "interim words are told too");
        &last.text
    }
}

impl Words {
    fn check_final(&self) {
        let attribute = |name: &str| self.attributes.get(name).map_or("", String::as_str);
        assert_eq!(attribute("lk.transcription_final"), "true", "{self:?}");
        assert!(attribute("lk.segment_id").starts_with("SG_"), "{self:?}");
        assert!(attribute("lk.transcribed_track_id").starts_with("TR_"), "{self:?}");
    }
}
