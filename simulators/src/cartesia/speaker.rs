//! Turns the text of one context into samples, piece by piece. A piece that continues a recorded
//! line continues its recording, so that the pieces together are the recording exactly; any other
//! piece is a buzz whose length follows the text.

use std::time::Duration;

use super::script::Script;
use super::text::Key;
use crate::audio::{self, Timed, buzz, spread};

/// The voice of one context.
#[derive(Debug)]
pub(super) struct Speaker {
    rate_hz: u32,
    /// What of a line has been spoken; empty between lines.
    line_so_far: String,
    /// Samples made so far, which is where the next piece begins.
    made: u64,
}

/// Speech for a piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Spoken {
    pub(super) samples: Vec<i16>,
    /// Its words; times count from the start of the context.
    pub(super) words: Vec<Timed>,
}

/// How a line takes up a text.
enum Match<'s> {
    /// The text is the beginning of this line, or all of it.
    Within(&'s super::Line),
    /// The text is this line and more; it ends at this byte.
    Beyond(&'s super::Line, usize),
}

impl Speaker {
    /// A voice at `rate_hz`.
    pub(super) fn new(rate_hz: u32) -> Self {
        Self { rate_hz, line_so_far: String::new(), made: 0 }
    }

    /// Speaks `piece` after all that it has spoken before.
    pub(super) fn speak(&mut self, script: &Script, piece: &str) -> Spoken {
        let mut spoken = Spoken::default();
        let mut rest = piece;
        while !Key::of(rest).is_empty() {
            let used = self.speak_line(script, rest, &mut spoken).unwrap_or_else(|| {
                self.improvise(script, rest, &mut spoken);
                rest.len()
            });
            rest = &rest[used..];
        }
        if !self.line_so_far.is_empty() {
            self.line_so_far.push_str(rest);
        }
        spoken
    }

    /// Plays the line that `rest` continues, or else the one that it begins; gives how many bytes
    /// of `rest` that was.
    fn speak_line(&mut self, script: &Script, rest: &str, out: &mut Spoken) -> Option<usize> {
        let joined = format!("{}{rest}", self.line_so_far);
        let found = find(script, &joined).filter(|_| !self.line_so_far.is_empty());
        if found.is_none() {
            self.line_so_far.clear();
        }
        let text = format!("{}{rest}", self.line_so_far);
        let (line, end) = match found.or_else(|| find(script, &text))? {
            Match::Within(line) => (line, text.len()),
            Match::Beyond(line, end) => (line, end),
        };
        let before = self.line_so_far.len();
        self.play(line, &text[..end], &text[before.min(end)..end], out);
        self.line_so_far = if end == text.len() { text } else { String::new() };
        Some(end.saturating_sub(before))
    }

    /// Plays `line` from where it stands to the end of `text`; `piece` is what is new in it.
    fn play(&mut self, line: &super::Line, text: &str, piece: &str, out: &mut Spoken) {
        let (from, to) = (Key::of(&self.line_so_far).len(), Key::of(text).len());
        let total = line.key.len();
        let recording = audio::Line::new(&line.speech, self.rate_hz);
        let (begin, end) = (recording.sample_at(from, total), recording.sample_at(to, total));
        let time = |done| {
            let sample = recording.loud_at(done, total).clamp(begin, end);
            self.time_of(self.made + (sample - begin) as u64)
        };
        // A piece mostly begins with the blank after the last word, which is no part of its own.
        let first = if from == 0 { 0 } else { to - Key::of(piece).len().min(to) };
        out.words.extend(spread(&words(piece), time(first), time(to)));
        out.samples.extend_from_slice(&recording.speech.samples[begin..end]);
        self.made += (end - begin) as u64;
    }

    fn improvise(&mut self, script: &Script, text: &str, out: &mut Spoken) {
        let length = script.per_char * text.trim().chars().count() as u32;
        let count = (length.as_nanos() * u128::from(self.rate_hz) / 1_000_000_000) as usize;
        let (begin, end) = (self.time_of(self.made), self.time_of(self.made + count as u64));
        out.words.extend(spread(&words(text), begin, end));
        out.samples.extend(buzz(count, self.rate_hz, self.made));
        self.made += count as u64;
    }

    fn time_of(&self, sample: u64) -> Duration {
        Duration::from_nanos(sample * 1_000_000_000 / u64::from(self.rate_hz))
    }
}

/// The first line that takes up `text`; one that takes all of it goes before one that ends in it.
fn find<'s>(script: &'s Script, text: &str) -> Option<Match<'s>> {
    let key = Key::of(text);
    let within = script.lines.iter().find(|line| line.key.starts_with(&key)).map(Match::Within);
    let ends = script.lines.iter().filter_map(|line| Some((line, key.split_after(&line.key)?)));
    within.or_else(|| ends.max_by_key(|(_, end)| *end).map(|(line, end)| Match::Beyond(line, end)))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audio::Speech;

    const TEXT: &str = "Of course. On Tuesday, at ten o'clock.";

    fn script() -> Script {
        let line = |text: &str, level: i16| super::super::Line {
            text: text.to_owned(),
            speech: Speech {
                samples: (0..24_000).map(|index| level + index % 100).collect(),
                rate_hz: 24_000,
            },
            key: Key::of(text),
        };
        Script {
            lines: vec![line(TEXT, 8_000), line("Thank you.", 9_000), line("Of coal.", 7_000)],
            ..Script::default()
        }
    }

    fn speak(pieces: &[&str]) -> Spoken {
        let (script, mut speaker) = (script(), Speaker::new(24_000));
        pieces.iter().fold(Spoken::default(), |mut all, piece| {
            let spoken = speaker.speak(&script, piece);
            all.samples.extend(spoken.samples);
            all.words.extend(spoken.words);
            all
        })
    }

    #[test]
    fn a_line_is_its_recording() {
        let spoken = speak(&[TEXT]);
        assert_eq!(spoken.samples, *script().lines[0].speech.samples);
        assert_eq!(spoken.words.len(), 7);
        assert_eq!(spoken.words[6].end, Duration::from_secs(1));
    }

    #[test]
    fn two_lines_in_one_piece_are_both_recordings() {
        let lines = script().lines;
        let both = [&*lines[1].speech.samples, &*lines[0].speech.samples].concat();
        assert_eq!(speak(&[&format!("Thank you. {TEXT}")]).samples, both);
        assert_eq!(speak(&["Thank", " you. ", TEXT]).samples, both);
    }

    #[test]
    fn other_text_is_a_buzz_of_its_length() {
        assert_eq!(speak(&["Nobody said this. "]).samples.len(), 17 * 60 * 24);
        assert_eq!(speak(&["Thank", " goodness."]).samples.len(), 13_333 + 9 * 60 * 24);
        assert_eq!(speak(&[" ", "", "?"]), Spoken::default());
    }

    #[test]
    fn a_lost_blank_is_heard() {
        assert_ne!(speak(&["Thank", "you."]).samples, speak(&["Thank you."]).samples);
    }

    proptest! {
        #[test]
        fn however_the_text_is_cut_the_sum_is_the_recording(
            mut cuts in prop::collection::vec(0..TEXT.len(), 0..8),
        ) {
            cuts.extend([0, TEXT.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|pair| &TEXT[pair[0]..pair[1]]).collect();
            let spoken = speak(&pieces);
            prop_assert_eq!(&spoken.samples[..], &script().lines[0].speech.samples[..]);
            prop_assert!(spoken.words.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
