//! The load of ours: rooms with two sessions in each, which say a tone and listen to the other's.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use livekit::options::TrackPublishOptions;
use livekit::webrtc::audio_frame::AudioFrame;
use livekit::webrtc::audio_source::native::NativeAudioSource;
use livekit::webrtc::audio_stream::native::NativeAudioStream;
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinSet;
use tokio::time::timeout;
use voicegraph_benches::guest::Guest;

/// The same in scripts/sessions.py: a tone in mono, and what is loud enough to be it.
const RATE_HZ: u32 = 48_000;
const FRAME: usize = 480;
const TONE_HZ: f64 = 400.0;
const AMPLITUDE: f64 = 9_000.0;
const LOUD: i32 = 4_000;

/// How many sessions join at once.
const AT_ONCE: usize = 8;

/// How long a session may take to hear the other.
const LIMIT: Duration = Duration::from_secs(60);

/// What a session has heard.
#[derive(Default)]
struct Ear {
    frames: AtomicU64,
    loud: AtomicU64,
    counts: AtomicBool,
}

/// Talks until the standard input ends.
pub(crate) async fn talk(url: &str, prefix: &str, rooms: usize) -> anyhow::Result<()> {
    println!("idle");
    let mut tasks = JoinSet::new();
    let mut sessions = Vec::new();
    let names: Vec<(usize, &str)> =
        (0..rooms).flat_map(|room| [(room, "ada"), (room, "bob")]).collect();
    for some in names.chunks(AT_ONCE) {
        let joined = some.iter().map(|(room, name)| join(url, format!("{prefix}-{room}"), name));
        sessions.extend(try_join_all(joined).await?);
    }
    let mut ears = Vec::new();
    let mut open = Vec::new();
    for mut session in sessions {
        let ear = Arc::<Ear>::default();
        let track = timeout(LIMIT, session.other()).await.context("no track came")??;
        let stream = NativeAudioStream::new(track.rtc_track(), RATE_HZ as i32, 1);
        tasks.spawn(listen(stream, ear.clone()));
        tasks.spawn(say(session.source.clone()));
        ears.push(ear);
        open.push(session);
    }
    timeout(LIMIT, all_hear(&ears)).await.context("not all heard the other")?;
    ears.iter().for_each(|ear| ear.counts.store(true, Ordering::Relaxed));
    println!("ready");
    let mut nothing = Vec::new();
    tokio::io::stdin().read_to_end(&mut nothing).await?;
    let sum = |count: fn(&Ear) -> &AtomicU64| -> u64 {
        ears.iter().map(|ear| count(ear).load(Ordering::Relaxed)).sum()
    };
    println!("heard {}", sum(|ear| &ear.loud) as f64 / sum(|ear| &ear.frames).max(1) as f64);
    tasks.shutdown().await;
    for session in open {
        session.room.close().await?;
    }
    Ok(())
}

async fn join(url: &str, room: String, name: &str) -> anyhow::Result<Guest> {
    // Without DTX, as the Python SDK's, which takes a steady tone for silence with it.
    let options = TrackPublishOptions { dtx: false, ..Default::default() };
    Guest::join(url, &room, name, RATE_HZ, options).await
}

async fn say(source: NativeAudioSource) {
    let step = TAU * TONE_HZ / f64::from(RATE_HZ);
    let tone = (0..FRAME).map(|at| (AMPLITUDE * (step * at as f64).sin()) as i16);
    // A frame holds whole periods: each goes on where the one before ended.
    let data = tone.collect::<Vec<_>>().into();
    let frame = AudioFrame {
        data,
        sample_rate: RATE_HZ,
        num_channels: 1,
        samples_per_channel: FRAME as u32,
    };
    while source.capture_frame(&frame).await.is_ok() {}
}

async fn listen(mut stream: NativeAudioStream, ear: Arc<Ear>) {
    while let Some(frame) = stream.next().await {
        let loudest = frame.data.iter().map(|&sample| i32::from(sample).abs()).max();
        let is_loud = loudest > Some(LOUD);
        if ear.counts.load(Ordering::Relaxed) {
            ear.frames.fetch_add(1, Ordering::Relaxed);
        }
        // Until all are ready, that it was loud at all.
        if is_loud {
            ear.loud.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn all_hear(ears: &[Arc<Ear>]) {
    const STEP: Duration = Duration::from_millis(50);
    while ears.iter().any(|ear| ear.loud.load(Ordering::Relaxed) == 0) {
        tokio::time::sleep(STEP).await;
    }
    ears.iter().for_each(|ear| ear.loud.store(0, Ordering::Relaxed));
}
