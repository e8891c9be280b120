//! The edge against a model, and what it does at its borders.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{DropReason, EdgeMeter, Input, Limit, Output, Overflow, SendError, edge};
use crate::event::Observers;
use crate::message::{AudioFrame, Envelope, TextDelta};
use crate::turn::{Anchor, Beginning, Turn, TurnControl};

fn text(limit: Limit, overflow: Overflow) -> (Output<TextDelta>, Input<TextDelta>) {
    edge(&EdgeMeter::new("a.text -> b.text", limit, overflow), CancellationToken::new())
}

fn message(text: &str) -> Envelope<TextDelta> {
    Envelope::session(Instant::now(), TextDelta { text: text.to_owned() })
}

fn turn(control: &mut TurnControl) -> Turn {
    let now = Instant::now();
    let text = String::new();
    let beginning =
        Beginning { text, origin: now, anchor: Anchor::Vad, transcript: None, settled: now };
    control.begin(&beginning)
}

fn control() -> TurnControl {
    TurnControl::new(CancellationToken::new(), Observers::default())
}

/// What an edge should do, written with a plain queue.
struct Model {
    limit: usize,
    overflow: Overflow,
    queue: VecDeque<(u32, bool)>,
    sent: u64,
    received: u64,
    overflowed: u64,
    stale: u64,
    /// Sends that had to wait, and whose future was dropped.
    abandoned: u64,
}

impl Model {
    fn new(limit: u32, overflow: Overflow) -> Self {
        let (limit, queue) = (limit as usize, VecDeque::new());
        let (sent, received, overflowed, stale, abandoned) = (0, 0, 0, 0, 0);
        Self { limit, overflow, queue, sent, received, overflowed, stale, abandoned }
    }

    /// Whether the send ends at once.
    fn send(&mut self, number: u32, of_turn: bool) -> Result<(), &'static str> {
        if self.queue.len() >= self.limit {
            match self.overflow {
                Overflow::Block => {
                    self.sent += 1;
                    self.abandoned += 1;
                    return Err("blocks");
                }
                Overflow::DropOldest => {
                    self.queue.pop_front();
                    self.overflowed += 1;
                }
                Overflow::DropNewest | Overflow::Fail => {
                    self.sent += 1;
                    self.overflowed += 1;
                    return if self.overflow == Overflow::Fail { Err("fails") } else { Ok(()) };
                }
            }
        }
        self.sent += 1;
        self.queue.push_back((number, of_turn));
        Ok(())
    }

    fn recv(&mut self, interrupted: bool) -> Option<u32> {
        while let Some((number, of_turn)) = self.queue.pop_front() {
            if of_turn && interrupted {
                self.stale += 1;
                continue;
            }
            self.received += 1;
            return Some(number);
        }
        None
    }
}

#[derive(Clone, Debug)]
enum Step {
    Send { of_turn: bool },
    Recv,
    Interrupt,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<bool>().prop_map(|of_turn| Step::Send { of_turn }),
        5 => Just(Step::Recv),
        1 => Just(Step::Interrupt),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn does_what_the_model_does(
        limit in 1_u32..6,
        overflow in prop::sample::select(&Overflow::ALL[..]),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let meter = EdgeMeter::new("a.text -> b.text", Limit::count(limit), overflow);
        let (mut output, mut input) = edge::<TextDelta>(&meter, CancellationToken::new());
        let (mut control, mut interrupted) = (control(), false);
        let turn = turn(&mut control);
        let mut model = Model::new(limit, overflow);
        for (number, step) in (0_u32..).zip(steps) {
            match step {
                Step::Send { of_turn: true } if interrupted => {
                    let envelope = Envelope::turn(&turn, TextDelta { text: number.to_string() });
                    prop_assert_eq!(output.send(envelope).now_or_never(), Some(Ok(())));
                    model.sent += 1;
                    model.stale += 1;
                }
                Step::Send { of_turn } => {
                    let body = TextDelta { text: number.to_string() };
                    let envelope = match of_turn {
                        true => Envelope::turn(&turn, body),
                        false => Envelope::session(Instant::now(), body),
                    };
                    let sent = output.send(envelope).now_or_never();
                    match model.send(number, of_turn) {
                        Ok(()) => prop_assert_eq!(sent, Some(Ok(()))),
                        Err("blocks") => prop_assert!(sent.is_none()),
                        Err(_) => {
                            let failed = matches!(sent, Some(Err(SendError::Overflowed { .. })));
                            prop_assert!(failed, "{sent:?}");
                        }
                    }
                }
                Step::Recv => {
                    let received = input.recv().now_or_never().flatten();
                    let received = received.map(|envelope| envelope.body.text);
                    prop_assert_eq!(received, model.recv(interrupted).map(|n| n.to_string()));
                }
                Step::Interrupt => {
                    control.interrupt(Instant::now());
                    interrupted = true;
                }
            }
            let counts = meter.counts();
            prop_assert_eq!(counts.sent, model.sent);
            prop_assert_eq!(counts.received, model.received);
            prop_assert_eq!(counts.length, model.queue.len() as u64);
            prop_assert_eq!(counts.dropped(DropReason::Overflow), model.overflowed);
            prop_assert_eq!(counts.dropped(DropReason::Stale), model.stale);
            prop_assert_eq!(counts.dropped(DropReason::Closed), model.abandoned);
            prop_assert_eq!(counts.sent, counts.received + counts.dropped_total() + counts.length);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocked_sender_is_woken_by_room() {
    let (mut output, mut input) = text(Limit::count(1), Overflow::Block);
    output.send(message("1")).await.expect("room");
    let (sent, received) = tokio::join!(output.send(message("2")), input.recv());
    sent.expect("room again");
    assert_eq!(received.expect("a message").body.text, "1");
}

#[tokio::test(start_paused = true)]
async fn a_blocked_sender_is_woken_by_the_interruption() {
    let meter = EdgeMeter::new("a.text -> b.text", Limit::count(1), Overflow::Block);
    let (mut output, _input) = edge::<TextDelta>(&meter, CancellationToken::new());
    let mut control = control();
    let turn = turn(&mut control);
    let delta = || Envelope::turn(&turn, TextDelta { text: "x".to_owned() });
    output.send(delta()).await.expect("room");
    let (sent, ()) =
        tokio::join!(output.send(delta()), async { control.interrupt(Instant::now()) });
    sent.expect("an interrupted turn is no error of the sender");
    assert_eq!(meter.counts().dropped(DropReason::Stale), 1);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_sender_is_woken_by_the_end_of_the_call() {
    let meter = EdgeMeter::new("a.text -> b.text", Limit::count(1), Overflow::Block);
    let session = CancellationToken::new();
    let (mut output, _input) = edge::<TextDelta>(&meter, session.clone());
    output.send(message("1")).await.expect("room");
    let (sent, ()) = tokio::join!(output.send(message("2")), async { session.cancel() });
    sent.expect("the end of the call is no error of the sender");
    assert_eq!(meter.counts().dropped(DropReason::Closed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_sender_is_woken_by_the_end_of_its_reader() {
    let (mut output, input) = text(Limit::count(1), Overflow::Block);
    output.send(message("1")).await.expect("room");
    let (sent, ()) = tokio::join!(output.send(message("2")), async { drop(input) });
    assert_eq!(sent, Err(SendError::Closed));
}

#[tokio::test]
async fn what_was_sent_before_the_end_is_still_read() {
    let (mut output, mut input) = text(Limit::count(4), Overflow::Block);
    output.send(message("1")).await.expect("room");
    drop(output);
    assert_eq!(input.recv().await.expect("a message").body.text, "1");
    assert!(input.recv().await.is_none());
}

#[tokio::test]
async fn sound_is_limited_by_its_length() {
    let meter = EdgeMeter::new("a.audio -> b.audio", Limit::millis(40), Overflow::DropOldest);
    let (mut output, _input) = edge::<AudioFrame>(&meter, CancellationToken::new());
    for _ in 0..5 {
        let frame = AudioFrame::silence(AudioFrame::LENGTH, AudioFrame::CALLER_RATE_HZ);
        output.send(Envelope::session(Instant::now(), frame)).await.expect("drops instead");
    }
    let counts = meter.counts();
    assert_eq!((counts.length, counts.dropped(DropReason::Overflow)), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn queue_and_age_are_counted_apart() {
    let meter = EdgeMeter::new("a.text -> b.text", Limit::count(4), Overflow::Block);
    let (mut output, mut input) = edge::<TextDelta>(&meter, CancellationToken::new());
    let origin = Instant::now();
    tokio::time::advance(Duration::from_millis(30)).await;
    let body = TextDelta { text: String::new() };
    output.send(Envelope::session(origin, body)).await.expect("room");
    tokio::time::advance(Duration::from_millis(5)).await;
    input.recv().await.expect("a message");
    let figures = meter.figures();
    assert_eq!(figures.queue_us.max() / 100, 50);
    assert_eq!(figures.age_us.max() / 100, 350);
}

#[tokio::test]
async fn a_fan_out_reaches_each_edge_once_and_counts_on_each() {
    let meters: Vec<_> = (0..2)
        .map(|i| EdgeMeter::new(format!("a.text -> b{i}.text"), Limit::count(4), Overflow::Block))
        .collect();
    let (first, mut one) = edge::<TextDelta>(&meters[0], CancellationToken::new());
    let (second, mut two) = edge::<TextDelta>(&meters[1], CancellationToken::new());
    let mut output = first.and(second);
    output.send(message("x")).await.expect("room");
    output.send_to(1, message("y")).await.expect("room");
    drop(output);
    assert_eq!(one.recv().await.expect("a message").body.text, "x");
    assert!(one.recv().await.is_none());
    assert_eq!(two.recv().await.expect("a message").body.text, "x");
    assert_eq!(two.recv().await.expect("a message").body.text, "y");
    assert_eq!((meters[0].counts().received, meters[1].counts().received), (1, 2));
}

#[tokio::test]
async fn an_input_of_many_edges_ends_with_the_last_of_them() {
    let (mut first, one) = text(Limit::count(4), Overflow::Block);
    let (mut second, two) = text(Limit::count(4), Overflow::Block);
    let mut input = one.and(two);
    first.send(message("1")).await.expect("room");
    drop(first);
    second.send(message("2")).await.expect("room");
    assert_eq!(input.recv().await.expect("a message").body.text, "1");
    assert_eq!(input.recv().await.expect("a message").body.text, "2");
    drop(second);
    assert!(input.recv().await.is_none());
}

#[tokio::test]
async fn a_call_that_is_over_keeps_its_counts_and_leaves_nothing() {
    let meter = EdgeMeter::new("a.text -> b.text", Limit::count(4), Overflow::Block);
    for _ in 0..3 {
        let (mut output, input) = edge::<TextDelta>(&meter, CancellationToken::new());
        output.send(message("1")).await.expect("room");
        drop(input);
    }
    let counts = meter.counts();
    assert_eq!((counts.sent, counts.dropped(DropReason::Closed), counts.length), (3, 3, 0));
    assert_eq!(std::sync::Arc::strong_count(&meter), 1, "the queues are gone");
}
