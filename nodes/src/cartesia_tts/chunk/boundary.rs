//! Where a sentence, a clause, a word ends: pure functions on the text in hand.
//!
//! All positions are byte offsets at which the text can be split, behind the blanks that follow the
//! mark. Nothing here knows how the text arrived.

use super::is_speakable;

/// Words after which a sentence always goes on: titles, and what introduces an example.
const LEADING: [&str; 17] = [
    "dr", "mr", "mrs", "ms", "mx", "prof", "st", "rev", "hon", "gen", "hr", "fr", "e.g", "i.e",
    "z.b", "d.h", "u.a",
];

/// Words that are abbreviations before a number, and sentences of their own else: "No. 5", "No."
const BEFORE_NUMBERS: [&str; 12] =
    ["no", "nr", "nos", "fig", "vol", "ch", "pp", "approx", "ca", "ext", "tel", "art"];

/// Abbreviations that may also stand at a sentence's end: what follows decides.
const ABBREVIATIONS: [&str; 41] = [
    "jr", "sr", "vs", "etc", "inc", "ltd", "co", "corp", "dept", "est", "ave", "blvd", "rd", "mt",
    "apt", "min", "max", "hrs", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept",
    "oct", "nov", "dec", "mon", "tue", "wed", "thu", "fri", "bzw", "usw", "str", "tgl", "evtl",
    "ggf",
];

/// How the stop behind a word is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// It ends the sentence.
    Ends,
    /// It belongs to the word.
    Never,
    /// It ends the sentence unless a digit follows.
    UnlessNumber,
    /// It ends the sentence if a capital follows.
    IfCapital,
}

/// The end of the first sentence. A stop at the end of the text ends it, unless the next token must
/// explain it first: "Dr.", "3.", "e.g.".
pub(super) fn sentence_end(text: &str) -> Option<usize> {
    let mut marks = text.char_indices().filter(|(_, mark)| ends_sentence(*mark));
    marks.find_map(|(at, mark)| {
        let (before, rest) = (&text[..at], &text[at + mark.len_utf8()..]);
        let next = after_mark(mark, rest)?;
        let ends = is_speakable(before) && is_end(before, mark, rest, next);
        ends.then_some(text.len() - next.len())
    })
}

/// The end of the last clause in `text`, where at least `min` characters stand before it.
pub(super) fn clause_end(text: &str, min: usize) -> Option<usize> {
    let ends = text.char_indices().enumerate().filter_map(|(count, (at, mark))| {
        let rest = &text[at + mark.len_utf8()..];
        let ends = count + 1 >= min && ends_clause(&text[..at], mark, rest);
        ends.then(|| text.len() - rest.trim_start().len())
    });
    ends.last().filter(|end| is_speakable(&text[..*end]))
}

/// The end of the last whole word within the first `max` characters, once there are more than
/// those. A word longer than that is cut.
pub(super) fn word_end(text: &str, max: usize) -> Option<usize> {
    let (limit, _) = text.char_indices().nth(max)?;
    let blank = text[..limit].rfind(char::is_whitespace);
    let behind = |at: usize| at + text[at..].chars().next().map_or(0, char::len_utf8);
    let end = blank.map(behind).filter(|end| is_speakable(&text[..*end])).unwrap_or(limit);
    is_speakable(&text[..end]).then_some(end)
}

fn ends_sentence(mark: char) -> bool {
    matches!(mark, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '\n')
}

/// What follows `mark` and all that belongs to it; nothing where the mark stands within a word.
fn after_mark(mark: char, rest: &str) -> Option<&str> {
    if mark == '\n' {
        return Some(rest.trim_start());
    }
    let closed = rest.trim_start_matches(|c| c != '\n' && ends_sentence(c) || closes(c));
    let next = closed.trim_start();
    let parted = next.len() < closed.len() || closed.is_empty();
    (parted || matches!(mark, '。' | '！' | '？')).then_some(next)
}

/// Whether `mark`, after `before`, ends the sentence, given the text `next` that follows.
fn is_end(before: &str, mark: char, rest: &str, next: &str) -> bool {
    let lone_stop = mark == '.' && !rest.starts_with(ends_sentence);
    let stop = if lone_stop { read_stop(before) } else { Stop::Ends };
    match (stop, next.chars().next()) {
        (Stop::Ends, _) => true,
        (Stop::Never, _) | (_, None) => false,
        (Stop::UnlessNumber, Some(first)) => !first.is_numeric(),
        (Stop::IfCapital, Some(first)) => first.is_uppercase(),
    }
}

/// How a stop behind `before` is to be read. In doubt a sentence goes on: that costs a later cut,
/// while a false end is heard.
fn read_stop(before: &str) -> Stop {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or(before);
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let short = word.chars().count() <= 2;
    let initial = word.chars().count() == 1;
    let numeric = word.chars().last().is_some_and(char::is_numeric);
    if initial || (short && numeric) || LEADING.contains(&word.as_str()) {
        Stop::Never
    } else if BEFORE_NUMBERS.contains(&word.as_str()) {
        Stop::UnlessNumber
    } else if numeric || word.contains('.') || ABBREVIATIONS.contains(&word.as_str()) {
        Stop::IfCapital
    } else {
        Stop::Ends
    }
}

/// Quotes and brackets that belong to the sentence before them.
fn closes(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '›' | '」')
}

/// A comma in "1,000" and a colon in "10:30" end no clause, nor does a hyphen.
fn ends_clause(before: &str, mark: char, rest: &str) -> bool {
    match mark {
        '—' | '，' | '、' | '；' | '：' => true,
        ',' | ';' | ':' if rest.is_empty() => {
            !before.chars().next_back().is_some_and(char::is_numeric)
        }
        ',' | ';' | ':' | '–' => rest.starts_with(char::is_whitespace),
        _ => false,
    }
}
