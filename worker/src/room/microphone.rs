//! The linked participant's microphone: frames of 20 ms at 16 kHz for the graph, at the pace of the
//! clock whatever the track does.
//!
//! ```text
//!   track ─► frames of 10 ms ─► frames of 20 ms ─► backlog ─► RoomSource ─► graph
//!   no track ─► silence ──────────────┘               ▲
//!   recording from before the agent came ─────────────┘
//! ```
//!
//! A track that is muted gives silence by itself. One that gives nothing has stalled: silence takes
//! its place, that of the time before it was noticed too, and what the track still holds of that
//! time is not heard when it goes on. What the graph does not take in time waits in the backlog,
//! from which the oldest is dropped and counted.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use livekit::webrtc::audio_stream::native::{NativeAudioStream, NativeAudioStreamOptions};
use livekit::webrtc::prelude::RtcAudioTrack;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use voicegraph_engine::message::AudioFrame;

use super::clock::Clock;
use super::flow::Flow;
use super::recording::Recording;
use super::source::Frame;

/// Frames that may wait for the graph beyond what is in the backlog.
pub(super) const HANDED_OVER: usize = 2;

/// Frames that may wait for the graph: 12 s, which is room for a recording from before the agent
/// came and for the sound during it.
const LONGEST_BACKLOG: usize = 600;

/// Frames of 10 ms that may wait in the stream of a track: half a second.
const STREAM_FRAMES: usize = 50;

/// What waits is handed over at this pace, five times that of speech, so that the edges behind,
/// which drop what comes faster than it is read, keep it.
const CATCH_UP: Duration = Duration::from_millis(4);

/// The samples of a frame.
const FRAME_SAMPLES: usize = 320;

/// A microphone's track.
#[derive(Clone, Debug)]
pub(super) struct Track {
    /// Its name on the server.
    pub(super) sid: String,
    /// Its sound.
    pub(super) sound: Arc<dyn Sound>,
    /// Whether a recording from before the agent came is announced.
    pub(super) recorded: bool,
}

/// What can be listened to.
pub(super) trait Sound: Debug + Send + Sync {
    /// Listens from now on: pieces of any length at the graph's rate, until the sound ends.
    fn listen(&self) -> BoxStream<'static, Vec<i16>>;
}

impl Sound for RtcAudioTrack {
    fn listen(&self) -> BoxStream<'static, Vec<i16>> {
        let options = NativeAudioStreamOptions { queue_size_frames: Some(STREAM_FRAMES) };
        let rate = AudioFrame::CALLER_RATE_HZ.get().cast_signed();
        let stream = NativeAudioStream::with_options(self.clone(), rate, 1, options);
        stream.map(|frame| frame.data.into_owned()).boxed()
    }
}

/// Reads the microphone.
pub(super) struct Microphone {
    tracks: watch::Receiver<Option<Track>>,
    recordings: mpsc::Receiver<Recording>,
    graph: mpsc::Sender<Frame>,
    recording_limit: Duration,
    /// The track's sound.
    stream: Option<BoxStream<'static, Vec<i16>>>,
    flow: Flow,
    /// What is no whole frame yet.
    begun: Vec<i16>,
    clock: Clock,
    /// When the first frame is due: when the reading begins.
    first_at: Instant,
    backlog: VecDeque<Frame>,
    /// When the next frame may be handed over.
    hand_over_at: Instant,
    /// Until when a recording is waited for: it comes before what is in the backlog.
    awaited: Option<Instant>,
    /// Of which track a recording was waited for.
    asked: Option<String>,
    dropped: u64,
    late: u64,
}

impl Microphone {
    pub(super) fn new(
        tracks: watch::Receiver<Option<Track>>,
        recordings: mpsc::Receiver<Recording>,
        graph: mpsc::Sender<Frame>,
        recording_limit: Duration,
    ) -> Self {
        Self {
            tracks,
            recordings,
            graph,
            recording_limit,
            stream: None,
            flow: Flow::default(),
            begun: Vec::with_capacity(FRAME_SAMPLES),
            clock: Clock::default(),
            first_at: Instant::now(),
            backlog: VecDeque::new(),
            hand_over_at: Instant::now(),
            awaited: None,
            asked: None,
            dropped: 0,
            late: 0,
        }
    }

    /// Reads until the graph takes nothing any more. Cancel safe.
    pub(super) async fn read(&mut self) {
        self.tracks.mark_changed();
        self.first_at = Instant::now();
        loop {
            let ready = !self.backlog.is_empty() && self.awaited.is_none();
            let silent_at = self.silent_at();
            tokio::select! {
                biased;
                Ok(()) = self.tracks.changed() => self.follow(),
                Some(recording) = self.recordings.recv() => self.prepend(&recording),
                taken = hand_over(&self.graph, self.hand_over_at, &mut self.backlog), if ready => {
                    if !taken {
                        return;
                    }
                    self.hand_over_at = Instant::now() + CATCH_UP;
                }
                sound = next(&mut self.stream) => self.take(sound.as_deref()),
                () = until(self.awaited) => self.awaited = None,
                () = sleep_until(silent_at) => self.fall_silent(),
            }
        }
    }

    /// How many frames were dropped because the graph did not take them in time.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many frames of the track came when silence had taken their place.
    pub(super) fn late(&self) -> u64 {
        self.late
    }

    /// Listens to the track that there is now.
    fn follow(&mut self) {
        let track = self.tracks.borrow_and_update().clone();
        self.begun.clear();
        self.flow = Flow::default();
        self.stream = track.as_ref().map(|track| track.sound.listen());
        let Some(Track { sid, recorded: true, .. }) = track else { return };
        if self.asked.as_ref() != Some(&sid) {
            self.asked = Some(sid);
            self.awaited = Some(Instant::now() + self.recording_limit);
        }
    }

    /// Takes sound of the track; `None` where it has ended.
    fn take(&mut self, sound: Option<&[i16]>) {
        let Some(sound) = sound else {
            self.stream = None;
            return;
        };
        let now = Instant::now();
        self.flow.resume(now);
        self.begun.extend_from_slice(sound);
        while self.begun.len() >= FRAME_SAMPLES {
            let rest = self.begun.split_off(FRAME_SAMPLES);
            let samples = std::mem::replace(&mut self.begun, rest);
            if self.flow.hears(self.due(), now) {
                self.push(samples, now);
            } else {
                self.late += 1;
            }
        }
    }

    /// Fills the time until now with silence, from where the sound has ended.
    fn fall_silent(&mut self) {
        if self.stream.is_some() && self.flow != Flow::Stalled {
            tracing::debug!("the caller's track gives nothing, silence takes its place");
            self.flow = Flow::Stalled;
        }
        self.begun.clear();
        let now = Instant::now();
        while self.due() <= now {
            self.push(vec![0; FRAME_SAMPLES], self.due());
        }
    }

    /// Puts a frame that came at `now` behind the others.
    fn push(&mut self, samples: Vec<i16>, now: Instant) {
        let at = self.clock.capture(now);
        self.backlog.push_back((AudioFrame::new(samples, AudioFrame::CALLER_RATE_HZ), at));
        self.trim();
    }

    /// Puts a recording before what waits: its end was captured when that begins.
    fn prepend(&mut self, recording: &Recording) {
        if self.awaited.take().is_none() || self.asked.as_ref() != Some(&recording.track) {
            tracing::debug!("recording of the caller came too late, or for another track");
            return;
        }
        let first = self.backlog.front().map_or_else(Instant::now, |(_, at)| *at);
        let frames = recording.samples.chunks_exact(FRAME_SAMPLES);
        for (number, samples) in (1..).zip(frames.rev()) {
            let at = first.checked_sub(AudioFrame::LENGTH * number).unwrap_or(first);
            let frame = AudioFrame::new(samples, AudioFrame::CALLER_RATE_HZ);
            self.backlog.push_front((frame, at));
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.backlog.len() > LONGEST_BACKLOG {
            self.backlog.pop_front();
            self.dropped += 1;
        }
    }

    /// When the next frame is due.
    fn due(&self) -> Instant {
        self.clock.due().unwrap_or(self.first_at)
    }

    /// When silence takes the place of what does not come.
    fn silent_at(&self) -> Instant {
        let flow = if self.stream.is_some() { self.flow } else { Flow::Stalled };
        flow.silent_at(self.due())
    }
}

/// Hands over what waits longest, at `at` or when there is room; `false` where the graph takes
/// nothing any more. Cancel safe.
async fn hand_over(
    graph: &mpsc::Sender<Frame>,
    at: Instant,
    backlog: &mut VecDeque<Frame>,
) -> bool {
    sleep_until(at).await;
    let Ok(permit) = graph.reserve().await else { return false };
    if let Some(frame) = backlog.pop_front() {
        permit.send(frame);
    }
    true
}

async fn next(stream: &mut Option<BoxStream<'static, Vec<i16>>>) -> Option<Vec<i16>> {
    match stream {
        Some(stream) => stream.next().await,
        None => pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
