//! Tones that are sent, and what of them was heard.

use std::f64::consts::TAU;
use std::time::Duration;

use futures_util::StreamExt as _;
use libwebrtc::audio_source::native::NativeAudioSource;
use libwebrtc::audio_stream::native::NativeAudioStream;
use libwebrtc::prelude::*;
use tokio::task::JoinHandle;

/// How loud tones are sent.
const AMPLITUDE: f64 = 8_000.0;

/// How long a tone may take to be heard. Only a failing test waits as long.
const LIMIT: Duration = Duration::from_secs(20);

/// How much of it is heard before it is measured, so that its beginning is not: it fades in.
const SETTLING_FRAMES: usize = 50;

/// The length that is measured: a second.
const MEASURED_FRAMES: usize = 100;

/// Pure enough. A machine that is busy with other tests leaves marks, so that several seconds may
/// be heard until one is.
const PURE: f64 = 0.99;

/// How many seconds are heard at most.
const MEASUREMENTS: usize = 8;

/// A tone that is fed to a source until this is dropped.
pub(crate) struct Tone {
    task: JoinHandle<()>,
}

impl Tone {
    /// Feeds a tone to all channels of `source`.
    pub(crate) fn feed(source: &NativeAudioSource, frequency_hz: f64) -> Self {
        let source = source.clone();
        Self { task: tokio::spawn(async move { feed(&source, frequency_hz).await }) }
    }
}

impl Drop for Tone {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn feed(source: &NativeAudioSource, frequency_hz: f64) {
    let (rate, channels) = (source.sample_rate(), source.num_channels());
    let step = TAU * frequency_hz / f64::from(rate);
    let mut at = 0_u32;
    loop {
        let mut frame = AudioFrame::new(rate, channels, rate / 100);
        for sample in frame.data.to_mut().chunks_exact_mut(channels as usize) {
            sample.fill((AMPLITUDE * (step * f64::from(at)).sin()) as i16);
            at += 1;
        }
        source.capture_frame(&frame).await.expect("the frame has the source's shape");
    }
}

/// What a second of a stream was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    /// The share of its energy that is the tone.
    pub(crate) purity: f64,
    /// The root of the mean square, against that of the tone sent.
    pub(crate) level: f64,
}

/// Listens to a track at that shape until a second of that tone was pure, or takes the purest of
/// several; panics where none comes.
pub(crate) async fn hear(
    track: &RtcAudioTrack,
    rate_hz: u32,
    channels: u32,
    frequency_hz: f64,
) -> Heard {
    let mut stream = NativeAudioStream::new(track.clone(), rate_hz as i32, channels as i32);
    let heard = listen(&mut stream, rate_hz, channels, frequency_hz);
    let heard = tokio::time::timeout(LIMIT, heard).await;
    heard.unwrap_or_else(|_| panic!("{frequency_hz} Hz was not heard within {LIMIT:?}"))
}

/// Listens until a frame is silent.
pub(crate) async fn silence(track: &RtcAudioTrack) {
    let mut stream = NativeAudioStream::new(track.clone(), 48_000, 1);
    while level(&stream.next().await.expect("the track lives").data) > 0.0001 {}
}

async fn listen(
    stream: &mut NativeAudioStream,
    rate_hz: u32,
    channels: u32,
    frequency_hz: f64,
) -> Heard {
    let mut settling = SETTLING_FRAMES;
    let mut samples = Vec::new();
    let mut best = Heard { purity: 0.0, level: 0.0 };
    let mut measured = 0;
    while measured < MEASUREMENTS && best.purity < PURE {
        let frame = stream.next().await.expect("the track lives");
        assert_eq!((frame.sample_rate, frame.num_channels), (rate_hz, channels));
        assert_eq!(frame.samples_per_channel, rate_hz / 100);
        // Of several channels, the last is measured.
        let last = |sample: &[i16]| sample[sample.len() - 1];
        let own: Vec<i16> = frame.data.chunks_exact(channels as usize).map(last).collect();
        if settling == 0 {
            samples.extend(own);
        } else if level(&own) > 0.3 {
            settling -= 1;
        }
        if samples.len() >= MEASURED_FRAMES * rate_hz as usize / 100 {
            let purity = purity(&samples, frequency_hz, rate_hz);
            if purity > best.purity {
                best = Heard { purity, level: level(&samples) };
            }
            samples.clear();
            measured += 1;
        }
    }
    best
}

/// The root of the mean square, against that of a tone as it is sent.
pub(crate) fn level(samples: &[i16]) -> f64 {
    let energy: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (energy / samples.len().max(1) as f64).sqrt() / (AMPLITUDE / 2_f64.sqrt())
}

/// The share of the energy that is the tone. Where sound has to catch up, it runs a little faster
/// or slower, and the tone is a little higher or lower for as long.
fn purity(samples: &[i16], frequency_hz: f64, rate_hz: u32) -> f64 {
    let exact = purity_at(samples, frequency_hz, rate_hz);
    if exact >= PURE {
        return exact;
    }
    let shifted = |per_mille: i32| frequency_hz * (1.0 + f64::from(per_mille) / 1_000.0);
    let near = (-12..=12).map(|by| purity_at(samples, shifted(by), rate_hz));
    near.fold(exact, f64::max)
}

/// The share of the energy that is a tone of that frequency, in windows of 100 ms.
fn purity_at(samples: &[i16], frequency_hz: f64, rate_hz: u32) -> f64 {
    let step = TAU * frequency_hz / f64::from(rate_hz);
    let (mut tone, mut all) = (0.0, 0.0);
    for window in samples.chunks_exact(rate_hz as usize / 10) {
        let (mut sine, mut cosine) = (0.0, 0.0);
        for (k, &sample) in window.iter().enumerate() {
            let (sin, cos) = (step * k as f64).sin_cos();
            sine += f64::from(sample) * sin;
            cosine += f64::from(sample) * cos;
            all += f64::from(sample).powi(2);
        }
        tone += 2.0 * (sine * sine + cosine * cosine) / window.len() as f64;
    }
    if all > 0.0 { tone / all } else { 0.0 }
}
