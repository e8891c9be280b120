//! A source of sound as its users feed it, and the senders that it feeds.
//!
//! ```text
//!  capture ─► frames of 10 ms ─► Sink ─► (the connection's task polls) ─► packets
//!                            └─► Sink of another connection
//! ```
//!
//! Each sender has a queue and an encoder of its own. A caller waits until every queue has room;
//! where there is no sender, frames are gone at the pace of the clock, as if one took them.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::sleep_until;
use tracing::warn;

use super::audio::source::{self, Packet, Settings, Source};
use crate::native::create_random_uuid;

const FRAME: Duration = Duration::from_millis(10);

/// The length of a packet: libwebrtc's.
pub(crate) const PACKET: Duration = Duration::from_millis(20);

/// A source of sound.
pub(crate) struct Feed {
    rate_hz: u32,
    channels: u32,
    queue: Duration,
    state: Mutex<State>,
    /// There is room again, or another sender.
    changed: Notify,
}

#[derive(Default)]
struct State {
    sinks: Vec<Arc<Sink>>,
    /// What is no whole frame yet.
    begun: Vec<i16>,
    /// Counts how often what waits was thrown away.
    cleared: u64,
    /// When the frames that nobody sends would have been sent.
    gone_at: Option<Instant>,
}

/// One sender's queue and encoder.
pub(crate) struct Sink {
    voice: Mutex<Voice>,
    /// The task of the connection that sends.
    driver: Arc<Notify>,
    began: Instant,
}

struct Voice {
    source: Source,
    /// Both channels become one.
    mixes: bool,
    mixed: Vec<i16>,
}

/// How a sender encodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// The most channels that the other side wants.
    pub(crate) channels: u32,
    /// The most bits per second.
    pub(crate) bitrate_bps: u32,
    /// Whether silence may be told instead of sent.
    pub(crate) dtx: bool,
}

/// What a look at the queues said.
enum Step {
    Taken(usize),
    /// There is room at that time; without one, when it is told.
    Wait(Option<Instant>),
    /// What waited was thrown away meanwhile.
    Cleared,
}

impl Feed {
    pub(crate) fn new(rate_hz: u32, channels: u32, queue: Duration) -> Arc<Self> {
        let queue = queue.min(source::QUEUE_LIMIT);
        let (state, changed) = (Mutex::default(), Notify::new());
        Arc::new(Self { rate_hz, channels, queue, state, changed })
    }

    pub(crate) fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    pub(crate) fn channels(&self) -> u32 {
        self.channels
    }

    fn frame_len(&self) -> usize {
        (self.rate_hz / 100 * self.channels).max(1) as usize
    }

    /// Takes interleaved samples, and returns once the last of them is in the queue.
    pub(crate) async fn capture(&self, samples: &[i16]) {
        let (whole, cleared) = self.whole_frames(samples);
        let mut rest = whole.as_ref();
        while !rest.is_empty() {
            // Before the look, so that room that comes between is not missed.
            let changed = self.changed.notified();
            match self.offer(rest, cleared) {
                Step::Taken(taken) => rest = &rest[taken..],
                Step::Cleared => return,
                Step::Wait(None) => changed.await,
                Step::Wait(Some(at)) => tokio::select! {
                    biased;
                    () = changed => {}
                    () = sleep_until(at.into()) => {}
                },
            }
        }
    }

    /// The whole frames that there are now; what is left waits for the next samples.
    fn whole_frames<'a>(&self, samples: &'a [i16]) -> (Cow<'a, [i16]>, u64) {
        let mut state = self.state.lock();
        let frame = self.frame_len();
        let whole = if state.begun.is_empty() && samples.len().is_multiple_of(frame) {
            Cow::Borrowed(samples)
        } else {
            let mut all = std::mem::take(&mut state.begun);
            all.extend_from_slice(samples);
            state.begun = all.split_off(all.len() / frame * frame);
            Cow::Owned(all)
        };
        (whole, state.cleared)
    }

    fn offer(&self, frames: &[i16], cleared: u64) -> Step {
        let mut state = self.state.lock();
        if state.cleared != cleared {
            return Step::Cleared;
        }
        let now = now();
        let mut taken = 0;
        for frame in frames.chunks(self.frame_len()) {
            if let Err(wait) = self.room(&state, now) {
                return if taken > 0 { Step::Taken(taken) } else { Step::Wait(wait) };
            }
            if state.sinks.is_empty() {
                state.gone_at = Some(state.gone_at.unwrap_or(now).max(now) + FRAME);
            }
            for sink in &state.sinks {
                sink.offer(frame, now);
            }
            taken += frame.len();
        }
        Step::Taken(taken)
    }

    /// Whether a frame would be taken; if not, when to ask again.
    fn room(&self, state: &State, now: Instant) -> Result<(), Option<Instant>> {
        if !state.sinks.is_empty() {
            return if state.sinks.iter().all(|sink| sink.has_room()) { Ok(()) } else { Err(None) };
        }
        match state.gone_at {
            Some(gone_at) if !self.queue.is_zero() && gone_at >= now + self.queue => {
                Err(Some(gone_at - self.queue + FRAME))
            }
            _ => Ok(()),
        }
    }

    /// Throws away what waits.
    pub(crate) fn clear(&self) {
        let mut state = self.state.lock();
        state.cleared += 1;
        state.begun.clear();
        state.gone_at = None;
        for sink in &state.sinks {
            sink.voice.lock().source.clear();
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Another sender. `timestamp` is its first packet's.
    ///
    /// # Errors
    /// Where the source's rate or channels are none of sound's.
    pub(crate) fn attach(
        self: &Arc<Self>,
        encoding: Encoding,
        timestamp: Option<u32>,
        driver: Arc<Notify>,
    ) -> Result<Outlet, source::Error> {
        let mixes = self.channels > encoding.channels;
        let source = Source::new(Settings {
            rate_hz: self.rate_hz,
            channels: self.channels.min(encoding.channels),
            queue: self.queue,
            packet: PACKET,
            bitrate_bps: encoding.bitrate_bps,
            dtx: encoding.dtx,
            first_timestamp: timestamp.unwrap_or_else(random),
        })?;
        let voice = Mutex::new(Voice { source, mixes, mixed: Vec::new() });
        let sink = Arc::new(Sink { voice, driver, began: now() });
        self.state.lock().sinks.push(sink.clone());
        self.changed.notify_waiters();
        Ok(Outlet { feed: self.clone(), sink })
    }

    fn detach(&self, sink: &Arc<Sink>) {
        self.state.lock().sinks.retain(|it| !Arc::ptr_eq(it, sink));
        self.changed.notify_waiters();
    }
}

/// A sender's end of a feed. When it is dropped, the feed feeds it no more.
pub(crate) struct Outlet {
    feed: Arc<Feed>,
    sink: Arc<Sink>,
}

impl Outlet {
    /// When to [`poll`](Self::poll) next, if nothing is offered before.
    pub(crate) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        let at = self.sink.voice.lock().source.wakes_at(now - self.sink.began)?;
        Some(self.sink.began + at)
    }

    /// The packet that is due, if one is. To be asked again until there is none.
    pub(crate) fn poll(&self, now: Instant, muted: bool) -> Option<Packet> {
        let mut voice = self.sink.voice.lock();
        voice.source.set_muted(muted);
        let had_room = voice.source.has_room();
        let packet = voice.source.poll(now - self.sink.began);
        let has_room = voice.source.has_room();
        drop(voice);
        if has_room && !had_room {
            self.feed.changed.notify_waiters();
        }
        packet.unwrap_or_else(|error| {
            warn!(%error, "sound was not encoded");
            None
        })
    }

    /// The share of packets that were lost, 0.0 to 1.0.
    pub(crate) fn report(&self, loss: f32) {
        if let Err(error) = self.sink.voice.lock().source.report(loss) {
            warn!(%error, "the encoder does not follow the network");
        }
    }

    /// Sets the most bits per second.
    pub(crate) fn set_highest(&self, bitrate_bps: u32) {
        if let Err(error) = self.sink.voice.lock().source.set_highest(bitrate_bps) {
            warn!(%error, "the encoder does not take the bitrate");
        }
    }

    /// Bits per second now.
    pub(crate) fn bitrate_bps(&self) -> u32 {
        self.sink.voice.lock().source.bitrate_bps()
    }

    /// The timestamp of the next packet.
    pub(crate) fn timestamp(&self) -> u32 {
        self.sink.voice.lock().source.timestamp()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.feed.detach(&self.sink);
    }
}

impl Sink {
    fn has_room(&self) -> bool {
        self.voice.lock().source.has_room()
    }

    /// Takes a frame, and wakes the task where that makes it send earlier than it knows.
    fn offer(&self, frame: &[i16], now: Instant) {
        let mut voice = self.voice.lock();
        let now = now.saturating_duration_since(self.began);
        let before = voice.source.wakes_at(now);
        voice.offer(frame);
        let after = voice.source.wakes_at(now);
        drop(voice);
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.driver.notify_one();
        }
    }
}

impl Voice {
    fn offer(&mut self, frame: &[i16]) {
        let offered = if self.mixes {
            let mean = |pair: &[i16]| i16::midpoint(pair[0], pair[1]);
            self.mixed.clear();
            self.mixed.extend(frame.chunks_exact(2).map(mean));
            self.source.offer(&self.mixed)
        } else {
            self.source.offer(frame)
        };
        if let Err(error) = offered {
            warn!(%error, "sound was not taken");
        }
    }
}

/// A number that nobody guesses, for where RTP begins to count (RFC 3550, section 5.1).
pub(crate) fn random() -> u32 {
    let digits = create_random_uuid();
    u32::from_str_radix(&digits[..8], 16).expect("a UUID begins with eight digits")
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
