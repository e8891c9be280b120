//! When the caller's turn ends.

use super::super::{EndOfTurn, Options};
use super::{check, options};

const FIRST: EndOfTurn = EndOfTurn::First;
const STT: EndOfTurn = EndOfTurn::Stt;
const VAD: EndOfTurn = EndOfTurn::Vad;

#[test]
fn the_recognisers_endpoint_ends_the_turn_while_the_silence_is_still_short() {
    for endpoint in [STT, FIRST] {
        check(
            options(endpoint),
            &["560 started 500", "1300 over 1000 good morning", "1450 ended 1050"],
            &["1300 begin \"good morning\" stt 1000 settled 1300"],
        );
    }
}

#[test]
fn an_endpoint_after_the_silence_counts_from_the_end_of_the_voice() {
    for endpoint in [STT, FIRST] {
        check(
            options(endpoint),
            &["560 started 500", "1250 ended 1050", "1300 over 1000 good morning"],
            &["1300 begin \"good morning\" vad 1050 settled 1300"],
        );
    }
}

#[test]
fn silence_ends_the_turn_once_the_words_are_settled() {
    for endpoint in [VAD, FIRST] {
        check(
            options(endpoint),
            &[
                "560 started 500",
                "900 interim 800 good",
                "1250 ended 1050",
                "1290 interim 1000 good morn",
                "1310 final 1000 good morning",
            ],
            &["1310 begin \"good morning\" vad 1050 settled 1310"],
        );
    }
}

#[test]
fn words_that_were_settled_before_the_silence_wait_for_it() {
    for endpoint in [VAD, FIRST] {
        check(
            options(endpoint),
            &["560 started 500", "1200 final 1000 good morning", "1250 ended 1050"],
            &["1250 begin \"good morning\" vad 1050 settled 1250"],
        );
    }
}

#[test]
fn silence_alone_does_not_end_a_turn_by_endpoint() {
    check(
        options(STT),
        &["560 started 500", "1200 final 1000 good morning", "1250 ended 1050"],
        &["4050 begin \"good morning\" vad 1050 settled 4050"],
    );
}

#[test]
fn an_endpoint_alone_does_not_end_a_turn_by_silence() {
    check(
        options(VAD),
        &["560 started 500", "1200 over 1000 good morning", "1450 ended 1050"],
        &["1450 begin \"good morning\" vad 1050 settled 1450"],
    );
}

#[test]
fn a_final_that_does_not_reach_the_end_of_the_voice_is_not_all() {
    check(
        options(FIRST),
        &[
            "560 started 500",
            "1400 final 1000 good",
            "2200 ended 2000",
            "2300 final 1950 morning to you",
        ],
        &["2300 begin \"good morning to you\" vad 2000 settled 2300"],
    );
}

#[test]
fn a_recogniser_that_was_asked_and_has_no_more_words_has_settled_them() {
    check(
        options(FIRST),
        &["560 started 500", "1400 final 1000 good", "2200 ended 2000", "2240 final -"],
        &["2240 begin \"good\" vad 2000 settled 2240"],
    );
}

#[test]
fn the_minimum_delay_counts_from_the_end_of_speech() {
    let patient = Options { min_delay_ms: 400, ..options(FIRST) };
    check(
        patient.clone(),
        &["560 started 500", "1250 ended 1050", "1300 final 1000 good morning"],
        &["1450 begin \"good morning\" vad 1050 settled 1450"],
    );
    check(
        patient,
        &["560 started 500", "1250 ended 1050", "1700 final 1000 good morning"],
        &["1700 begin \"good morning\" vad 1050 settled 1700"],
    );
}

#[test]
fn a_caller_who_goes_on_within_the_delay_is_not_cut_off() {
    check(
        Options { min_delay_ms: 400, ..options(FIRST) },
        &[
            "560 started 500",
            "1250 ended 1050",
            "1300 over 1000 I would like",
            "1400 started 1340",
            "2250 ended 2050",
            "2300 over 2000 an appointment",
        ],
        &["2450 begin \"I would like an appointment\" vad 2050 settled 2450"],
    );
}

#[test]
fn after_a_sound_within_the_delay_the_recogniser_must_speak_again() {
    let patient = Options { min_delay_ms: 400, ..options(STT) };
    let cough = [
        "560 started 500",
        "1250 ended 1050",
        "1300 over 1000 yes",
        "1400 started 1340",
        "1700 ended 1500",
    ];
    check(patient.clone(), &cough, &["4500 begin \"yes\" vad 1500 settled 4500"]);
    check(
        patient,
        &[&cough[..], &["1750 over -"]].concat(),
        &["1900 begin \"yes\" vad 1500 settled 1900"],
    );
}

#[test]
fn an_endpoint_of_words_before_the_voice_that_is_heard_ends_nothing() {
    check(
        options(FIRST),
        &[
            "560 started 500",
            "1250 ended 1050",
            "1400 started 1340",
            "1450 over 1000 yes",
            "2250 ended 2050",
            "2300 over 2000 please",
        ],
        &["2300 begin \"yes please\" vad 2050 settled 2300"],
    );
}

#[test]
fn at_the_maximum_delay_the_turn_ends_with_the_words_that_there_are() {
    check(
        options(FIRST),
        &["560 started 500", "1250 ended 1050", "1300 interim 1000 book me tues"],
        &["4050 begin \"book me tues\" vad 1050 settled 4050"],
    );
}

#[test]
fn a_final_that_comes_after_the_maximum_delay_adds_only_what_is_new() {
    check(
        options(FIRST),
        &[
            "560 started 500",
            "1250 ended 1050",
            "1300 interim 900 book me",
            "4100 final 1000 Book me.",
        ],
        &["4050 begin \"book me\" vad 1050 settled 4050"],
    );
    check(
        options(FIRST),
        &[
            "560 started 500",
            "1250 ended 1050",
            "1300 interim 900 book me",
            "4100 final 1000 Book me Tuesday.",
        ],
        &[
            "4050 begin \"book me\" vad 1050 settled 4050",
            "4100 interrupt 4050",
            "4100 begin \"Tuesday.\" vad 1050 settled 4100",
        ],
    );
}

#[test]
fn words_that_come_after_the_maximum_delay_are_a_turn_once_they_rest() {
    check(
        options(STT),
        &["560 started 500", "1250 ended 1050", "5000 final 1000 good morning"],
        &["5500 begin \"good morning\" vad 1050 settled 5500"],
    );
    check(
        Options { settle_ms: 0, ..options(STT) },
        &["560 started 500", "1250 ended 1050", "5000 final 1000 good morning"],
        &["5000 begin \"good morning\" vad 1050 settled 5000"],
    );
}

#[test]
fn a_sentence_that_comes_late_word_by_word_is_one_turn() {
    let late = [
        "560 started 500",
        "1750 ended 1550",
        "5000 interim 700 book",
        "5000 interim 900 book me",
        "5300 interim 1100 book me on",
        "5700 interim 1100 book me on",
    ];
    check(options(FIRST), &late, &["5800 begin \"book me on\" vad 1550 settled 5800"]);
    check(
        options(FIRST),
        &[&late[..], &["5750 final 1500 Book me on Tuesday."]].concat(),
        &["5750 begin \"Book me on Tuesday.\" vad 1550 settled 5750"],
    );
}

#[test]
fn late_words_that_never_rest_are_a_turn_in_the_end() {
    let mut script = vec!["560 started 500".to_owned(), "1250 ended 1050".to_owned()];
    let guesses = ["yes", "yet"].into_iter().cycle().zip((5000..9000).step_by(400));
    script.extend(guesses.map(|(word, ms)| format!("{ms} interim 1000 {word}")));
    let script: Vec<&str> = script.iter().map(String::as_str).collect();
    let begun = "8000 begin \"yet\" vad 1050 settled 8000";
    let mut call = super::Call::new(options(FIRST));
    for line in script {
        let (ms, happening) = super::parse(line);
        call.happen(ms, happening);
    }
    assert_eq!(call.log.first().map(String::as_str), Some(begun), "{:?}", call.log);
}

#[test]
fn speech_without_words_is_no_turn() {
    check(options(FIRST), &["560 started 500", "1250 ended 1050", "1300 over -"], &[]);
}

#[test]
fn without_a_voice_detector_the_end_of_the_last_word_stands_in() {
    for endpoint in [STT, FIRST] {
        check(
            options(endpoint),
            &["900 interim 800 good", "1300 over 1000 good morning"],
            &["1300 begin \"good morning\" stt 1000 settled 1300"],
        );
    }
    check(
        options(VAD),
        &["1300 over 1000 good morning"],
        &["4000 begin \"good morning\" stt 1000 settled 4000"],
    );
    check(
        options(FIRST),
        &["1300 over - good morning"],
        &["1300 begin \"good morning\" stt 1300 settled 1300"],
    );
}

#[test]
fn a_word_gap_ends_the_turn_in_noise() {
    check(
        options(FIRST),
        &["560 started 500", "1300 final 1000 good morning", "2100 gap 1000"],
        &["2100 begin \"good morning\" stt 1000 settled 2100"],
    );
}

#[test]
fn words_that_the_voice_detector_missed_count_from_their_own_end() {
    check(
        options(FIRST),
        &["560 started 500", "1250 ended 1050", "9000 final 8500 yes", "9100 over 8800 please"],
        &["9100 begin \"yes please\" stt 8800 settled 9100"],
    );
}

#[test]
fn a_second_turn_supersedes_one_that_is_thought_about() {
    check(
        options(FIRST),
        &[
            "560 started 500",
            "1250 ended 1050",
            "1300 over 1000 book me",
            "1700 started 1640",
            "2100 over 1900 Tuesday",
        ],
        &[
            "1300 begin \"book me\" vad 1050 settled 1300",
            "1700 hold",
            "2100 begin \"Tuesday\" stt 1900 settled 2100",
        ],
    );
}

#[test]
fn the_agent_may_speak_first() {
    let first = Options { agent_speaks_first: true, ..options(FIRST) };
    check(first, &[], &["0 begin \"\" call_start 0 settled 0"]);
}

#[test]
fn at_the_end_of_the_audio_what_was_said_is_a_turn_at_once() {
    check(
        options(FIRST),
        &[
            "560 started 500",
            "900 final 800 good",
            "950 interim 900 bye",
            "1000 ended 1000",
            "1010 close",
        ],
        &["1010 begin \"good bye\" vad 1000 settled 1010"],
    );
    check(options(FIRST), &["560 started 500", "1000 close"], &[]);
}
