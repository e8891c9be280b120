//! When the agent is interrupted, held, and let go on.

use super::super::{EndOfTurn, Options};
use super::check;

fn options() -> Options {
    super::options(EndOfTurn::First)
}

/// The agent answers "hello" from 100 ms on, and is heard from 200 ms on.
fn answering<'a>(script: &[&'a str]) -> Vec<&'a str> {
    [&["100 over 50 hello", "200 speaks"], script].concat()
}

const ANSWERS: &str = "100 begin \"hello\" stt 50 settled 100";

fn check_answering(options: Options, script: &[&str], expected: &[&str]) {
    check(options, &answering(script), &[&[ANSWERS], expected].concat());
}

#[test]
fn speech_that_lasts_holds_and_then_interrupts() {
    check_answering(
        options(),
        &["1060 started 1000", "2000 ended 1800", "2050 over 1790 wait"],
        &["1060 hold", "1500 interrupt 1000", "2050 begin \"wait\" vad 1800 settled 2050"],
    );
}

#[test]
fn after_a_cough_the_agent_goes_on() {
    check_answering(
        options(),
        &["1060 started 1000", "1400 ended 1200"],
        &["1060 hold", "2400 resume"],
    );
}

#[test]
fn a_short_word_interrupts_when_it_is_recognised() {
    check_answering(
        options(),
        &["1060 started 1000", "1400 ended 1200", "1600 interim - stop", "1900 over 1190 Stop."],
        &["1060 hold", "1600 interrupt 1000", "1900 begin \"Stop.\" vad 1200 settled 1900"],
    );
}

#[test]
fn a_word_that_was_recognised_before_the_short_speech_ended_interrupts_at_its_end() {
    check_answering(
        options(),
        &["1060 started 1000", "1300 interim - stop", "1400 ended 1200"],
        &["1060 hold", "1400 interrupt 1000", "4200 begin \"stop\" vad 1200 settled 4200"],
    );
}

#[test]
fn a_finished_short_utterance_interrupts_and_is_answered() {
    check_answering(
        options(),
        &["1060 started 1000", "1380 over 1180 stop", "1400 ended 1200"],
        &["1060 hold", "1380 interrupt 1000", "1380 begin \"stop\" stt 1180 settled 1380"],
    );
}

#[test]
fn a_word_after_the_timeout_interrupts_without_a_hold() {
    check_answering(
        options(),
        &["1060 started 1000", "1400 ended 1200", "3000 over 1190 stop"],
        &[
            "1060 hold",
            "2400 resume",
            "3000 interrupt 1190",
            "3000 begin \"stop\" vad 1200 settled 3000",
        ],
    );
}

#[test]
fn a_second_cough_begins_the_doubt_anew() {
    check_answering(
        options(),
        &["1060 started 1000", "1400 ended 1200", "2060 started 2000", "2400 ended 2200"],
        &["1060 hold", "3400 resume"],
    );
}

#[test]
fn speech_while_the_agent_thinks_keeps_it_silent_and_then_interrupts() {
    check(
        options(),
        &["100 over 50 hello", "260 started 200", "1000 ended 800", "1100 over 790 wait"],
        &[ANSWERS, "260 hold", "700 interrupt 200", "1100 begin \"wait\" vad 800 settled 1100"],
    );
}

#[test]
fn after_a_cough_while_it_thinks_the_agent_may_speak() {
    check(
        options(),
        &["100 over 50 hello", "260 started 200", "500 ended 300", "1600 speaks", "3000 done"],
        &[ANSWERS, "260 hold", "1500 resume"],
    );
}

#[test]
fn too_few_words_do_not_interrupt_and_are_answered_afterwards() {
    let words = Options { min_interruption_words: 2, ..options() };
    check_answering(
        words.clone(),
        &["1060 started 1000", "1400 ended 1200", "1600 over 1190 okay", "5000 done"],
        &["1060 hold", "2400 resume", "5000 begin \"okay\" vad 1200 settled 5000"],
    );
    check_answering(
        words,
        &["1060 started 1000", "1900 ended 1700", "2000 interim - no wait"],
        &["1060 hold", "2000 interrupt 1000", "4700 begin \"no wait\" vad 1700 settled 4700"],
    );
}

#[test]
fn long_noise_without_the_needed_words_does_not_hold_for_ever() {
    let words = Options { min_interruption_words: 1, ..options() };
    check_answering(
        words,
        &["1060 started 1000", "9000 interim - hey", "9800 ended 9600", "9900 over 9590 Hey."],
        &[
            "1060 hold",
            "2500 resume",
            "9000 interrupt 1000",
            "9900 begin \"Hey.\" vad 9600 settled 9900",
        ],
    );
}

#[test]
fn without_a_voice_detector_words_interrupt() {
    check_answering(
        options(),
        &["1500 interim 1400 wait", "2000 over 1600 wait please"],
        &["1500 interrupt 1400", "2000 begin \"wait please\" stt 1600 settled 2000"],
    );
}

#[test]
fn where_interruptions_are_not_allowed_what_is_said_is_answered_afterwards() {
    let deaf = Options { allow_interruptions: false, ..options() };
    check_answering(
        deaf,
        &[
            "1060 started 1000",
            "2000 ended 1800",
            "2050 over 1790 wait",
            "2560 started 2500",
            "3000 ended 2800",
            "3050 over 2790 please",
            "5000 done",
        ],
        &["5000 begin \"wait please\" vad 2800 settled 5000"],
    );
}

#[test]
fn an_answer_that_ends_during_the_doubt_ends_the_doubt() {
    check_answering(
        options(),
        &["460 started 400", "500 done", "1200 ended 1000", "1300 over 990 yes"],
        &["460 hold", "1300 begin \"yes\" vad 1000 settled 1300"],
    );
}

#[test]
fn at_the_end_of_the_audio_a_held_agent_goes_on() {
    check_answering(
        options(),
        &["1060 started 1000", "1200 ended 1200", "1210 close", "5000 done"],
        &["1060 hold", "1210 resume"],
    );
}

#[test]
fn at_the_end_of_the_audio_words_that_may_not_interrupt_wait_for_the_answers_end() {
    let words = Options { min_interruption_words: 3, ..options() };
    check_answering(
        words,
        &["1060 started 1000", "1150 final - yes", "1200 ended 1200", "1210 close", "5000 done"],
        &["1060 hold", "1210 resume", "5000 begin \"yes\" vad 1200 settled 5000"],
    );
}
