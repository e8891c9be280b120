//! Joins and leaves, one after the other: what is held afterwards.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use livekit::options::TrackPublishOptions;
use livekit::prelude::*;
use livekit::webrtc::audio_source::native::NativeAudioSource;
use livekit::webrtc::audio_source::{AudioSourceOptions, RtcAudioSource};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use voicegraph_tests::livekit::{Server, token};
use voicegraph_tests::proc::Proc;

/// Visits after which everything that is made once has been made.
const WARM_UP: usize = 100;

/// How many are on at once.
const AT_ONCE: usize = 4;

/// What the allocator may take for itself meanwhile. At a thousand visits a leak of 5 KiB in each
/// would be above it; a session holds some hundred times as much.
const SLACK_BYTES: u64 = 4 << 20;

/// Descriptors and threads that come and go with the runtime.
const SLACK_HANDLES: usize = 4;

/// How long what ends by and by after a visit may take. `livekit` waits up to 15 s for a connection
/// (its `ICE_CONNECT_TIMEOUT`), also in a room that was left meanwhile.
const SETTLE: Duration = Duration::from_secs(30);

/// What is held at one point.
#[derive(Debug, Clone, Copy)]
struct Held {
    bytes: u64,
    descriptors: usize,
    threads: usize,
    tasks: usize,
}

/// Joins and leaves so many times, each with a track published.
pub(crate) async fn visit(server: &Server, count: usize) -> anyhow::Result<()> {
    println!(
        "{:>6} {:>12} {:>12} {:>8} {:>6}",
        "visits", "KiB resident", "descriptors", "threads", "tasks"
    );
    let empty = held()?;
    print(0, empty);
    let mut warm: Option<Held> = None;
    let mut last = empty;
    for from in (0..count).step_by(WARM_UP) {
        let until = count.min(from + WARM_UP);
        for number in (from..until).step_by(AT_ONCE) {
            let some = number..until.min(number + AT_ONCE);
            let visits = some.map(|number| join_and_leave(server, number));
            try_join_all(visits).await.with_context(|| format!("visit {number}"))?;
        }
        last = settled(empty).await?;
        print(until, last);
        warm.get_or_insert(last);
    }
    judge(warm.context("there are no visits")?, last, empty)
}

async fn join_and_leave(server: &Server, number: usize) -> anyhow::Result<()> {
    let mut options = RoomOptions::default();
    options.single_peer_connection = true;
    let token = token(&format!("visit-{number}"), "guest");
    let (room, events) = Room::connect(&server.url(), &token, options).await?;
    let source = NativeAudioSource::new(AudioSourceOptions::default(), 48_000, 1, 100);
    let track = LocalAudioTrack::create_audio_track("voice", RtcAudioSource::Native(source));
    let options = TrackPublishOptions { source: TrackSource::Microphone, ..Default::default() };
    room.local_participant().publish_track(LocalTrack::Audio(track), options).await?;
    room.close().await?;
    drop(events);
    Ok(())
}

/// What is held once no more tasks are on than before the first visit.
async fn settled(empty: Held) -> anyhow::Result<Held> {
    const STEP: Duration = Duration::from_millis(50);
    let begin = Instant::now();
    loop {
        let now = held()?;
        if now.tasks <= empty.tasks || begin.elapsed() > SETTLE {
            return Ok(now);
        }
        sleep(STEP).await;
    }
}

fn held() -> anyhow::Result<Held> {
    let own = Proc::own();
    Ok(Held {
        bytes: own.resident_bytes()?,
        descriptors: own.descriptors()?,
        threads: own.threads()?,
        tasks: Handle::current().metrics().num_alive_tasks(),
    })
}

fn print(visits: usize, held: Held) {
    let Held { bytes, descriptors, threads, tasks } = held;
    println!("{visits:>6} {:>12} {descriptors:>12} {threads:>8} {tasks:>6}", bytes / 1_024);
}

fn judge(warm: Held, last: Held, empty: Held) -> anyhow::Result<()> {
    let grown = last.bytes.saturating_sub(warm.bytes);
    ensure!(grown <= SLACK_BYTES, "memory grew by {} KiB after the first", grown / 1_024);
    ensure!(last.tasks <= empty.tasks, "{} tasks are left", last.tasks - empty.tasks);
    let descriptors = last.descriptors.saturating_sub(warm.descriptors);
    ensure!(descriptors <= SLACK_HANDLES, "{descriptors} descriptors are left");
    let threads = last.threads.saturating_sub(warm.threads);
    ensure!(threads <= SLACK_HANDLES, "{threads} threads are left");
    Ok(())
}
