//! The stage around the dialogue: ports, the control of turns, timers and events, under a paused
//! clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use voicegraph_engine::edge::{Input, Limit, Output, Overflow};
use voicegraph_engine::event::{Event, UserState};
use voicegraph_engine::message::{Endpoint, Envelope, Speech, Transcript, UserTurn};
use voicegraph_engine::node::{Kind, NodeError, Ports};
use voicegraph_engine::turn::{Anchor, Turn, TurnControl};

use super::super::{Options, TurnDetector};
use crate::testing::{Seen, context_told, edge_to, edge_with};

/// A running turn detector and what is around it.
struct Bench {
    start: Instant,
    speech: Option<Output<Speech>>,
    transcript: Option<Output<Transcript>>,
    turns: Input<UserTurn>,
    cancelled: CancellationToken,
    seen: Arc<Seen>,
    stage: JoinHandle<Result<(), NodeError>>,
}

impl Bench {
    fn new(options: Options) -> Self {
        let (seen, observers) = Seen::new();
        let signature = TurnDetector::signature();
        let (speech, speech_input) = edge_to(&signature, "speech");
        let (transcript, transcript_input) = edge_to(&signature, "transcript");
        let (output, turns) = edge_with(Limit::count(1), Overflow::DropOldest);
        let mut ports = Ports::default();
        ports.add_input("speech", speech_input);
        ports.add_input("transcript", transcript_input);
        ports.add_output("turn", output);
        let ctx = context_told(observers.clone());
        let cancelled = ctx.cancelled.clone();
        let control = TurnControl::new(cancelled.clone(), observers);
        let ctx = ctx.with_parts(None, None, Some(control));
        let factory = TurnDetector::build(options, "dev").expect("the options fit");
        let stage = tokio::spawn(factory.create().run(ports, ctx));
        let (speech, transcript) = (Some(speech), Some(transcript));
        Self { start: Instant::now(), speech, transcript, turns, cancelled, seen, stage }
    }

    fn instant(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    async fn at(&self, ms: u64) {
        sleep_until(self.instant(ms)).await;
    }

    async fn started(&mut self, ms: u64, at: u64) {
        self.speech(ms, Speech::Started { at: self.instant(at) }).await;
    }

    async fn ended(&mut self, ms: u64, at: u64) {
        let (at, decided) = (self.instant(at), self.instant(ms));
        self.speech(ms, Speech::Ended { at, decided }).await;
    }

    async fn speech(&mut self, ms: u64, speech: Speech) {
        self.at(ms).await;
        let envelope = Envelope::session(self.instant(ms), speech);
        let output = self.speech.as_mut().expect("the caller's audio goes on");
        output.send(envelope).await.expect("the stage reads");
    }

    /// A final with the recogniser's endpoint.
    async fn over(&mut self, ms: u64, end: u64, text: &str) {
        self.at(ms).await;
        let (text, received) = (text.to_owned(), self.instant(ms));
        let (audio_end, endpoint) = (Some(self.instant(end)), Some(Endpoint::Silence));
        let heard = Transcript { text, is_final: true, endpoint, audio_end, received };
        let output = self.transcript.as_mut().expect("the caller's audio goes on");
        output.send(Envelope::session(received, heard)).await.expect("the stage reads");
    }

    fn close(&mut self) {
        self.speech = None;
        self.transcript = None;
    }

    /// The next turn, which must come within a minute, its text, and when it came in ms.
    async fn turn(&mut self) -> (Turn, String, u128) {
        let envelope = timeout(Duration::from_secs(60), self.turns.recv()).await;
        let envelope = envelope.expect("a turn comes").expect("the stage runs");
        let turn = envelope.turn_of().expect("a turn is of itself").clone();
        assert!(envelope.last);
        assert_eq!(envelope.origin, turn.origin());
        (turn, envelope.body.text, self.start.elapsed().as_millis())
    }

    /// The agent answers "hello", said until 50 ms, and is heard from 200 ms on.
    async fn answering(&mut self) -> Turn {
        self.over(100, 50, "hello").await;
        let (turn, ..) = self.turn().await;
        self.at(200).await;
        turn.begin_playout(Instant::now());
        turn
    }
}

/// Options by which the first sign ends the turn at once.
fn quick() -> Options {
    Options { min_delay_ms: 0, ..Options::default() }
}

#[tokio::test(start_paused = true)]
async fn a_turn_originates_at_the_end_of_speech_and_waits_out_its_delay() {
    let mut bench = Bench::new(Options { min_delay_ms: 400, ..Options::default() });
    bench.started(560, 500).await;
    bench.ended(1250, 1050).await;
    bench.over(1300, 1000, "good morning").await;
    let (turn, text, at) = bench.turn().await;
    assert_eq!((text.as_str(), at), ("good morning", 1450));
    assert_eq!(turn.origin(), bench.instant(1050));
    turn.begin_playout(Instant::now());
    turn.complete();
    let report = bench.seen.events().into_iter().find_map(|(_, event)| match event {
        Event::TurnEnded { report, .. } => Some(report),
        _ => None,
    });
    let report = report.expect("the turn has ended");
    let ms = |ms| Some(Duration::from_millis(ms));
    assert_eq!(report.anchor, Anchor::Vad);
    assert_eq!(report.end_of_turn_delay, ms(400));
    assert_eq!(report.transcription_delay, ms(250));
    assert_eq!(report.engine_added, ms(0), "a configured delay is not the engine's");
}

#[tokio::test(start_paused = true)]
async fn a_cough_holds_the_agent_and_lets_it_go_on() {
    let mut bench = Bench::new(quick());
    let turn = bench.answering().await;
    bench.started(1060, 1000).await;
    timeout(Duration::from_millis(1), turn.until_held(true)).await.expect("held at once");
    bench.ended(1400, 1200).await;
    turn.until_held(false).await;
    assert_eq!(bench.start.elapsed(), Duration::from_millis(2400));
    assert!(turn.is_live());
}

#[tokio::test(start_paused = true)]
async fn speech_that_lasts_cancels_the_turn_and_begins_the_next() {
    let mut bench = Bench::new(quick());
    let first = bench.answering().await;
    bench.started(1060, 1000).await;
    first.cancelled().await;
    assert_eq!(bench.start.elapsed(), Duration::from_millis(1500));
    first.silenced();
    bench.ended(2000, 1800).await;
    bench.over(2050, 1790, "wait").await;
    let (second, text, at) = bench.turn().await;
    assert_eq!((text.as_str(), at), ("wait", 2050));
    assert!(second.is_live() && !second.is_held());
}

#[tokio::test(start_paused = true)]
async fn where_interruptions_are_not_allowed_the_next_turn_follows_the_answer() {
    let mut bench = Bench::new(Options { allow_interruptions: false, ..quick() });
    let first = bench.answering().await;
    bench.started(1060, 1000).await;
    bench.ended(2000, 1800).await;
    bench.over(2050, 1790, "wait").await;
    bench.at(5000).await;
    assert!(first.is_live() && !first.is_held());
    first.complete();
    let (second, text, at) = bench.turn().await;
    assert_eq!((text.as_str(), at), ("wait", 5000));
    assert_eq!(second.origin(), bench.instant(1800));
}

#[tokio::test(start_paused = true)]
async fn observers_are_told_what_the_caller_does() {
    let mut bench = Bench::new(quick());
    bench.started(560, 500).await;
    bench.ended(1250, 1050).await;
    bench.over(1300, 1000, "good morning").await;
    bench.turn().await;
    let events = bench.seen.events().into_iter().map(|(_, event)| event);
    let callers: Vec<_> = events
        .filter(|event| matches!(event, Event::UserState(_) | Event::UserTranscript { .. }))
        .collect();
    let text = "good morning".to_owned();
    let expected = [
        Event::UserState(UserState::Speaking),
        Event::UserState(UserState::Listening),
        Event::UserTranscript { text, is_final: true },
    ];
    assert_eq!(callers, expected);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_the_audio_the_last_turn_begins_and_outlives_the_stage() {
    let mut bench = Bench::new(Options::default());
    bench.started(560, 500).await;
    bench.ended(1050, 1050).await;
    bench.over(1060, 1000, "good bye").await;
    bench.close();
    let (turn, text, at) = bench.turn().await;
    assert_eq!((text.as_str(), at), ("good bye", 1060));
    assert!(matches!(bench.stage.await, Ok(Ok(()))));
    assert!(turn.is_live());
    assert!(bench.turns.recv().await.is_none(), "the output closes");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_audio_without_words_ends_the_stage() {
    let mut bench = Bench::new(quick());
    bench.close();
    assert!(matches!(bench.stage.await, Ok(Ok(()))));
}

#[tokio::test(start_paused = true)]
async fn the_agent_speaks_first_where_it_is_to() {
    let mut bench = Bench::new(Options { agent_speaks_first: true, ..quick() });
    let (turn, text, at) = bench.turn().await;
    assert_eq!((text.as_str(), at), ("", 0));
    assert_eq!(turn.origin(), bench.start);
}

#[tokio::test(start_paused = true)]
async fn without_a_voice_detector_turns_end_by_the_recogniser() {
    let mut bench = Bench::new(quick());
    bench.speech = None;
    bench.over(1300, 1000, "good morning").await;
    let (turn, text, at) = bench.turn().await;
    assert_eq!((text.as_str(), at), ("good morning", 1300));
    assert_eq!(turn.origin(), bench.instant(1000));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_call_ends_the_stage_and_the_turn() {
    let mut bench = Bench::new(quick());
    let turn = bench.answering().await;
    bench.cancelled.cancel();
    assert!(matches!(bench.stage.await, Ok(Ok(()))));
    assert!(turn.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_nobody_takes_ends_the_stage_without_an_error() {
    let mut bench = Bench::new(quick());
    let (_unused, turns) = edge_with(Limit::count(1), Overflow::DropOldest);
    bench.turns = turns;
    bench.over(100, 50, "hello").await;
    assert!(matches!(bench.stage.await, Ok(Ok(()))));
}
