//! The linked participant's microphone: frames of 20 ms at 16 kHz for the graph, at the pace of the
//! clock whatever the track does.
//!
//! ```text
//!   track ─► frames of 10 ms ─► frames of 20 ms ─► backlog ─► RoomSource ─► graph
//!   no track ─► silence ──────────────┘               ▲
//!   recording from before the agent came ─────────────┘
//! ```
//!
//! A track that is muted gives silence by itself. What the graph does not take in time waits in the
//! backlog, from which the oldest is dropped and counted.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use futures_util::StreamExt as _;
use livekit::webrtc::audio_stream::native::{NativeAudioStream, NativeAudioStreamOptions};
use livekit::webrtc::prelude::RtcAudioTrack;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use voicegraph_engine::message::AudioFrame;

use super::clock::Clock;
use super::recording::Recording;
use super::source::Frame;

/// Frames that may wait for the graph beyond what is in the backlog.
pub(super) const HANDED_OVER: usize = 2;

/// Frames that may wait for the graph: 12 s, which is room for a recording from before the agent
/// came and for the sound during it.
const LONGEST_BACKLOG: usize = 600;

/// Frames of 10 ms that may wait in the stream of a track: half a second.
const STREAM_FRAMES: usize = 50;

/// How long a track may give nothing before silence takes its place.
const STALL: Duration = Duration::from_millis(500);

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
    pub(super) sound: RtcAudioTrack,
    /// Whether a recording from before the agent came is announced.
    pub(super) recorded: bool,
}

/// Reads the microphone.
pub(super) struct Microphone {
    tracks: watch::Receiver<Option<Track>>,
    recordings: mpsc::Receiver<Recording>,
    graph: mpsc::Sender<Frame>,
    recording_limit: Duration,
    /// The track's sound.
    stream: Option<NativeAudioStream>,
    /// What is no whole frame yet.
    begun: Vec<i16>,
    clock: Clock,
    backlog: VecDeque<Frame>,
    /// When the next frame may be handed over.
    hand_over_at: Instant,
    /// Until when a recording is waited for: it comes before what is in the backlog.
    awaited: Option<Instant>,
    /// Of which track a recording was waited for.
    asked: Option<String>,
    dropped: u64,
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
            begun: Vec::with_capacity(FRAME_SAMPLES),
            clock: Clock::default(),
            backlog: VecDeque::new(),
            hand_over_at: Instant::now(),
            awaited: None,
            asked: None,
            dropped: 0,
        }
    }

    /// Reads until the graph takes nothing any more. Cancel safe.
    pub(super) async fn read(&mut self) {
        self.tracks.mark_changed();
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
                () = sleep_until(silent_at) => {
                    let silence = [0; FRAME_SAMPLES];
                    self.begun.clear();
                    self.take(Some(&silence));
                }
            }
        }
    }

    /// How many frames were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Listens to the track that there is now.
    fn follow(&mut self) {
        let track = self.tracks.borrow_and_update().clone();
        self.begun.clear();
        self.stream = track.as_ref().map(listen);
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
        self.begun.extend_from_slice(sound);
        while self.begun.len() >= FRAME_SAMPLES {
            let rest = self.begun.split_off(FRAME_SAMPLES);
            let samples = std::mem::replace(&mut self.begun, rest);
            let at = self.clock.capture(Instant::now());
            self.backlog.push_back((AudioFrame::new(samples, AudioFrame::CALLER_RATE_HZ), at));
        }
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

    /// When silence takes the place of what does not come.
    fn silent_at(&self) -> Instant {
        let due = self.clock.due().unwrap_or_else(Instant::now);
        if self.stream.is_some() { due + STALL } else { due }
    }
}

fn listen(track: &Track) -> NativeAudioStream {
    let options = NativeAudioStreamOptions { queue_size_frames: Some(STREAM_FRAMES) };
    let rate = AudioFrame::CALLER_RATE_HZ.get().cast_signed();
    NativeAudioStream::with_options(track.sound.clone(), rate, 1, options)
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

async fn next(stream: &mut Option<NativeAudioStream>) -> Option<Vec<i16>> {
    match stream {
        Some(stream) => stream.next().await.map(|frame| frame.data.into_owned()),
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
mod tests {
    use super::*;

    struct Graph {
        frames: mpsc::Receiver<Frame>,
        /// Kept open, though nobody has a microphone.
        _tracks: watch::Sender<Option<Track>>,
        _recordings: mpsc::Sender<Recording>,
    }

    fn without_track() -> (Microphone, Graph) {
        let (_tracks, tracks) = watch::channel(None);
        let (_recordings, recordings) = mpsc::channel(1);
        let (graph, frames) = mpsc::channel(HANDED_OVER);
        let limit = Duration::from_secs(3);
        let microphone = Microphone::new(tracks, recordings, graph, limit);
        (microphone, Graph { frames, _tracks, _recordings })
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_track_silence_keeps_the_clock_going() {
        let (mut microphone, mut graph) = without_track();
        let start = Instant::now();
        let hearing = async {
            for number in 0..50 {
                let (frame, at) = graph.frames.recv().await.expect("it goes on");
                assert!(frame.samples().iter().all(|&sample| sample == 0));
                assert_eq!(at - start, AudioFrame::LENGTH * number);
            }
        };
        tokio::select! {
            biased;
            () = hearing => {}
            () = microphone.read() => panic!("it ended"),
        }
        assert_eq!(start.elapsed().as_millis(), 49 * 20);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_graph_does_not_take_is_dropped_and_counted() {
        let (mut microphone, mut graph) = without_track();
        let waited = AudioFrame::LENGTH * (LONGEST_BACKLOG as u32 + 10);
        let _ = tokio::time::timeout(waited, microphone.read()).await;
        let counted = microphone.dropped();
        assert!((7..=10).contains(&counted), "{counted} dropped");
        assert!(graph.frames.recv().await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_recording_comes_first_and_was_captured_before() {
        let (mut microphone, mut graph) = without_track();
        microphone.asked = Some("TR_1".to_owned());
        microphone.awaited = Some(Instant::now() + Duration::from_secs(3));
        microphone.take(Some(&[9; FRAME_SAMPLES]));
        let samples = (0..10).flat_map(|frame| [frame; FRAME_SAMPLES]).collect();
        microphone.prepend(&Recording { track: "TR_1".to_owned(), samples });
        let mut heard = Vec::new();
        let hearing = async {
            while heard.len() < 11 {
                heard.push(graph.frames.recv().await.expect("it goes on"));
            }
        };
        tokio::select! { biased; () = hearing => {} () = microphone.read() => {} }
        let first: Vec<_> = heard.iter().map(|(frame, _)| frame.samples()[0]).collect();
        assert_eq!(first, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]);
        assert!(heard.iter().is_sorted_by_key(|(_, at)| *at));
    }

    #[tokio::test(start_paused = true)]
    async fn a_graph_that_ends_ends_the_reading() {
        let (mut microphone, graph) = without_track();
        drop(graph.frames);
        microphone.read().await;
    }
}
