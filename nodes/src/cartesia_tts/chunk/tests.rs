use proptest::prelude::*;

use super::*;

const LIMITS: ChunkLimits = ChunkLimits { first_min: 12, first_max: 60, min: 60, max: 200 };

/// The chunks that are complete after each delta, and what is left at the end, in brackets.
fn chunks(deltas: &[&str]) -> Vec<String> {
    let mut chunker = Chunker::new(LIMITS);
    let mut chunks = Vec::new();
    for delta in deltas {
        chunker.push(delta);
        chunks.extend(std::iter::from_fn(|| chunker.next_chunk()));
    }
    let rest = chunker.finish();
    if !rest.is_empty() {
        chunks.push(format!("[{rest}]"));
    }
    chunks
}

fn check(deltas: &[&str], expected: &[&str]) {
    assert_eq!(chunks(deltas), expected, "{deltas:?}");
}

#[test]
fn a_sentence_goes_with_its_stop() {
    check(&["We open at", " nine."], &["We open at nine."]);
    check(&["Yes!", " Sure"], &["Yes!", "[ Sure]"]);
    check(&["Shall", " I?", " Or", " not", "?"], &["Shall I?", " Or not?"]);
    check(&["Well…", " fine."], &["Well…", " fine."]);
    check(&["Well", "...", " fine."], &["Well...", " fine."]);
}

#[test]
fn blanks_go_with_the_sentence_before_where_they_are_in_hand() {
    check(&["Hello there. How are you? Fine"], &["Hello there. ", "How are you? ", "[Fine]"]);
    check(&["One day.\n\n- Two days"], &["One day.\n\n", "[- Two days]"]);
    check(&["First line\nsecond"], &["First line\n", "[second]"]);
}

#[test]
fn a_title_or_initial_goes_on() {
    check(&["Ask Dr.", " Meyer", "."], &["Ask Dr. Meyer."]);
    check(&["See Mr.", " J.", " R.", " Ewing."], &["See Mr. J. R. Ewing."]);
    check(&["Fruit, e.g.", " Apples."], &["Fruit, e.g. Apples."]);
    check(&["(Prof. Li) is in."], &["(Prof. Li) is in."]);
}

#[test]
fn an_abbreviation_waits_for_the_next_token() {
    check(&["At 5 p.m.", " We", " close."], &["At 5 p.m. ", "We close."]);
    check(&["At 5 p.m.", " on Monday."], &["At 5 p.m. on Monday."]);
    check(&["Acme Inc.", " is"], &["[Acme Inc. is]"]);
    check(&["No.", " 5 is free."], &["No. 5 is free."]);
    check(&["No.", " We are not."], &["No. ", "We are not."]);
}

#[test]
fn a_number_is_not_cut() {
    check(&["Pi is 3.", "14 or so."], &["Pi is 3.14 or so."]);
    check(&["It costs $5.", "99."], &["[It costs $5.99.]"]);
    check(&["1.", " Call", " us."], &["1. Call us."]);
    check(&["Am 3.", " Mai."], &["Am 3. Mai."]);
    check(&["In 2024.", " Then", " more."], &["In 2024. ", "Then more."]);
    check(
        &["It takes 1,", "000 days exactly, or so"],
        &["It takes 1,000 days exactly, ", "[or so]"],
    );
    check(&["We meet at 10:", "30"], &["[We meet at 10:30]"]);
}

#[test]
fn a_stop_within_a_word_ends_nothing() {
    check(&["Write to clinic@example.com please."], &["Write to clinic@example.com please."]);
    check(&["U.S.A. and", " more."], &["U.S.A. and more."]);
}

#[test]
fn closing_quotes_go_with_the_sentence() {
    check(&["She said \"stop.\" Then"], &["She said \"stop.\" ", "[Then]"]);
    check(&["What?!) Ah"], &["What?!) ", "[Ah]"]);
}

#[test]
fn the_first_chunk_may_be_a_clause() {
    check(&["Good morning,", " this is", " me."], &["Good morning,", " this is me."]);
    check(&["Sure,", " at once."], &["Sure, at once."]);
    check(&["Thank you very much — bye"], &["Thank you very much — ", "[bye]"]);
}

#[test]
fn a_later_chunk_is_cut_at_a_clause_only_when_long() {
    check(&["Yes.", " On Monday at nine, if"], &["Yes.", "[ On Monday at nine, if]"]);
    let long = " On Monday at nine, or on Tuesday at ten, or on Friday at eleven,";
    check(&["Yes.", long, " as"], &["Yes.", long, "[ as]"]);
}

#[test]
fn text_without_marks_is_cut_between_words() {
    let words = "word ".repeat(20);
    let got = chunks(&[&words]);
    assert_eq!(got[0], "word ".repeat(12), "{got:?}");
    let solid = "x".repeat(70);
    check(&[&solid], &[&"x".repeat(60), &format!("[{}]", "x".repeat(10))]);
}

#[test]
fn other_scripts_are_cut_at_their_own_marks() {
    check(&["你好。我是医生！", "再见"], &["你好。", "我是医生！", "[再见]"]);
    check(&["Schönen Tag.", " Tschüß."], &["Schönen Tag.", " Tschüß."]);
}

#[test]
fn what_cannot_be_said_makes_no_chunk() {
    check(&["...", " ", "!?\n"], &["[... !?\n]"]);
    check(&["— ", "Hello."], &["— Hello."]);
    check(&[], &[]);
}

fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "Dr", "e.g", "3", "14", "Hello", "yes", "J", "…", "...", "\u{a0}", "é", "你好", "。", "🙂",
        ". ", ".", "! ", "?", ", ", ",", " ", "\n", "\"", ")", "—", ":", "No", "p.m",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn chunks_joined_are_the_text(text in text(), cuts in prop::collection::vec(0.0..1.0, 0..20)) {
        let mut chunker = Chunker::new(ChunkLimits { first_min: 3, first_max: 9, min: 7, max: 15 });
        let mut joined = String::new();
        for delta in split(&text, &cuts) {
            chunker.push(&delta);
            while let Some(chunk) = chunker.next_chunk() {
                prop_assert!(is_speakable(&chunk), "{chunk:?}");
                joined.push_str(&chunk);
            }
        }
        joined.push_str(&chunker.finish());
        prop_assert_eq!(joined, text);
    }
}

/// `text` in pieces, cut at these fractions of its length.
fn split(text: &str, cuts: &[f64]) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut ends: Vec<usize> =
        cuts.iter().map(|cut| (cut * letters.len() as f64) as usize).collect();
    ends.extend([0, letters.len()]);
    ends.sort_unstable();
    ends.windows(2).map(|pair| letters[pair[0]..pair[1]].iter().collect()).collect()
}
