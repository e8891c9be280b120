//! The callers: participants in a process of their own, each in a room of its own with an agent.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use livekit::options::TrackPublishOptions;
use livekit::webrtc::audio_frame::AudioFrame;
use livekit::webrtc::audio_source::native::NativeAudioSource;
use livekit::webrtc::audio_stream::native::NativeAudioStream;
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};
use tokio_util::sync::CancellationToken;
use voicegraph_benches::guest::Guest;
use voicegraph_simulators::{Folder, Script};

use crate::conversation::{Conversation, FRAME, Tale};

/// The rate at which callers speak and listen.
const RATE_HZ: u32 = 16_000;

/// The length of a frame.
const TICK: Duration = Duration::from_millis(20);

/// How many join at once.
const AT_ONCE: usize = 8;

/// How long the agent may take to come.
const AGENT_LIMIT: Duration = Duration::from_secs(60);

/// Callers pause for at least this long before a question, and for up to twice as long, so that
/// they do not speak in step.
const PAUSE: Duration = Duration::from_millis(500);

/// Calls so many agents at `url`, in rooms whose names begin with `prefix`. Says `idle` before the
/// first has joined, `ready` when all were greeted or have given up, and after the standard input
/// has ended and the last answer was heard `told` with the [`Tale`]s as JSON.
pub(crate) async fn call(url: &str, prefix: &str, calls: usize) -> anyhow::Result<()> {
    let questions = questions()?;
    println!("idle");
    let leaving = CancellationToken::new();
    let (greeted, mut greetings) = mpsc::channel(calls);
    let mut callers = JoinSet::new();
    let numbers: Vec<usize> = (0..calls).collect();
    for some in numbers.chunks(AT_ONCE) {
        let rooms = some.iter().map(|number| join(url, format!("{prefix}-{number}")));
        for (number, guest) in some.iter().zip(join_all(rooms).await) {
            let pause = PAUSE + PAUSE * u32::try_from(number * 100 / calls)? / 100;
            let conversation = Conversation::new(Arc::clone(&questions), pause, Instant::now());
            callers.spawn(carry(guest, conversation, greeted.clone(), leaving.clone()));
        }
    }
    drop(greeted);
    while greetings.recv().await.is_some() {}
    println!("ready");
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    leaving.cancel();
    let tales = callers.join_all().await;
    println!("told {}", serde_json::to_string(&tales)?);
    Ok(())
}

/// The committed speech of the script's caller, line by line.
fn questions() -> anyhow::Result<Arc<[Vec<i16>]>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let text = std::fs::read_to_string(folder.join("load.toml"))?;
    let script = Script::from_toml(&text, &Folder(folder))?;
    Ok(script.caller.spoken().map(|(_, samples)| samples.to_vec()).collect())
}

async fn join(url: &str, room: String) -> anyhow::Result<Guest> {
    Guest::join(url, &room, "caller", RATE_HZ, TrackPublishOptions::default()).await
}

/// Carries one call to its end.
async fn carry(
    guest: anyhow::Result<Guest>,
    mut conversation: Conversation,
    greeted: mpsc::Sender<()>,
    leaving: CancellationToken,
) -> Tale {
    if let Err(error) = converse(guest, &mut conversation, greeted, leaving).await {
        conversation.complain(format!("{error:#}"));
    }
    conversation.into_tale()
}

/// Talks until the conversation is over. `greeted` is dropped once the agent was heard.
async fn converse(
    guest: anyhow::Result<Guest>,
    conversation: &mut Conversation,
    greeted: mpsc::Sender<()>,
    leaving: CancellationToken,
) -> anyhow::Result<()> {
    let mut guest = guest?;
    let mut greeted = Some(greeted);
    let track = timeout(AGENT_LIMIT, guest.other()).await.context("no agent came")??;
    let mut stream = NativeAudioStream::new(track.rtc_track(), RATE_HZ as i32, 1);
    let mut tick = interval(TICK);
    while !conversation.is_over() {
        tokio::select! {
            biased;
            () = leaving.cancelled(), if !conversation.is_leaving() => conversation.leave(),
            event = guest.events.recv() => {
                event.context("the room has closed")?;
            }
            frame = stream.next() => {
                let Some(frame) = frame else { bail!("the agent's track has ended") };
                conversation.hear(&frame.data, Instant::now());
            }
            _ = tick.tick() => {
                let said = conversation.tick(Instant::now());
                say(&guest.source, said).await?;
            }
        }
        greeted = greeted.filter(|_| !conversation.is_greeted());
    }
    guest.room.close().await.context("the room does not close")
}

/// Says `said`, made up to a frame.
async fn say(source: &NativeAudioSource, said: &[i16]) -> anyhow::Result<()> {
    let mut frame = AudioFrame::new(RATE_HZ, 1, FRAME as u32);
    frame.data.to_mut()[..said.len()].copy_from_slice(said);
    source.capture_frame(&frame).await.context("the sound is not taken")
}
