//! What is typed or pressed.

use super::super::{EndOfTurn, Options};
use super::{check, options};

/// Options by which the recogniser ends a turn at once.
fn quick() -> Options {
    options(EndOfTurn::First)
}

/// The agent answers "hello" and is heard from 200 ms on.
const ANSWERING: [&str; 2] = ["100 over 50 hello", "200 speaks"];

/// What [`ANSWERING`] leaves in the log.
const BEGUN: &str = "100 begin \"hello\" stt 50 settled 100";

/// Plays `script` into an answer that is heard, and compares what is done from there on.
fn into_answer(options: Options, script: &[&str], expected: &[&str]) {
    check(options, &[&ANSWERING, script].concat(), &[&[BEGUN], expected].concat());
}

#[test]
fn a_message_begins_a_turn_at_once() {
    check(
        Options::default(),
        &["900 typed - At two."],
        &["900 begin \"At two.\" input 900 settled 900"],
    );
}

#[test]
fn a_message_interrupts_the_agent_and_begins_a_turn() {
    let begin = "900 begin \"At two.\" input 900 settled 900";
    into_answer(quick(), &["900 typed - At two."], &["900 interrupt 900", begin]);
    let many = Options { min_interruption_words: 5, ..quick() };
    into_answer(many, &["900 typed - At two."], &["900 interrupt 900", begin]);
}

#[test]
fn a_message_supersedes_an_answer_that_was_not_heard_yet() {
    check(
        quick(),
        &["100 over 50 hello", "150 typed - at two"],
        &[BEGUN, "150 begin \"at two\" input 150 settled 150"],
    );
}

#[test]
fn what_was_said_before_a_message_goes_in_front_of_it() {
    check(
        Options::default(),
        &[
            "560 started 500",
            "800 final 780 I would",
            "900 interim - like",
            "950 typed - a Tuesday",
            "1000 final 980 like one",
            "1200 ended 1000",
        ],
        &[
            "950 begin \"I would like a Tuesday\" input 950 settled 950",
            "1000 interrupt 980",
            "1400 begin \"one\" vad 1000 settled 1400",
        ],
    );
}

#[test]
fn a_message_resolves_the_doubt_of_a_sound() {
    into_answer(
        quick(),
        &["1060 started 1000", "1200 typed - stop", "1400 ended 1200"],
        &["1060 hold", "1200 interrupt 1200", "1200 begin \"stop\" input 1200 settled 1200"],
    );
}

#[test]
fn keys_are_gathered_until_a_hash() {
    check(
        quick(),
        &["100 press - 1", "1900 press - 2", "2000 press - #"],
        &["2000 begin \"[keypad: 12]\" input 2000 settled 2000"],
    );
}

#[test]
fn keys_are_a_number_when_no_other_is_pressed() {
    let begin = "4000 begin \"[keypad: 12]\" input 2000 settled 4000";
    check(quick(), &["100 press - 1", "2000 press - 2"], &[begin]);
    into_answer(quick(), &["1900 press - 1", "2000 press - 2"], &["4000 interrupt 4000", begin]);
}

#[test]
fn without_a_timeout_each_key_is_a_turn() {
    let menu = Options { dtmf_timeout_ms: 0, ..quick() };
    check(
        menu,
        &["100 press - 1", "900 press - *"],
        &[
            "100 begin \"[keypad: 1]\" input 100 settled 100",
            "900 begin \"[keypad: *]\" input 900 settled 900",
        ],
    );
}

#[test]
fn a_message_brings_the_keys_before_it_along() {
    check(
        quick(),
        &["100 press - 7", "900 typed - that is my room"],
        &["900 begin \"[keypad: 7] that is my room\" input 900 settled 900"],
    );
}

#[test]
fn the_end_of_the_call_completes_a_number() {
    check(
        quick(),
        &["100 press - 7", "900 close"],
        &["900 begin \"[keypad: 7]\" input 100 settled 900"],
    );
}

#[test]
fn the_button_silences_the_agent_and_begins_nothing() {
    into_answer(quick(), &["900 button"], &["900 interrupt 900"]);
    into_answer(
        quick(),
        &["1060 started 1000", "1100 button"],
        &["1060 hold", "1100 interrupt 1100"],
    );
    check(quick(), &["100 over 50 hello", "150 button"], &[BEGUN, "150 interrupt 150"]);
    check(quick(), &["900 button"], &[]);
}

#[test]
fn where_nothing_interrupts_what_is_typed_waits_for_the_end_of_the_answer() {
    let quiet = Options { allow_interruptions: false, ..quick() };
    into_answer(
        quiet,
        &["900 typed - at", "1000 button", "1100 press - 2", "1200 over 1150 please", "4000 done"],
        &["4000 begin \"at please [keypad: 2]\" input 1100 settled 4000"],
    );
}
