//! A resource that does as a test says, and counts how often it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hdrhistogram::Histogram;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Figure, Measure, Resource, Unhealthy};

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    After(Duration),
    Refusal,
    Never,
}

/// The resource.
pub(crate) struct Fake {
    answer: watch::Sender<Answer>,
    asked: AtomicU32,
    now: AtomicU32,
}

impl Fake {
    pub(crate) fn new(answer: Answer) -> Arc<Self> {
        let answer = watch::Sender::new(answer);
        Arc::new(Self { answer, asked: AtomicU32::new(0), now: AtomicU32::new(0) })
    }

    pub(crate) fn set(&self, answer: Answer) {
        self.answer.send_replace(answer);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

/// One question that has no answer yet.
struct Question<'a>(&'a AtomicU32);

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Resource for Fake {
    fn figures(&self) -> Vec<Figure> {
        let mut waits = Histogram::new_with_bounds(1, 60_000_000, 2).unwrap();
        waits.record(1_500).unwrap();
        let figure = |name, help, measure| Figure { name, help, measure };
        let lines = vec![("busy", 2), ("free", 1)];
        let parts = Measure::Parts { label: "state", parts: lines };
        vec![
            figure("voicegraph_fake_lines", "Lines, by state.", parts),
            figure("voicegraph_fake_waiting", "Who waits.", Measure::Gauge(4)),
            figure("voicegraph_fake_asked_total", "Questions.", Measure::Counter(7)),
            figure("voicegraph_fake_wait_seconds", "Waits.", Measure::Durations(waits)),
        ]
    }

    async fn check(&self, _: Duration) -> Result<(), Unhealthy> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        assert_eq!(self.now.fetch_add(1, Ordering::Relaxed), 0, "asked twice at the same time");
        let _question = Question(&self.now);
        let answer = *self.answer.borrow();
        match answer {
            Answer::After(delay) => sleep(delay).await,
            Answer::Refusal => return Err(Unhealthy("the line is cut".to_owned())),
            Answer::Never => std::future::pending().await,
        }
        Ok(())
    }
}
