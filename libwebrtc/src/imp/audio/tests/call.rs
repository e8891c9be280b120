//! One direction of a call: a source that sends, a network, a buffer that is listened to.

use std::time::Duration;

use super::super::jitter::{Arrival, JitterBuffer, Stats};
use super::super::source::{Packet, Settings, Source};
use super::network::{Conditions, Network};

/// The header of RTP over UDP over IPv4, which a link carries too.
const HEADER_BYTES: usize = 12 + 8 + 20;

/// How often the receiver reports loss to the sender.
const REPORT: Duration = Duration::from_secs(1);

const FRAME: Duration = Duration::from_millis(10);

/// A call to be made.
pub(super) struct Call {
    pub(super) seed: u64,
    pub(super) conditions: Conditions,
    pub(super) packet: Duration,
    pub(super) dtx: bool,
    /// By how much the sender's clock runs faster than the receiver's.
    pub(super) drift_ppm: f64,
    pub(super) length: Duration,
}

/// What was heard of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Heard {
    /// Mono at 48 kHz, from the beginning of the call.
    pub(super) samples: Vec<i16>,
    /// At the end of each frame.
    pub(super) stats: Vec<Stats>,
}

impl Heard {
    /// The samples in a stretch of time.
    pub(super) fn between(&self, from: Duration, to: Duration) -> &[i16] {
        let at = |time: Duration| (time.as_millis() * 48) as usize;
        &self.samples[at(from)..at(to).min(self.samples.len())]
    }

    /// The counts at a time.
    pub(super) fn at(&self, time: Duration) -> Stats {
        let frame = (time.as_millis() / 10) as usize;
        self.stats[frame.min(self.stats.len() - 1)]
    }

    /// The counts at the end.
    pub(super) fn end(&self) -> Stats {
        *self.stats.last().expect("a call has a frame")
    }
}

/// Prints the seed of a run that fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SEED={}", self.0);
        }
    }
}

/// Runs `test` with each of a few seeds, or with the one that `SEED=7 cargo test` names.
pub(crate) fn with_seeds(test: impl Fn(u64)) {
    with_many_seeds(3, test);
}

/// Runs `test` with each of so many seeds, or of as many as `SEEDS=200 cargo test` says, or with
/// the one that `SEED` names.
pub(crate) fn with_many_seeds(count: u64, test: impl Fn(u64)) {
    let number = |text: &str| text.parse::<u64>().expect("SEED and SEEDS are numbers");
    let seeds = match (option_env!("SEED"), option_env!("SEEDS")) {
        (Some(seed), _) => number(seed)..=number(seed),
        (None, many) => 1..=many.map_or(count, number),
    };
    for seed in seeds {
        let guard = Seed(seed);
        test(seed);
        drop(guard);
    }
}

impl Call {
    pub(super) fn new(seed: u64, conditions: Conditions) -> Self {
        Self {
            seed,
            conditions,
            packet: Duration::from_millis(20),
            dtx: false,
            drift_ppm: 0.0,
            length: Duration::from_secs(20),
        }
    }

    /// Makes the call with sound that `speak` gives for each number of samples.
    pub(super) fn run(self, speak: impl FnMut(usize) -> Vec<i16>) -> Heard {
        let length = self.length;
        let mut line = Line::new(&self, speak);
        while line.heard.samples.len() < (length.as_millis() * 48) as usize {
            line.step();
        }
        line.heard
    }
}

/// A call that goes on.
struct Line<S> {
    speak: S,
    source: Source,
    network: Network<(u16, Packet)>,
    buffer: JitterBuffer,
    heard: Heard,
    sequence: u16,
    /// How much the sender has recorded, and how much longer that took by the receiver's clock.
    recorded: Duration,
    stretch: f64,
    frame: Duration,
    next_pull: Duration,
    next_report: Duration,
    reported: Stats,
}

impl<S: FnMut(usize) -> Vec<i16>> Line<S> {
    fn new(call: &Call, speak: S) -> Self {
        let settings = Settings {
            rate_hz: 48_000,
            channels: 1,
            queue: Duration::ZERO,
            packet: call.packet,
            bitrate_bps: 32_000,
            dtx: call.dtx,
            first_timestamp: u32::MAX - 48_000,
        };
        Self {
            speak,
            source: Source::new(settings).unwrap(),
            network: Network::new(call.conditions.clone(), call.seed),
            buffer: JitterBuffer::new(1).unwrap(),
            heard: Heard { samples: Vec::new(), stats: Vec::new() },
            sequence: u16::MAX - 100,
            recorded: Duration::ZERO,
            stretch: 1.0 / (1.0 + call.drift_ppm / 1e6),
            frame: FRAME,
            next_pull: Duration::ZERO,
            next_report: REPORT,
            reported: Stats::default(),
        }
    }

    /// Does what comes first: the sender's next frame, an arrival, or the receiver's.
    fn step(&mut self) {
        let recorded_at = (self.recorded + self.frame).mul_f64(self.stretch);
        let arrives_at = self.network.next_arrival().unwrap_or(Duration::MAX);
        if arrives_at <= recorded_at && arrives_at <= self.next_pull {
            self.arrive(arrives_at);
        } else if recorded_at <= self.next_pull {
            self.record(recorded_at);
        } else {
            self.pull();
        }
    }

    fn record(&mut self, now: Duration) {
        self.recorded += self.frame;
        let sound = (self.speak)(480);
        assert_eq!(self.source.offer(&sound).unwrap(), sound.len());
        while let Some(packet) = self.source.poll(self.recorded).unwrap() {
            let bytes = packet.payload.len() + HEADER_BYTES;
            self.network.send((self.sequence, packet), bytes, now);
            self.sequence = self.sequence.wrapping_add(1);
        }
    }

    fn arrive(&mut self, now: Duration) {
        while let Some((sequence, packet)) = self.network.receive(now) {
            let Packet { timestamp, payload, .. } = packet;
            self.buffer.push(Arrival { sequence, timestamp, payload: &payload }, now);
        }
    }

    fn pull(&mut self) {
        self.buffer.pull(self.next_pull, &mut self.heard.samples);
        let stats = self.buffer.stats();
        self.heard.stats.push(stats);
        if self.next_pull >= self.next_report {
            let lost = stats.lost as f32 - self.reported.lost as f32;
            let all = lost + (stats.received - self.reported.received) as f32;
            self.source.report((lost / all.max(1.0)).max(0.0)).unwrap();
            (self.reported, self.next_report) = (stats, self.next_report + REPORT);
        }
        self.next_pull += FRAME;
    }
}
