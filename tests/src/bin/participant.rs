//! A participant that is the `livekit` crate on our `libwebrtc`, as a process of its own, so that
//! it can live in a network namespace. It obeys as `tests/peer/peer.py` does, which is the official
//! Python SDK: a JSON object per line on standard input is a command, one per line on standard
//! output is a result or what happened in the room. It ends when its input does.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use livekit::SimulateScenario;
use livekit::options::TrackPublishOptions;
use livekit::prelude::*;
use livekit::webrtc::audio_frame::AudioFrame;
use livekit::webrtc::audio_source::native::NativeAudioSource;
use livekit::webrtc::audio_source::{AudioSourceOptions, RtcAudioSource};
use livekit::webrtc::audio_stream::native::NativeAudioStream;
use livekit::webrtc::prelude::RtcAudioTrack;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};
use tokio::sync::{OnceCell, watch};
use tokio::task::JoinSet;

/// Sound waiting in a source before `capture_frame` holds its caller up.
const QUEUE_MS: u32 = 200;

/// Frames of 10 ms in what a meter measures.
const METER_FRAMES: usize = 10;

/// What may go wrong with a command.
type Failure = Box<dyn Error + Send + Sync>;

/// A command with its number.
#[derive(Deserialize)]
struct Line {
    id: u64,
    #[serde(flatten)]
    command: Command,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Command {
    Join { url: String, token: String },
    Leave,
    Participants,
    Publish { name: String, rate_hz: u32, channels: u32, dtx: Option<bool> },
    Play { name: String, wav: PathBuf },
    Record { name: String, wav: PathBuf, rate_hz: u32, channels: u32, ms: u32 },
    Meter { name: String, rate_hz: u32 },
    Simulate { scenario: Scenario },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scenario {
    SignalReconnect,
    FullReconnect,
    DisconnectSignalOnResume,
    NodeFailure,
    ServerLeave,
    Migration,
    ForceTcp,
    ForceTls,
}

/// The last track of each name, which changes when the room is joined anew.
type Tracks = Mutex<BTreeMap<String, watch::Sender<Option<RtcAudioTrack>>>>;

#[derive(Default)]
struct Peer {
    room: OnceCell<Room>,
    sources: Mutex<BTreeMap<String, NativeAudioSource>>,
    tracks: Arc<Tracks>,
}

#[tokio::main]
async fn main() {
    let (peer, mut lines) = (Arc::new(Peer::default()), BufReader::new(stdin()).lines());
    let mut commands = JoinSet::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let line: Line = serde_json::from_str(&line).expect("the test knows the commands");
        let peer = peer.clone();
        commands.spawn(async move {
            let done = peer.obey(line.command).await;
            tell(&match done {
                Ok(ok) => json!({"id": line.id, "ok": ok}),
                Err(error) => json!({"id": line.id, "error": {"message": error.to_string()}}),
            });
        });
    }
}

impl Peer {
    async fn obey(&self, command: Command) -> Result<Value, Failure> {
        match command {
            Command::Join { url, token } => self.join(&url, &token).await?,
            Command::Leave => self.room()?.close().await?,
            Command::Participants => {
                let there = self.room()?.remote_participants();
                let mut names: Vec<_> = there.keys().map(|it| it.as_str()).collect();
                names.sort_unstable();
                return Ok(json!({"identities": names}));
            }
            Command::Publish { name, rate_hz, channels, dtx } => {
                self.publish(name, rate_hz, channels, dtx.unwrap_or(false)).await?;
            }
            Command::Play { name, wav } => self.play(&name, wav).await?,
            Command::Record { name, wav, rate_hz, channels, ms } => {
                self.record(&name, wav, rate_hz, channels, ms).await?;
            }
            Command::Meter { name, rate_hz } => self.meter(&name, rate_hz).await,
            Command::Simulate { scenario } => self.simulate(scenario).await?,
        }
        Ok(json!({}))
    }

    fn room(&self) -> Result<&Room, Failure> {
        self.room.get().ok_or_else(|| "join first".into())
    }

    async fn join(&self, url: &str, token: &str) -> Result<(), Failure> {
        let mut options = RoomOptions::default();
        options.single_peer_connection = true;
        let (room, mut events) = Room::connect(url, token, options).await?;
        self.room.set(room).map_err(|_| "it has joined")?;
        let tracks = self.tracks.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                note(&event, &tracks);
            }
        });
        Ok(())
    }

    async fn publish(
        &self,
        name: String,
        rate_hz: u32,
        channels: u32,
        dtx: bool,
    ) -> Result<(), Failure> {
        let options = AudioSourceOptions::default();
        let source = NativeAudioSource::new(options, rate_hz, channels, QUEUE_MS);
        let native = RtcAudioSource::Native(source.clone());
        let track = LocalTrack::Audio(LocalAudioTrack::create_audio_track(&name, native));
        let options =
            TrackPublishOptions { source: TrackSource::Microphone, dtx, ..Default::default() };
        self.room()?.local_participant().publish_track(track, options).await?;
        lock(&self.sources).insert(name, source);
        Ok(())
    }

    /// Returns when the last sample of the file was taken.
    async fn play(&self, name: &str, wav: PathBuf) -> Result<(), Failure> {
        let source = lock(&self.sources).get(name).cloned().ok_or("publish first")?;
        let mut reader = WavReader::open(wav)?;
        let samples = reader.samples().collect::<Result<Vec<i16>, _>>()?;
        let (rate, channels) = (source.sample_rate(), source.num_channels());
        let per_channel = rate / 100;
        for samples in samples.chunks((per_channel * channels) as usize) {
            let mut frame = AudioFrame::new(rate, channels, per_channel);
            frame.data.to_mut()[..samples.len()].copy_from_slice(samples);
            source.capture_frame(&frame).await?;
        }
        Ok(())
    }

    /// Waits for the track of that name, and writes the next `ms` of it.
    async fn record(
        &self,
        name: &str,
        wav: PathBuf,
        sample_rate: u32,
        channels: u32,
        ms: u32,
    ) -> Result<(), Failure> {
        let track = track_of(&mut self.watch(name)).await;
        let mut stream = NativeAudioStream::new(track, sample_rate as i32, channels as i32);
        let spec = WavSpec {
            channels: channels as u16,
            sample_rate,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut writer = WavWriter::create(wav, spec)?;
        for _ in 0..ms / 10 {
            let frame = stream.next().await.ok_or("the track has ended")?;
            frame.data.iter().try_for_each(|&sample| writer.write_sample(sample))?;
        }
        Ok(writer.finalize()?)
    }

    /// Tells of the loudness of the track of that name, 100 ms at a time, as long as the process
    /// runs, whichever track has that name.
    async fn meter(&self, name: &str, rate_hz: u32) {
        let mut tracks = self.watch(name);
        let name = name.to_owned();
        let work = async move {
            loop {
                let track = track_of(&mut tracks).await;
                let stream = NativeAudioStream::new(track, rate_hz as i32, 1);
                tokio::select! {
                    biased;
                    changed = tracks.changed() => if changed.is_err() { return },
                    () = measure(stream, &name) => {
                        // It has ended; another may follow.
                        if tracks.changed().await.is_err() { return }
                    }
                }
            }
        };
        tokio::spawn(work);
    }

    async fn simulate(&self, scenario: Scenario) -> Result<(), Failure> {
        let scenario = match scenario {
            Scenario::SignalReconnect => SimulateScenario::SignalReconnect,
            Scenario::FullReconnect => SimulateScenario::FullReconnect,
            Scenario::DisconnectSignalOnResume => SimulateScenario::DisconnectSignalOnResume,
            Scenario::NodeFailure => SimulateScenario::NodeFailure,
            Scenario::ServerLeave => SimulateScenario::ServerLeave,
            Scenario::Migration => SimulateScenario::Migration,
            Scenario::ForceTcp => SimulateScenario::ForceTcp,
            Scenario::ForceTls => SimulateScenario::ForceTls,
        };
        Ok(self.room()?.simulate_scenario(scenario).await?)
    }

    fn watch(&self, name: &str) -> watch::Receiver<Option<RtcAudioTrack>> {
        lock(&self.tracks).entry(name.to_owned()).or_default().subscribe()
    }
}

async fn track_of(tracks: &mut watch::Receiver<Option<RtcAudioTrack>>) -> RtcAudioTrack {
    let track = tracks.wait_for(Option::is_some).await.expect("the table of tracks lives");
    track.clone().expect("it was waited for")
}

async fn measure(stream: NativeAudioStream, name: &str) {
    let mut frames = stream.chunks(METER_FRAMES);
    while let Some(frames) = frames.next().await {
        let samples: Vec<i16> = frames.iter().flat_map(|frame| frame.data.to_vec()).collect();
        let squares: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        let rms = (squares / samples.len().max(1) as f64).sqrt();
        tell(&json!({"event": "level", "track": name, "rms": rms}));
    }
}

fn name(participant: &RemoteParticipant) -> String {
    participant.identity().as_str().to_owned()
}

/// Tells of what happened, and keeps tracks.
fn note(event: &RoomEvent, tracks: &Tracks) {
    let about_track = |event: &str, from: &RemoteParticipant, track: &RemoteTrackPublication| json!({"event": event, "from": name(from), "track": track.name()});
    let about = |event: &str, it: &RemoteParticipant| json!({"event": event, "from": name(it)});
    let told = match event {
        RoomEvent::TrackSubscribed { track, publication, participant } => {
            if let RemoteTrack::Audio(track) = track {
                let mut tracks = lock(tracks);
                let watchers = tracks.entry(publication.name()).or_default();
                watchers.send_replace(Some(track.rtc_track()));
            }
            about_track("track_subscribed", participant, publication)
        }
        RoomEvent::TrackUnsubscribed { publication, participant, .. } => {
            about_track("track_unsubscribed", participant, publication)
        }
        RoomEvent::ParticipantConnected(it) => about("participant_connected", it),
        RoomEvent::ParticipantDisconnected(it) => about("participant_disconnected", it),
        RoomEvent::Reconnecting => json!({"event": "reconnecting"}),
        RoomEvent::Reconnected => json!({"event": "reconnected"}),
        RoomEvent::Disconnected { .. } => json!({"event": "disconnected"}),
        _ => return,
    };
    tell(&told);
}

#[expect(clippy::print_stdout, reason = "lines are how it answers")]
fn tell(line: &Value) {
    println!("{line}");
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
