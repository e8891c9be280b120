//! What is played next: a packet, what restores or conceals one that is missing, or silence.
//!
//! A position on the sender's clock moves on with what is played, and never back. Two kinds of
//! missing are kept apart. Where later packets are here, the missing one is lost: sound is made up
//! for it and the position moves on. Where nothing is here, the network has stalled: sound is made
//! up and the position stays, so that what comes late is still played, and the delay has grown by
//! as much as was needed.
//!
//! ```text
//!            first packet is due                    nothing is here
//!  Resting ──────────────────────► Playing ◄──────────────────────► Stalled
//!     ▲                               │ the sender pauses (DTX)         │ too long
//!     └───────────────────────────────┴─────────────────────────────────┘
//! ```

use super::super::clock::{FRAME, ms};
use super::super::opus::{CONCEALED, Decode, Error};
use super::super::packet;
use super::fade::{FALL, Fade, STOP, Toward};
use super::intake::Intake;
use super::sequence::Packet;
use super::stats::Stats;

/// A network that is silent for longer is not waited for: the next packet begins anew.
const STALL_LIMIT: i64 = ms(300);

/// Made-up sound keeps its volume for so long, and is gone [`FALL`] later.
const HOLD: i64 = ms(60);

/// A longer gap in the stream is left out rather than made up for.
const GAP_LIMIT: i64 = ms(1_000);

/// Sound that is so much too late is thrown away rather than caught up with.
const EXCESS_LIMIT: i64 = ms(250);

/// Noise of a pause ends when the sender says nothing for so long; it does so every 400 ms (RFC
/// 6716, section 2.1.9).
const COMFORT_LIMIT: i64 = ms(1_000);

const STEP: i64 = FRAME as i64;

/// What was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// A packet.
    Packet,
    /// A missing packet, from the one after.
    Restored,
    /// Made up for a missing packet.
    Concealed,
    /// Made up while nothing comes; the position stays.
    Stalled,
    /// A pause of the sender; the position stays.
    Rest,
}

/// A piece of sound that was appended, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Played {
    pub(super) sound: Sound,
    pub(super) from: i64,
    pub(super) samples: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Until the next packet is due; for so long.
    Resting(i64),
    Playing,
    /// For so long.
    Stalled(i64),
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Rest,
    Begin,
    Play,
    Restore { whole: i64, gap: i64 },
    Conceal(i64),
    Stall,
    Wait,
}

/// Plays what has come.
#[derive(Debug)]
pub(super) struct Timeline<D> {
    decoder: D,
    channels: usize,
    fade: Fade,
    state: State,
    position: i64,
    /// The number of the packet after the one that was played last.
    expected: i64,
    /// The packet that was played last only said that the sender is silent.
    in_dtx: bool,
    /// How much was made up in a row.
    made_up: i64,
    /// How long a missing packet has been waited for beside later ones.
    waited: i64,
    decoded: Vec<i16>,
}

impl<D: Decode> Timeline<D> {
    pub(super) fn new(decoder: D, channels: usize) -> Self {
        Self {
            decoder,
            channels,
            fade: Fade::new(),
            state: State::Resting(0),
            position: i64::MIN,
            expected: 0,
            in_dtx: false,
            made_up: 0,
            waited: 0,
            decoded: Vec::new(),
        }
    }

    /// The sample after the last that was played.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// Whether sound goes on from the position.
    pub(super) fn is_playing(&self) -> bool {
        self.state == State::Playing
    }

    /// Appends the next piece to `out`, at least one sample, which is heard at `at`.
    pub(super) fn advance(
        &mut self,
        intake: &mut Intake,
        at: i64,
        out: &mut Vec<i16>,
        stats: &mut Stats,
    ) -> Played {
        intake.expire(self.position, stats);
        self.absorb(intake, at);
        self.skip(intake, at, stats);
        let step = self.decide(intake, at);
        self.decoded.clear();
        let played = self.carry_out(step, intake, stats);
        out.extend_from_slice(&self.decoded);
        played
    }

    /// Leaves out what is far too late.
    fn skip(&mut self, intake: &mut Intake, at: i64, stats: &mut Stats) {
        let mut skipped = intake.skip(at, EXCESS_LIMIT, stats);
        let Some(front) = intake.front() else { return };
        let limit = intake.target() + EXCESS_LIMIT;
        let is_behind = self.is_playing() && front.timestamp > self.position;
        skipped |= is_behind && self.delay(intake, at) > Some(limit);
        if skipped {
            self.position = self.position.max(front.timestamp);
            self.expected = front.sequence;
            self.fade.cut();
        }
    }

    /// What was made up while nothing came stands for what then turns out to be lost, unless the
    /// delay has to grow anyway.
    fn absorb(&mut self, intake: &Intake, at: i64) {
        let (State::Stalled(stalled), Some(front)) = (self.state, intake.front()) else { return };
        let gap = front.timestamp - self.position;
        if gap > 0 && front.sequence != self.expected {
            let surplus = self.delay(intake, at).map_or(0, |delay| delay - intake.target());
            self.position += stalled.min(gap).min(surplus.max(0));
        }
        self.state = State::Playing;
    }

    fn delay(&self, intake: &Intake, at: i64) -> Option<i64> {
        (self.position != i64::MIN).then(|| intake.delay_of(self.position, at)).flatten()
    }

    fn decide(&self, intake: &Intake, at: i64) -> Step {
        let Some(front) = intake.front() else { return self.decide_on_nothing() };
        let is_due = intake.delay_of(front.timestamp, at) >= Some(intake.target());
        if matches!(self.state, State::Resting(_)) {
            return if is_due { Step::Begin } else { Step::Rest };
        }
        let gap = front.timestamp - self.position;
        if gap <= 0 {
            return Step::Play;
        }
        if front.sequence == self.expected || gap > GAP_LIMIT {
            return if is_due { Step::Begin } else { Step::Rest };
        }
        let target = intake.target();
        let may_wait = self.waited + STEP <= target;
        if may_wait && self.delay(intake, at).is_some_and(|delay| delay + STEP <= target) {
            return Step::Wait;
        }
        match packet::restorable(&front.payload) as i64 {
            whole if whole >= gap => Step::Restore { whole, gap },
            whole => Step::Conceal((gap - whole).min(CONCEALED as i64)),
        }
    }

    fn decide_on_nothing(&self) -> Step {
        match self.state {
            State::Resting(_) => Step::Rest,
            _ if self.in_dtx => Step::Rest,
            State::Stalled(stalled) if stalled >= STALL_LIMIT => Step::Rest,
            State::Stalled(_) | State::Playing => Step::Stall,
        }
    }

    fn carry_out(&mut self, step: Step, intake: &mut Intake, stats: &mut Stats) -> Played {
        match step {
            Step::Rest => self.rest(),
            Step::Begin => {
                let front = intake.front().expect("what begins is a packet that is here");
                self.position = self.position.max(front.timestamp);
                self.expected = front.sequence;
                self.play(intake, stats)
            }
            Step::Play => self.play(intake, stats),
            Step::Restore { whole, gap } => {
                let front = intake.front().expect("what restores is a packet that is here");
                match self.restore(&front.payload, whole, gap) {
                    Ok(()) => self.moved(Sound::Restored, gap, stats),
                    Err(_) => self.conceal(gap.min(STEP), stats),
                }
            }
            Step::Conceal(samples) => self.conceal(samples, stats),
            Step::Stall => {
                let before = if let State::Stalled(before) = self.state { before } else { 0 };
                self.state = State::Stalled(before + STEP);
                self.stay(stats)
            }
            Step::Wait => {
                self.waited += STEP;
                self.stay(stats)
            }
        }
    }

    /// Plays the oldest packet from the position on.
    fn play(&mut self, intake: &mut Intake, stats: &mut Stats) -> Played {
        let packet = intake.pop(self.expected).expect("what is played is a packet that is here");
        self.expected = packet.sequence + 1;
        self.state = State::Playing;
        self.waited = 0;
        self.in_dtx = packet::is_silent(&packet.payload);
        let samples = packet.end() - self.position;
        match self.decode(&packet, samples) {
            Ok(()) => self.moved(Sound::Packet, samples, stats),
            Err(_) => {
                stats.invalid += 1;
                self.conceal(samples, stats)
            }
        }
    }

    /// Leaves the last `samples` of a packet in `decoded`.
    fn decode(&mut self, packet: &Packet, samples: i64) -> Result<(), Error> {
        self.decoder.decode(&packet.payload, &mut self.decoded)?;
        self.keep_last(samples);
        Ok(())
    }

    fn restore(&mut self, next: &[u8], whole: i64, gap: i64) -> Result<(), Error> {
        self.decoder.restore(next, length(whole), &mut self.decoded)?;
        self.keep_last(gap);
        Ok(())
    }

    /// The sender's clock counts: where the decoder gave another number of samples, silence fills.
    fn keep_last(&mut self, samples: i64) {
        let wanted = length(samples) * self.channels;
        let surplus = self.decoded.len().saturating_sub(wanted);
        self.decoded.drain(..surplus);
        self.decoded.resize(wanted, 0);
    }

    /// Sound of the sender's: the position moves over it.
    fn moved(&mut self, sound: Sound, samples: i64, stats: &mut Stats) -> Played {
        if sound == Sound::Restored {
            stats.restored += samples.unsigned_abs();
        }
        self.made_up = 0;
        self.fade.apply(&mut self.decoded, self.channels, Toward::Full);
        let from = self.position;
        self.position += samples;
        Played { sound, from, samples }
    }

    /// Makes up `samples` that are lost.
    fn conceal(&mut self, samples: i64, stats: &mut Stats) -> Played {
        self.make_up(samples, stats);
        let from = self.position;
        self.position += samples;
        Played { sound: Sound::Concealed, from, samples }
    }

    /// Makes up a frame, and the position stays.
    fn stay(&mut self, stats: &mut Stats) -> Played {
        self.make_up(STEP, stats);
        Played { sound: Sound::Stalled, from: self.position, samples: STEP }
    }

    fn make_up(&mut self, samples: i64, stats: &mut Stats) {
        stats.concealed += samples.unsigned_abs();
        self.made_up += samples;
        let toward = if self.made_up > HOLD { Toward::Nothing(FALL) } else { Toward::Same };
        self.synthesize(samples, toward);
    }

    /// A frame of a pause: the sender's noise while it is told of, then nothing.
    fn rest(&mut self) -> Played {
        let before = if let State::Resting(before) = self.state { before } else { 0 };
        self.state = State::Resting(before + STEP);
        let is_noisy = self.in_dtx && before < COMFORT_LIMIT;
        self.synthesize(STEP, if is_noisy { Toward::Same } else { Toward::Nothing(STOP) });
        Played { sound: Sound::Rest, from: self.position, samples: STEP }
    }

    /// Leaves sound of the decoder's own making in `decoded`; silence where none is heard.
    fn synthesize(&mut self, samples: i64, toward: Toward) {
        self.decoded.clear();
        if !self.fade.is_silent()
            && self.decoder.conceal(length(samples), &mut self.decoded).is_err()
        {
            self.fade.cut();
        }
        self.keep_last(samples);
        self.fade.apply(&mut self.decoded, self.channels, toward);
    }
}

fn length(samples: i64) -> usize {
    usize::try_from(samples).expect("a piece of sound has a length")
}
