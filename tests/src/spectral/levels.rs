//! The levels of a sound's bands, frame by frame.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

use crate::sound::Sound;

/// The length of a frame: long enough for a voice's pitch, short enough for a lost packet.
const FRAME_MS: u32 = 30;

/// The bands, from [`LOWEST_HZ`] to [`HIGHEST_HZ`].
const BANDS: usize = 26;
const LOWEST_HZ: f64 = 80.0;
const HIGHEST_HZ: f64 = 7_000.0;

/// The levels of a frame's bands in dB.
pub(super) type Levels = [f64; BANDS];

/// Of each band the louder of two levels.
pub(super) fn louder(a: &Levels, b: &Levels) -> Levels {
    std::array::from_fn(|band| a[band].max(b[band]))
}

/// The root of the mean square of the bands' differences.
pub(super) fn difference(a: &Levels, b: &Levels) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (squares / BANDS as f64).sqrt()
}

/// The levels of all frames, of which `per_s` begin in a second.
pub(super) fn levels(sound: &Sound, per_s: u32) -> Vec<Levels> {
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
