//! What is decoded on its way out: untouched while the delay is right, and a little shorter or
//! longer while it is not.
//!
//! A pause loses or gains a frame at once, blended at its seams. Sound that goes on runs faster or
//! slower by a fraction: it is read between its samples through a windowed sinc, until the delay is
//! right and the reading stands on a whole sample again. From then on it is copied.

use std::f32::consts::PI;
use std::sync::OnceLock;

use super::super::clock::{FRAME, ms};
use super::super::level::below_overload;
use super::stats::Stats;

/// What is below this level, in dB below overload, is a pause.
const PAUSE_DBOV: u8 = 50;

/// A pause is shortened or lengthened when the delay is off by this.
const PAUSE_ERROR: f32 = ms(10) as f32;

/// Sound runs faster when it is later than it should be by this: not sooner, since a pause may
/// come.
const FAST_ERROR: f32 = ms(30) as f32;

/// Sound runs slower when it is sooner than it should be by this.
const SLOW_ERROR: f32 = ms(8) as f32;

/// From here on the correction is the quicker one.
const LARGE_ERROR: f32 = ms(60) as f32;

/// The error is the mean over about so many frames: a consumer's timer is not exact.
const SMOOTHING: f32 = 64.0;

/// Points between two samples. One per sample is 0.2 %, or 3.5 cents, and brings back 2 ms in each
/// second, ten times what clocks that differ by 200 ppm need.
const POINTS: usize = 500;

/// Points per sample for small and large errors: 0.2 % and 1 %. Both divide [`POINTS`].
const GENTLE: i32 = 1;
const QUICK: i32 = 5;

/// Half the length of the filter.
const REACH: usize = 8;

/// More than a frame consumes beyond its length when it runs fast, and what the filter looks at.
const SPARE: usize = FRAME / 100 + 1 + REACH;

type Taps = [f32; 2 * REACH];

/// Sound that waits to be handed out, and how it is read.
#[derive(Debug)]
pub(super) struct Output {
    /// Interleaved. The first [`REACH`] moments have been read; the filter looks back at them.
    queue: Vec<i16>,
    channels: usize,
    /// Where between two samples the next one is read.
    point: usize,
    /// By how many points each sample is read too far.
    pace: i32,
    /// The mean of how much too late sound is played; `None` while nothing is.
    error: Option<f32>,
}

impl Output {
    pub(super) fn new(channels: usize) -> Self {
        let queue = vec![0; REACH * channels];
        Self { queue, channels, point: 0, pace: 0, error: None }
    }

    /// Where sound is appended.
    pub(super) fn queue(&mut self) -> &mut Vec<i16> {
        &mut self.queue
    }

    /// Samples per channel that were not handed out yet.
    pub(super) fn unplayed(&self) -> usize {
        self.queue.len() / self.channels - REACH
    }

    /// How many of them the next frame takes.
    pub(super) fn needs(&self) -> usize {
        if self.error.is_some_and(|error| error > PAUSE_ERROR) {
            2 * FRAME
        } else if self.pace != 0 || self.point != 0 {
            FRAME + SPARE
        } else {
            FRAME
        }
    }

    /// How much too late sound is played, as far as is known.
    pub(super) fn error(&self) -> Option<i64> {
        self.error.map(|error| error as i64)
    }

    /// Notes how much too late the next frame is; `None` where that has no meaning.
    pub(super) fn note(&mut self, error: Option<i64>) {
        self.error = error.map(|error| {
            let error = error as f32;
            self.error.map_or(error, |before| before + (error - before) / SMOOTHING)
        });
        self.pace = self.choose_pace();
    }

    /// Appends one frame to `out`.
    pub(super) fn take(&mut self, out: &mut Vec<i16>, stats: &mut Stats) {
        let consumed = match self.pause_step() {
            Some(Pause::Shorten) => self.shorten(out),
            Some(Pause::Lengthen) => self.lengthen(out),
            None if self.point == 0 && (self.pace == 0 || !self.may_run()) => self.copy(out),
            None => self.read(out),
        };
        stats.played += FRAME as u64;
        stats.removed += consumed.saturating_sub(FRAME) as u64;
        stats.inserted += FRAME.saturating_sub(consumed) as u64;
        if let Some(error) = &mut self.error {
            *error -= consumed as f32 - FRAME as f32;
        }
        self.queue.drain(..consumed * self.channels);
    }

    /// Whether what the filter looks at is here.
    fn may_run(&self) -> bool {
        self.unplayed() >= FRAME + SPARE
    }

    fn choose_pace(&self) -> i32 {
        let Some(error) = self.error else { return 0 };
        let size = error.abs();
        let is_running = self.pace != 0 && (self.pace > 0) == (error > 0.0);
        let begins = !(-SLOW_ERROR..=FAST_ERROR).contains(&error);
        let quick = if size > LARGE_ERROR { QUICK } else { GENTLE };
        let direction = if error > 0.0 { 1 } else { -1 };
        if is_running || begins { quick * direction } else { 0 }
    }

    /// Whether a pause is at hand that should be another length.
    fn pause_step(&self) -> Option<Pause> {
        let error = self.error.filter(|_| self.point == 0 && self.unplayed() >= 2 * FRAME)?;
        let pause = match error {
            late if late > PAUSE_ERROR => Pause::Shorten,
            late if late < -PAUSE_ERROR => Pause::Lengthen,
            _ => return None,
        };
        let next = &self.queue[REACH * self.channels..][..2 * FRAME * self.channels];
        (below_overload(next) >= PAUSE_DBOV).then_some(pause)
    }

    fn copy(&self, out: &mut Vec<i16>) -> usize {
        let from = REACH * self.channels;
        out.extend_from_slice(&self.queue[from..from + FRAME * self.channels]);
        FRAME
    }

    /// Two frames become one that begins as the first and ends as the second.
    fn shorten(&self, out: &mut Vec<i16>) -> usize {
        let (first, second) = self.next_two();
        blend(first, second, self.channels, out);
        2 * FRAME
    }

    /// One frame becomes two. The first is handed out now; what takes its place in the queue begins
    /// as what follows it and ends as itself, so that both seams fit.
    fn lengthen(&mut self, out: &mut Vec<i16>) -> usize {
        let (first, second) = self.next_two();
        out.extend_from_slice(first);
        let mut between = Vec::with_capacity(first.len());
        blend(second, first, self.channels, &mut between);
        let from = REACH * self.channels;
        self.queue[from..from + between.len()].copy_from_slice(&between);
        0
    }

    fn next_two(&self) -> (&[i16], &[i16]) {
        let length = FRAME * self.channels;
        self.queue[REACH * self.channels..][..2 * length].split_at(length)
    }

    /// Reads a frame between the samples; gives how many it went over.
    fn read(&mut self, out: &mut Vec<i16>) -> usize {
        let taps = taps();
        // To come to rest on a whole sample, the last steps are the small ones.
        let pace =
            if self.pace == 0 { if self.point > POINTS / 2 { 1 } else { -1 } } else { self.pace };
        let (mut at, mut made) = (REACH, 0);
        while made < FRAME {
            self.read_moment(at, &taps[self.point], out);
            made += 1;
            let is_done = self.pace == 0 && self.point == 0;
            let step = if is_done { 0 } else { pace };
            let next = (self.point + POINTS).strict_add_signed(step as isize);
            (at, self.point) = (at + next / POINTS, next % POINTS);
        }
        at - REACH
    }

    fn read_moment(&self, at: usize, taps: &Taps, out: &mut Vec<i16>) {
        let from = (at + 1 - REACH) * self.channels;
        for channel in 0..self.channels {
            let samples = self.queue[from + channel..].iter().step_by(self.channels);
            let sum: f32 = samples.zip(taps).map(|(&sample, tap)| f32::from(sample) * tap).sum();
            out.push(sum.round() as i16);
        }
    }
}

enum Pause {
    Shorten,
    Lengthen,
}

/// Appends what begins as `from` and ends as `to`.
fn blend(from: &[i16], to: &[i16], channels: usize, out: &mut Vec<i16>) {
    let blended = from.iter().zip(to).enumerate().map(|(index, (&from, &to))| {
        let share = (index / channels) as f32 / FRAME as f32;
        (f32::from(from) * (1.0 - share) + f32::from(to) * share).round() as i16
    });
    out.extend(blended);
}

/// The filter at each point between two samples; at the first it is the sample itself.
fn taps() -> &'static [Taps] {
    static TAPS: OnceLock<Vec<Taps>> = OnceLock::new();
    TAPS.get_or_init(|| (0..POINTS).map(|point| taps_at(point as f32 / POINTS as f32)).collect())
}

fn taps_at(place: f32) -> Taps {
    let mut taps = [0.0; 2 * REACH];
    for (index, tap) in taps.iter_mut().enumerate() {
        let from = index as f32 - (REACH - 1) as f32 - place;
        *tap = sinc(from) * window(from / REACH as f32);
    }
    let sum: f32 = taps.iter().sum();
    taps.map(|tap| tap / sum)
}

fn sinc(x: f32) -> f32 {
    if x.abs() < 1e-6 {
        1.0
    } else if x.fract() == 0.0 {
        0.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// Blackman's window, from -1.0 to 1.0.
fn window(x: f32) -> f32 {
    if x.abs() >= 1.0 { 0.0 } else { 0.42 + 0.5 * (PI * x).cos() + 0.08 * (2.0 * PI * x).cos() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imp::audio::tests::tone::{Tone, purity};

    /// Hands a tone through with an error that the correction itself works off.
    fn corrected(amplitude: f64, late: i64, frames: usize) -> (Vec<i16>, Stats, i64) {
        let mut output = Output::new(1);
        let mut tone = Tone::new(440.0, 48_000, amplitude);
        let (mut out, mut stats) = (Vec::new(), Stats::default());
        for _ in 0..frames {
            while output.unplayed() < output.needs().max(2 * FRAME) {
                output.queue().extend(tone.take(FRAME));
            }
            let worked_off = stats.removed as i64 - stats.inserted as i64;
            output.note(Some(late - worked_off));
            output.take(&mut out, &mut stats);
        }
        let left = late - (stats.removed as i64 - stats.inserted as i64);
        (out, stats, left)
    }

    #[test]
    fn what_is_in_time_is_untouched() {
        let (out, stats, _) = corrected(10_000.0, ms(5), 500);
        assert_eq!(out, Tone::new(440.0, 48_000, 10_000.0).take(500 * FRAME));
        assert_eq!((stats.removed, stats.inserted), (0, 0));
    }

    #[test]
    fn sound_that_goes_on_is_corrected_without_a_mark() {
        for late in [ms(35), -ms(35)] {
            let (out, stats, left) = corrected(10_000.0, late, 3_000);
            assert!(left.abs() < ms(2), "{late} late, {left} left after {stats:?}");
            let pure = purity(&out, 440.0, 48_000);
            // Within a window of 100 ms, 0.2 % are seen as a phase that turns.
            assert!(pure > 0.98, "{late} late: {pure}");
            let leap = out.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max();
            assert!(leap < Some(600), "{late} late: {leap:?}");
            let end = purity(&out[2_900 * FRAME..], 440.0, 48_000);
            assert!(end > 0.9999, "{late} late, corrected: {end}");
        }
    }

    #[test]
    fn a_pause_is_corrected_at_once() {
        for late in [ms(100), -ms(100)] {
            let (out, _, left) = corrected(30.0, late, 40);
            assert!(left.abs() <= ms(10), "{late} late: {left} left");
            let leap = out.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max();
            assert!(leap < Some(8), "{late} late: {leap:?}");
        }
    }

    #[test]
    fn the_filter_is_the_sample_itself_at_a_sample() {
        let taps = taps();
        assert_eq!(taps[0][REACH - 1], 1.0);
        assert_eq!(taps[0].iter().filter(|tap| tap.abs() > 0.0).count(), 1);
    }
}
