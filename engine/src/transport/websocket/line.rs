//! What is to be sent to one client, and when: shared by the sink, the observer and the socket's
//! writer.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::playout::Playout;
use super::wire::{Told, to_bytes};
use crate::event::{Event, Observer};
use crate::message::AudioFrame;
use crate::transport::{Captured, Resampler, Sink, SinkGone, Source};

/// Text messages that may wait for the socket. A client that leaves more unread is gone.
const MAX_TEXTS: usize = 1_024;

/// A message to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// Sound, and how long it lasts.
    Sound(Bytes, Duration),
    /// An event.
    Text(String),
}

/// One client's line.
pub(super) struct Line {
    settings: Settings,
    state: Mutex<State>,
    /// Something is to be sent.
    ready: Notify,
    /// Something was sent, or the client's clock moved.
    moved: Notify,
    /// Fires when nothing can be sent any more. Then the client is gone, too.
    pub(super) lost: CancellationToken,
    /// Fires when the client is gone: nobody listens, although the end may still be told.
    pub(super) gone: CancellationToken,
}

struct State {
    playout: Playout,
    outgoing: VecDeque<Outgoing>,
    /// Sound in `outgoing`.
    sound: Duration,
    texts: usize,
    closing: bool,
}

/// When a frame can be handed over.
enum Room {
    Now,
    At(Instant),
    Later,
}

impl Line {
    pub(super) fn new(settings: Settings) -> Self {
        let state = State {
            playout: Playout::new(settings.lead),
            outgoing: VecDeque::new(),
            sound: Duration::ZERO,
            texts: 0,
            closing: false,
        };
        let lost = CancellationToken::new();
        let gone = lost.child_token();
        let (ready, moved) = (Notify::new(), Notify::new());
        Self { settings, state: Mutex::new(state), ready, moved, lost, gone }
    }

    /// Sends a text message after what waits already.
    pub(super) fn tell(&self, told: &Told<'_>) {
        let mut state = self.lock();
        if state.texts == MAX_TEXTS {
            drop(state);
            return self.lost.cancel();
        }
        state.texts += 1;
        state.outgoing.push_back(Outgoing::Text(told.to_text()));
        drop(state);
        self.ready.notify_one();
    }

    /// No message comes after those that wait.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.ready.notify_one();
    }

    /// The next message; `None` once closed and all is sent.
    pub(super) async fn next(&self) -> Option<Outgoing> {
        loop {
            let ready = self.ready.notified();
            if let Some(next) = self.pop() {
                return next;
            }
            ready.await;
        }
    }

    /// `None` where nothing waits; `Some(None)` where nothing will come.
    fn pop(&self) -> Option<Option<Outgoing>> {
        let mut state = self.lock();
        let next = state.outgoing.pop_front();
        match &next {
            Some(Outgoing::Sound(_, length)) => {
                state.sound -= *length;
                self.moved.notify_one();
            }
            Some(Outgoing::Text(_)) => state.texts -= 1,
            None if state.closing => return Some(None),
            None => return None,
        }
        Some(next)
    }

    /// The client says how much it has played.
    pub(super) fn report(&self, played: Duration, clear: u64) {
        self.lock().playout.report(Instant::now(), played, clear);
        self.moved.notify_one();
    }

    /// Waits until a frame may be handed over.
    async fn room(&self) {
        loop {
            let moved = self.moved.notified();
            match self.room_now() {
                Room::Now => return,
                Room::Later => moved.await,
                Room::At(at) => tokio::select! {
                    biased;
                    () = moved => {}
                    () = sleep_until(at) => {}
                },
            }
        }
    }

    fn room_now(&self) -> Room {
        let state = self.lock();
        match state.playout.room_at(Instant::now()) {
            Some(at) => Room::At(at),
            None if state.sound > self.settings.lead => Room::Later,
            None => Room::Now,
        }
    }

    /// Hands over samples that last `length`; gives the instant at which they begin to be played.
    fn hand_over(&self, samples: &[i16], length: Duration) -> Instant {
        let mut state = self.lock();
        state.outgoing.push_back(Outgoing::Sound(to_bytes(samples).into(), length));
        state.sound += length;
        let begin = state.playout.hand_over(Instant::now(), length);
        drop(state);
        self.ready.notify_one();
        begin
    }

    /// Drops the sound that waits, and tells the client to drop what it has.
    fn clear(&self) {
        let mut state = self.lock();
        let Some(id) = state.playout.clear(Instant::now()) else { return };
        state.outgoing.retain(|message| matches!(message, Outgoing::Text(_)));
        state.sound = Duration::ZERO;
        drop(state);
        self.tell(&Told::Clear { id });
        self.moved.notify_one();
    }

    fn is_idle(&self) -> bool {
        self.lock().playout.is_idle(Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic holds this lock")
    }
}

impl Observer for Line {
    fn on(&self, _: Instant, event: &Event) {
        if let Some(told) = Told::of(event) {
            self.tell(&told);
        }
    }
}

/// What the client says, types and presses.
pub(super) struct ClientSource(pub(super) mpsc::Receiver<Captured>);

#[async_trait]
impl Source for ClientSource {
    async fn next(&mut self) -> Captured {
        self.0.recv().await.unwrap_or(Captured::HungUp)
    }
}

/// The way to the client's ear.
pub(super) struct ClientSink {
    line: Arc<Line>,
    rate: NonZeroU32,
    /// For the voice's rate, while it speaks. What its filter holds back at the end of an
    /// utterance, at most 4 ms of its dying away, is left out.
    resampler: Option<Resampler>,
}

impl ClientSink {
    pub(super) fn new(line: Arc<Line>, rate: NonZeroU32) -> Self {
        Self { line, rate, resampler: None }
    }

    fn resampled(&mut self, frame: &AudioFrame) -> Vec<i16> {
        let rate = frame.sample_rate_hz();
        let begins = self.line.is_idle();
        let fits = |resampler: &Resampler| resampler.from_hz() == rate && !begins;
        self.resampler = self.resampler.take().filter(fits);
        let resampler = self.resampler.get_or_insert_with(|| Resampler::new(rate, self.rate));
        let mut samples = Vec::with_capacity(frame.samples().len());
        resampler.push(frame.samples(), &mut samples);
        samples
    }
}

#[async_trait]
impl Sink for ClientSink {
    fn sample_rate_hz(&self) -> NonZeroU32 {
        self.rate
    }

    async fn play(&mut self, frame: &AudioFrame) -> Result<Instant, SinkGone> {
        let Settings { lead, send_timeout, .. } = self.line.settings;
        let room = tokio::select! {
            biased;
            () = self.line.gone.cancelled() => return Err(SinkGone),
            room = timeout(lead + send_timeout, self.line.room()) => room,
        };
        if room.is_err() {
            tracing::debug!("client neither plays nor reads");
            self.line.lost.cancel();
            return Err(SinkGone);
        }
        let samples = self.resampled(frame);
        Ok(self.line.hand_over(&samples, frame.length()))
    }

    fn clear(&mut self) {
        self.resampler = None;
        self.line.clear();
    }
}
