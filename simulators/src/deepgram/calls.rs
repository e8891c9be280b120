//! Which utterance each call is at. A call is all connections with the same `tag`, so that after a
//! reconnect the caller goes on where the last one was understood; a connection without a tag is a
//! call by itself.

use std::collections::{BTreeMap, VecDeque};

use super::{AfterLast, Script};

/// Calls remembered; the oldest is forgotten first.
const CALL_LIMIT: usize = 1_024;

/// How many utterances of each call have been delivered.
#[derive(Debug, Default)]
pub(super) struct Calls {
    delivered: BTreeMap<String, usize>,
    order: VecDeque<String>,
}

/// What one utterance is heard as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cue {
    /// Its place in the call, from 0.
    pub(super) index: usize,
    /// Its words; none for a noise.
    pub(super) words: Vec<String>,
}

impl Calls {
    /// Utterances of call `tag` whose final was delivered.
    pub(super) fn delivered(&self, tag: &str) -> usize {
        self.delivered.get(tag).copied().unwrap_or(0)
    }

    /// The final of utterance `index` of call `tag` was delivered.
    pub(super) fn deliver(&mut self, tag: &str, index: usize) {
        if !self.delivered.contains_key(tag) {
            self.remember(tag);
        }
        let delivered = self.delivered.entry(tag.to_owned()).or_default();
        *delivered = (*delivered).max(index + 1);
    }

    fn remember(&mut self, tag: &str) {
        if self.order.len() == CALL_LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.delivered.remove(&oldest);
        }
        self.order.push_back(tag.to_owned());
    }
}

/// What utterance `index` of a call is heard as.
pub(super) fn cue(script: &Script, index: usize) -> Cue {
    let count = script.utterances.len();
    let heard = match (script.utterances.get(index), &script.after_last) {
        (Some(heard), _) => heard,
        (None, AfterLast::Repeat) if count > 0 => &script.utterances[index % count],
        (None, AfterLast::Repeat | AfterLast::Silence) => "",
        (None, AfterLast::Heard(heard)) => heard,
    };
    Cue { index, words: heard.split_whitespace().map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_call_is_forgotten() {
        let mut calls = Calls::default();
        for number in 0..=CALL_LIMIT {
            calls.deliver(&number.to_string(), 0);
        }
        assert_eq!(calls.delivered("0"), 0);
        assert_eq!(calls.delivered("1"), 1);
        assert_eq!(calls.delivered.len(), CALL_LIMIT);
    }

    #[test]
    fn after_the_last_comes_what_the_script_says() {
        let mut script = Script { utterances: vec!["one two".to_owned()], ..Script::default() };
        let mut words = |after_last| {
            script.after_last = after_last;
            cue(&script, 3).words.join(" ")
        };
        assert_eq!(words(AfterLast::Repeat), "one two");
        assert_eq!(words(AfterLast::Silence), "");
        assert_eq!(words(AfterLast::Heard("hm".to_owned())), "hm");
    }
}
