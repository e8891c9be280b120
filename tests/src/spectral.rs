//! How far received speech is from what was sent, in dB.
//!
//! Both are cut into overlapping frames, and each frame becomes the levels of bands as wide as the
//! ear's (mel). The received frames are put beside the sent ones by dynamic time warping, since a
//! jitter buffer moves speech in time and nobody hears that; what remains is the root mean square
//! of the bands' differences, averaged over the frames in which the sender speaks.
//!
//! ```text
//! sent      |--30 ms--|            every 10 ms   ─┐ levels of 26 bands
//! received  |--30 ms--|            every 2 ms    ─┴ coarse delay → warping → mean difference
//! ```

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

use crate::sound::Sound;

/// The length of a frame: long enough for a voice's pitch, short enough for a lost packet.
const FRAME_MS: u32 = 30;

/// Frames of the sent sound per second.
const SENT_PER_S: u32 = 100;

/// Received frames for each sent one: they are put together to 2 ms.
const FINE: usize = 5;

/// The bands, from [`LOWEST_HZ`] to [`HIGHEST_HZ`].
const BANDS: usize = 26;
const LOWEST_HZ: f64 = 80.0;
const HIGHEST_HZ: f64 = 7_000.0;

/// Below the loudest band by as much nothing is heard: quieter is as good as this.
const RANGE_DB: f64 = 55.0;

/// A frame is speech where its loudest band is within as much of the loudest of all.
const SPEECH_DB: f64 = 35.0;

/// How far the warping may go from the coarse delay, in received frames: 120 ms.
const REACH: usize = 60;

/// What a received frame more or less than [`FINE`] from one sent frame to the next costs in dB, so
/// that it is done for a reason.
const WARP_DB: f64 = 1.6;

/// The levels of a frame's bands in dB.
type Levels = [f64; BANDS];

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// The mean difference of a speech frame's bands in dB; 0 for what is the same.
    pub db: f64,
    /// How much later than the sent sound the received one begins, in ms.
    pub delay_ms: f64,
}

/// Compares what was received with what was sent. The received sound may begin earlier and end
/// later; what of the sent sound is not in it counts as silence.
///
/// # Panics
/// Where the rates differ, or the sent sound has no speech.
pub fn distance(sent: &Sound, received: &Sound) -> Distance {
    assert_eq!(sent.rate_hz, received.rate_hz, "both are at the same rate");
    let [mut sent_levels, mut heard] =
        [(sent, SENT_PER_S), (received, SENT_PER_S * FINE as u32)].map(|it| levels(it.0, it.1));
    let peak = sent_levels.iter().flatten().copied().fold(f64::MIN, f64::max);
    for level in sent_levels.iter_mut().chain(&mut heard).flatten() {
        *level = level.max(peak - RANGE_DB);
    }
    let silence = [peak - RANGE_DB; BANDS];
    let speaks = |frame: &Levels| frame.iter().any(|&level| level > peak - SPEECH_DB);
    let speech: Vec<bool> = sent_levels.iter().map(speaks).collect();
    assert!(speech.contains(&true), "something is said");
    let delay = delay(&sent_levels, &heard, peak - RANGE_DB);
    let cost = |frame: usize, at: isize| {
        let other = usize::try_from(at).ok().and_then(|at| heard.get(at)).unwrap_or(&silence);
        if speech[frame] { difference(&sent_levels[frame], other) } else { 0.0 }
    };
    let total = warped(sent_levels.len(), delay, cost);
    let count = speech.iter().filter(|&&speech| speech).count();
    let step_ms = 1_000.0 / f64::from(SENT_PER_S) / FINE as f64;
    Distance { db: total / count as f64, delay_ms: delay as f64 * step_ms }
}

/// The root of the mean square of the bands' differences.
fn difference(a: &Levels, b: &Levels) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (squares / BANDS as f64).sqrt()
}

/// The levels of all frames.
fn levels(sound: &Sound, per_s: u32) -> Vec<Levels> {
    let length = (sound.rate_hz * FRAME_MS / 1_000) as usize;
    let step = (sound.rate_hz / per_s) as usize;
    let transform = RealFftPlanner::<f64>::new().plan_fft_forward(length);
    let (mut frame, mut spectrum) = (transform.make_input_vec(), transform.make_output_vec());
    let edges = edges(sound.rate_hz, length);
    let window: Vec<f64> = (0..length)
        .map(|n| (std::f64::consts::PI * (n as f64 + 0.5) / length as f64).sin().powi(2))
        .collect();
    let frames = sound.samples.windows(length).step_by(step);
    let level = |samples: &[i16]| {
        for ((place, sample), window) in frame.iter_mut().zip(samples).zip(&window) {
            *place = f64::from(*sample) * window;
        }
        transform.process(&mut frame, &mut spectrum).expect("the buffers are of its own size");
        bands(&spectrum, &edges)
    };
    frames.map(level).collect()
}

/// The first bin of each band, and the end of the last: evenly spread over the mel scale.
fn edges(rate_hz: u32, length: usize) -> [usize; BANDS + 1] {
    let mel = |hz: f64| 2_595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f64| 700.0 * (10_f64.powf(mel / 2_595.0) - 1.0);
    let (lowest, highest) = (mel(LOWEST_HZ), mel(HIGHEST_HZ.min(f64::from(rate_hz) / 2.0)));
    let mut edges = [0; BANDS + 1];
    for (number, edge) in edges.iter_mut().enumerate() {
        let mel = lowest + (highest - lowest) * number as f64 / BANDS as f64;
        *edge = (hz(mel) * length as f64 / f64::from(rate_hz)).round() as usize;
    }
    for number in 1..=BANDS {
        edges[number] = edges[number].max(edges[number - 1] + 1);
    }
    edges
}

fn bands(spectrum: &[Complex<f64>], edges: &[usize; BANDS + 1]) -> Levels {
    let mut levels = [0.0; BANDS];
    for (level, edge) in levels.iter_mut().zip(edges.windows(2)) {
        let bins = &spectrum[edge[0]..edge[1]];
        let energy: f64 = bins.iter().map(Complex::norm_sqr).sum();
        *level = 10.0 * (energy / bins.len() as f64 + 1e-9).log10();
    }
    levels
}

/// The delay, in received frames, at which the loudness of both goes together best.
fn delay(sent: &[Levels], received: &[Levels], floor: f64) -> isize {
    let loudness = |frame: &Levels| frame.iter().map(|level| level - floor).sum::<f64>();
    let sent: Vec<f64> = sent.iter().map(loudness).collect();
    let received: Vec<f64> = received.iter().map(loudness).collect();
    let fits = |delay: isize| -> f64 {
        let place = |n: usize| usize::try_from(delay + (n * FINE) as isize).ok();
        let heard = |n| place(n).and_then(|at| received.get(at)).copied().unwrap_or(0.0);
        sent.iter().enumerate().map(|(n, sent)| -(sent - heard(n)).abs()).sum()
    };
    let best = |delays: &mut dyn Iterator<Item = isize>| {
        let found = delays.map(|delay| (fits(delay), delay)).max_by(|a, b| a.0.total_cmp(&b.0));
        found.expect("there are delays").1
    };
    // First in steps of the sent frames, then around the best of them.
    let longest = received.len().saturating_sub(sent.len() * FINE) + REACH;
    let coarse = best(&mut (-(REACH as isize)..longest as isize).step_by(FINE));
    let around = FINE as isize;
    best(&mut (coarse - around..=coarse + around))
}

/// The least cost over all ways to walk through the received frames with the sent ones: at each
/// step none to two times [`FINE`] of them are passed. Warping costs are not part of the result.
fn warped(frames: usize, delay: isize, cost: impl Fn(usize, isize) -> f64) -> f64 {
    const WIDTH: usize = 2 * REACH + 1;
    // Of the best way to each place: what it costs with and without warping.
    let place = |frame: usize, slot: usize| {
        delay + (frame * FINE) as isize + slot as isize - REACH as isize
    };
    let start = |slot| (cost(0, place(0, slot)), cost(0, place(0, slot)));
    let mut ways: Vec<(f64, f64)> = (0..WIDTH).map(start).collect();
    for frame in 1..frames {
        let next = |slot: usize| {
            // Slots move along by `FINE` with each frame, so an equal slot means an even step.
            let from = slot.saturating_sub(FINE)..=(slot + FINE).min(WIDTH - 1);
            let reach = |from: usize| {
                let (with, without) = ways[from];
                (with + WARP_DB * from.abs_diff(slot) as f64, without)
            };
            let best = from.map(reach).min_by(|a, b| a.0.total_cmp(&b.0));
            let (with, without) = best.expect("a slot has neighbours");
            let here = cost(frame, place(frame, slot));
            (with + here, without + here)
        };
        ways = (0..WIDTH).map(next).collect();
    }
    ways.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).expect("there are slots").1
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;
    use crate::workspace;

    static SPEECH: LazyLock<Sound> = LazyLock::new(|| {
        let path = workspace::root().join("pipelines/clinic/demo/agent-greeting.wav");
        Sound::read(&path).remove(0)
    });

    fn changed(change: impl Fn(usize, i16) -> i16) -> Sound {
        let samples = SPEECH.samples.iter().enumerate().map(|(n, &sample)| change(n, sample));
        Sound { samples: samples.collect(), ..*SPEECH }
    }

    fn db(received: &Sound) -> f64 {
        distance(&SPEECH, received).db
    }

    /// Each packet of 20 ms is silent with the probability `loss`.
    fn with_losses(loss: f64) -> Sound {
        let mut random = StdRng::seed_from_u64(1);
        let lost: Vec<bool> = (0..1_000).map(|_| random.random_bool(loss)).collect();
        let packet = SPEECH.samples_in(20);
        changed(|n, sample| if lost[n / packet] { 0 } else { sample })
    }

    #[test]
    fn the_same_sound_has_no_distance() {
        assert_eq!(distance(&SPEECH, &SPEECH), Distance { db: 0.0, delay_ms: 0.0 });
    }

    #[test]
    fn a_delay_is_no_difference() {
        let found = distance(&SPEECH, &SPEECH.after_silence(1_234));
        assert!(found.db < 0.2, "{found:?}");
        assert!((found.delay_ms - 1_234.0).abs() < 2.1, "{found:?}");
    }

    #[test]
    fn speech_that_jumps_by_60_ms_in_its_middle_is_warped() {
        let middle = SPEECH.samples.len() / 2;
        let mut samples = SPEECH.samples.clone();
        let jump = vec![0; SPEECH.samples_in(60)];
        samples.splice(middle..middle, jump);
        let found = db(&Sound { samples, ..*SPEECH });
        assert!(found < 0.7, "{found}");
    }

    #[test]
    fn more_noise_is_more_distance() {
        let noisy = |level: f64| {
            let mut random = StdRng::seed_from_u64(2);
            let noise: Vec<f64> =
                SPEECH.samples.iter().map(|_| random.random_range(-level..level)).collect();
            db(&changed(|n, sample| (f64::from(sample) + noise[n]) as i16))
        };
        let found = [3.0, 30.0, 300.0, 3_000.0].map(noisy);
        assert!(found.is_sorted() && found[0] < 2.0 && found[3] > 10.0, "{found:?}");
    }

    #[test]
    fn more_loss_is_more_distance() {
        let found = [0.02, 0.05, 0.15, 0.4, 1.0].map(|loss| db(&with_losses(loss)));
        assert!(found.is_sorted(), "{found:?}");
        assert!(found[0] > 0.05 && found[1] < found[2] / 2.0 && found[4] > 15.0, "{found:?}");
    }

    #[test]
    fn half_as_loud_is_6_db() {
        let found = db(&changed(|_, sample| sample / 2));
        assert!((4.5..6.5).contains(&found), "{found}");
    }
}
