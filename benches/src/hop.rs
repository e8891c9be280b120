//! One hop: a message is sent, the receiving task is woken, the message is received.
//!
//! Both sides run as tasks of one current-thread runtime, and the sender yields after each message,
//! as stages of a call do: their messages are milliseconds apart, so each one finds a sleeping
//! receiver.

use std::num::NonZeroU32;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::edge::{EdgeMeter, Limit, Overflow, edge};
use voicegraph_engine::event::Observers;
use voicegraph_engine::message::{AudioFrame, Envelope};
use voicegraph_engine::turn::{Anchor, Beginning, Turn, TurnControl};

/// The capacity of both channels.
const CAPACITY: usize = 16;

/// What is sent: the same envelope through both, 20 ms of sound of one turn.
pub fn message() -> Envelope<AudioFrame> {
    let rate = NonZeroU32::new(24_000).expect("not zero");
    Envelope::turn(&turn(), AudioFrame::silence(AudioFrame::LENGTH, rate))
}

fn turn() -> Turn {
    let now = Instant::now();
    let text = String::new();
    let beginning =
        Beginning { text, origin: now, anchor: Anchor::Vad, transcript: None, settled: now };
    TurnControl::new(CancellationToken::new(), Observers::default()).begin(&beginning)
}

/// `hops` messages over an edge: stale checks, counts and both histograms included.
pub async fn over_edge(hops: u64, message: Envelope<AudioFrame>) {
    let limit = Limit::count(u32::try_from(CAPACITY).expect("it is small"));
    let meter = EdgeMeter::new("tts.audio -> speaker.audio", limit, Overflow::Block);
    let (mut output, mut input) = edge(&meter, CancellationToken::new());
    let receiver = tokio::spawn(async move { while input.recv().await.is_some() {} });
    for _ in 0..hops {
        output.send(message.clone()).await.expect("the receiver reads");
        tokio::task::yield_now().await;
    }
    drop(output);
    receiver.await.expect("the receiver ends");
    assert_eq!(meter.counts().received, hops);
}

/// `hops` messages over a bare tokio channel.
pub async fn over_mpsc(hops: u64, message: Envelope<AudioFrame>) {
    let (sender, mut receiver) = mpsc::channel(CAPACITY);
    let receiver = tokio::spawn(async move {
        let mut received = 0;
        while receiver.recv().await.is_some() {
            received += 1;
        }
        received
    });
    for _ in 0..hops {
        sender.send(message.clone()).await.expect("the receiver reads");
        tokio::task::yield_now().await;
    }
    drop(sender);
    let received: u64 = receiver.await.expect("the receiver ends");
    assert_eq!(received, hops);
}
