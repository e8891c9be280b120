//! The stage against an ear that remembers what it heard, under a paused clock.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use voicegraph_engine::edge::Output;
use voicegraph_engine::event::{Event, Observers};
use voicegraph_engine::message::{AudioFrame, Envelope};
use voicegraph_engine::node::{Context, Kind, NodeError, Ports};
use voicegraph_engine::transport::{Sink, SinkGone};
use voicegraph_engine::turn::{Turn, TurnControl, TurnReport};

use super::node::{Options, Speaker};
use crate::testing::{Seen, beginning, context, edge_to};

/// What was heard: when each frame began, in ms since the test began, and its first sample.
type Heard = Arc<Mutex<Vec<(u64, i16)>>>;

/// An ear with a buffer: it takes frames `ahead` of their playing.
struct Ear {
    start: Instant,
    ahead: Duration,
    free_at: Instant,
    heard: Heard,
    gone: bool,
}

#[async_trait]
impl Sink for Ear {
    fn sample_rate_hz(&self) -> NonZeroU32 {
        AudioFrame::CALLER_RATE_HZ
    }

    async fn play(&mut self, frame: &AudioFrame) -> Result<Instant, SinkGone> {
        if self.gone {
            return Err(SinkGone);
        }
        let room_at = self.free_at.checked_sub(self.ahead).unwrap_or(self.start);
        sleep_until(room_at).await;
        let begin = self.free_at.max(Instant::now());
        self.free_at = begin + frame.length();
        self.heard().push((self.millis(begin), frame.samples()[0]));
        Ok(begin)
    }

    fn clear(&mut self) {
        let now = self.millis(Instant::now());
        let mut heard = self.heard();
        heard.retain(|(begin, _)| *begin <= now);
        let ends = heard.last().map_or(0, |(begin, _)| begin + 20);
        drop(heard);
        self.free_at = self.start + ms(ends);
    }
}

impl Ear {
    fn heard(&self) -> std::sync::MutexGuard<'_, Vec<(u64, i16)>> {
        self.heard.lock().expect("no panic holds this lock")
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.start).as_millis()).expect("a short test")
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A running speaker and what is around it.
struct Bench {
    start: Instant,
    audio: Option<Output<AudioFrame>>,
    control: TurnControl,
    cancelled: CancellationToken,
    heard: Heard,
    seen: Arc<Seen>,
    stage: JoinHandle<Result<(), NodeError>>,
}

impl Bench {
    fn new(ahead: Duration) -> Self {
        let start = Instant::now();
        Self::with(Ear { start, ahead, free_at: start, heard: Heard::default(), gone: false })
    }

    fn with(ear: Ear) -> Self {
        let (seen, observers) = Seen::new();
        let (start, heard) = (ear.start, Arc::clone(&ear.heard));
        let (audio, input) = edge_to(&Speaker::signature(), "audio");
        let mut ports = Ports::default();
        ports.add_input("audio", input);
        let ctx: Context = context().with_parts(None, Some(Box::new(ear)), None);
        let cancelled = ctx.cancelled.clone();
        let control = control(observers);
        let factory = Speaker::build(Options {}, "dev").expect("there is nothing to get wrong");
        let stage = tokio::spawn(factory.create().run(ports, ctx));
        Self { start, audio: Some(audio), control, cancelled, heard, seen, stage }
    }

    fn begin(&mut self) -> Turn {
        self.control.begin(&beginning("hello"))
    }

    /// Sends frames of `turn` in the background; the last one completes the answer if `complete`.
    fn speak(&mut self, turn: &Turn, samples: std::ops::Range<i16>, complete: bool) -> Sending {
        let mut audio = self.audio.take().expect("one answer is sent at a time");
        let turn = turn.clone();
        tokio::spawn(async move {
            let end = samples.end;
            for sample in samples {
                let frame = AudioFrame::new(vec![sample; 320], AudioFrame::CALLER_RATE_HZ);
                let envelope = Envelope::turn(&turn, frame);
                let last = complete && sample + 1 == end;
                let envelope = if last { envelope.last() } else { envelope };
                audio.send(envelope).await.expect("the speaker reads");
            }
            audio
        })
    }

    async fn at(&self, millis: u64) {
        sleep_until(self.start + ms(millis)).await;
    }

    fn heard(&self) -> Vec<(u64, i16)> {
        self.heard.lock().expect("no panic holds this lock").clone()
    }

    /// The turn's report, and when it was told in ms.
    fn report(&self) -> (u64, TurnReport) {
        let mut ended = self.seen.events().into_iter().filter_map(|(at, event)| match event {
            Event::TurnEnded { report, .. } => {
                Some((u64::try_from((at - self.start).as_millis()).ok()?, report))
            }
            _ => None,
        });
        ended.next().expect("a turn has ended")
    }
}

type Sending = JoinHandle<Output<AudioFrame>>;

fn control(observers: Observers) -> TurnControl {
    TurnControl::new(CancellationToken::new(), observers)
}

fn frames(times: impl IntoIterator<Item = u64>) -> Vec<(u64, i16)> {
    times.into_iter().zip(0..).collect()
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_over_when_its_last_frame_was_played() {
    let mut bench = Bench::new(ms(0));
    let turn = bench.begin();
    let _sending = bench.speak(&turn, 0..5, true);
    turn.ended().await;
    assert_eq!(bench.heard(), frames([0, 20, 40, 60, 80]));
    let (at, report) = bench.report();
    assert_eq!((at, report.played, report.e2e), (100, ms(100), Some(ms(0))));
    assert!(turn.heard().complete);
}

#[tokio::test(start_paused = true)]
async fn what_is_heard_is_counted_as_it_is_played_not_as_it_is_handed_over() {
    let mut bench = Bench::new(ms(100));
    let turn = bench.begin();
    let _sending = bench.speak(&turn, 0..10, true);
    bench.at(50).await;
    tokio::task::yield_now().await;
    assert!(bench.heard().len() > 5, "the sink took frames ahead: {:?}", bench.heard());
    assert_eq!(turn.heard().played, ms(60));
}

#[tokio::test(start_paused = true)]
async fn an_interruption_silences_within_the_frame_in_hand() {
    for ahead in [0, 100] {
        let mut bench = Bench::new(ms(ahead));
        let turn = bench.begin();
        let _sending = bench.speak(&turn, 0..50, true);
        bench.at(110).await;
        bench.control.interrupt(bench.start + ms(30));
        turn.ended().await;
        assert_eq!(bench.heard(), frames((0..6).map(|n| n * 20)), "sink {ahead} ms ahead");
        let (at, report) = bench.report();
        assert_eq!((at, report.played), (110, ms(120)));
        assert_eq!((report.flush, report.barge_in_stop), (Some(ms(10)), Some(ms(90))));
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_answer_follows_the_interrupted_one() {
    let mut bench = Bench::new(ms(60));
    let first = bench.begin();
    let sending = bench.speak(&first, 0..50, true);
    bench.at(50).await;
    let second = bench.begin();
    bench.audio = Some(sending.await.expect("the frames of the first are dropped as stale"));
    let _sending = bench.speak(&second, 100..102, true);
    second.ended().await;
    assert_eq!(bench.heard(), [(0, 0), (20, 1), (40, 2), (60, 100), (80, 101)]);
    assert_eq!(second.heard().played, ms(40));
}

#[tokio::test(start_paused = true)]
async fn after_a_hold_the_agent_goes_on_where_it_stopped() {
    for ahead in [0, 100] {
        let mut bench = Bench::new(ms(ahead));
        let turn = bench.begin();
        let _sending = bench.speak(&turn, 0..6, true);
        bench.at(50).await;
        bench.control.hold();
        bench.at(500).await;
        assert_eq!(bench.heard(), frames([0, 20, 40]), "sink {ahead} ms ahead");
        bench.control.resume();
        turn.ended().await;
        assert_eq!(bench.heard(), frames([0, 20, 40, 500, 520, 540]));
        assert_eq!(bench.report().1.played, ms(120));
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_answer_that_is_interrupted_was_silent_since_it_was_held() {
    let mut bench = Bench::new(ms(40));
    let turn = bench.begin();
    let _sending = bench.speak(&turn, 0..50, true);
    bench.at(50).await;
    bench.control.hold();
    bench.at(400).await;
    bench.control.interrupt(bench.start + ms(10));
    turn.ended().await;
    let (_, report) = bench.report();
    assert_eq!((report.played, report.barge_in_stop), (ms(60), Some(ms(50))));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_held_before_its_first_sound_waits() {
    let mut bench = Bench::new(ms(0));
    let turn = bench.begin();
    bench.control.hold();
    let _sending = bench.speak(&turn, 0..1, true);
    bench.at(300).await;
    assert_eq!(bench.heard(), []);
    bench.control.resume();
    turn.ended().await;
    assert_eq!(bench.heard(), frames([300]));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_sound_completes() {
    let mut bench = Bench::new(ms(0));
    let turn = bench.begin();
    let nothing = AudioFrame::silence(ms(0), AudioFrame::CALLER_RATE_HZ);
    let audio = bench.audio.as_mut().expect("nothing is sent yet");
    audio.send(Envelope::turn(&turn, nothing).last()).await.expect("the speaker reads");
    turn.ended().await;
    let (_, report) = bench.report();
    assert_eq!((report.played, report.e2e), (ms(0), None));
}

#[tokio::test(start_paused = true)]
async fn when_the_input_closes_what_was_received_is_played() {
    let mut bench = Bench::new(ms(40));
    let turn = bench.begin();
    let sending = bench.speak(&turn, 0..4, true);
    drop(sending.await);
    assert!(matches!(bench.stage.await, Ok(Ok(()))));
    assert_eq!(bench.start.elapsed(), ms(80));
    assert!(turn.heard().complete);
}

#[tokio::test(start_paused = true)]
async fn an_answer_cut_off_by_the_end_of_the_input_is_not_complete() {
    let mut bench = Bench::new(ms(0));
    let turn = bench.begin();
    let sending = bench.speak(&turn, 0..2, false);
    drop(sending.await);
    assert!(matches!(bench.stage.await, Ok(Ok(()))));
    assert_eq!((bench.start.elapsed(), turn.heard().played), (ms(40), ms(40)));
    assert!(turn.is_live() && !turn.heard().complete);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_call_silences_at_once() {
    let mut bench = Bench::new(ms(100));
    let turn = bench.begin();
    let _sending = bench.speak(&turn, 0..50, true);
    bench.at(30).await;
    bench.cancelled.cancel();
    let heard = Arc::clone(&bench.heard);
    assert!(matches!(bench.stage.await, Ok(Ok(()))));
    assert_eq!(heard.lock().expect("no panic holds this lock").len(), 2);
    assert_eq!(turn.heard().played, ms(40));
}

#[tokio::test(start_paused = true)]
async fn a_listener_who_is_gone_ends_the_call() {
    let start = Instant::now();
    let ear = Ear { start, ahead: ms(0), free_at: start, heard: Heard::default(), gone: true };
    let mut bench = Bench::with(ear);
    let turn = bench.begin();
    let _sending = bench.speak(&turn, 0..2, true);
    let ended = bench.stage.await;
    assert!(matches!(ended, Ok(Err(NodeError::HungUp))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn sound_of_the_session_is_played_though_no_turn_is_told() {
    let mut bench = Bench::new(ms(0));
    let mut audio = bench.audio.take().expect("nothing is sent yet");
    let frame = AudioFrame::new(vec![9; 320], AudioFrame::CALLER_RATE_HZ);
    audio.send(Envelope::session(bench.start, frame)).await.expect("the speaker reads");
    drop(audio);
    assert!(matches!(bench.stage.await, Ok(Ok(()))));
    assert_eq!(*bench.heard.lock().expect("no panic holds this lock"), [(0, 9)]);
}
