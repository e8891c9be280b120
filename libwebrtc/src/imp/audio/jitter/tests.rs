use std::time::Duration;

use proptest::prelude::*;

use super::super::clock::{FRAME, to_samples};
use super::super::opus::{Decode, Error};
use super::super::packet;
use super::buffer::{Arrival, JitterBuffer};
use super::intake::Intake;
use super::packets::PACKETS_LIMIT;
use super::stats::Stats;
use super::timeline::{Played, Sound, Timeline};

/// Gives a packet's samples as their numbers in it, so that it shows which of them are played.
#[derive(Debug)]
struct Plain;

impl Decode for Plain {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<usize, Error> {
        let samples = packet::samples(payload).unwrap();
        out.extend((0..samples).map(|number| number as i16));
        Ok(samples)
    }

    fn restore(&mut self, _: &[u8], samples: usize, out: &mut Vec<i16>) -> Result<(), Error> {
        out.resize(out.len() + samples, -1);
        Ok(())
    }

    fn conceal(&mut self, samples: usize, out: &mut Vec<i16>) -> Result<(), Error> {
        out.resize(out.len() + samples, -2);
        Ok(())
    }
}

/// SILK of 20 ms, which has redundancy where the second bit of `flags` is set.
fn payload(flags: u8) -> Vec<u8> {
    vec![0x08, flags, 7]
}

/// A timeline under test, with what it has played.
struct World {
    intake: Intake,
    timeline: Timeline<Plain>,
    stats: Stats,
    played: Vec<Played>,
    sound: Vec<i16>,
}

impl World {
    fn new() -> Self {
        Self {
            intake: Intake::new(),
            timeline: Timeline::new(Plain, 1),
            stats: Stats::default(),
            played: Vec::new(),
            sound: Vec::new(),
        }
    }

    fn push(&mut self, sequence: u16, timestamp: u32, payload: &[u8], now: Duration) {
        let arrival = Arrival { sequence, timestamp, payload };
        let position = self.timeline.position();
        self.intake.push(&arrival, to_samples(now), position, &mut self.stats);
        assert!(self.intake.waiting() <= PACKETS_LIMIT);
    }

    /// Plays until `now`, as if by a consumer that asks exactly in time.
    fn play(&mut self, heard: &mut Duration, now: Duration) {
        while *heard < now {
            let mut out = Vec::new();
            let at = to_samples(*heard);
            let played = self.timeline.advance(&mut self.intake, at, &mut out, &mut self.stats);
            assert!(played.samples > 0 && out.len() as i64 == played.samples, "{played:?}");
            *heard += Duration::from_nanos(played.samples.unsigned_abs() * 62_500 / 3 + 1);
            self.played.push(played);
            self.sound.extend(out);
        }
    }

    /// The pieces that the position moved over, which never overlap.
    fn pieces(&self) -> Vec<Played> {
        let moves = |played: &&Played| !matches!(played.sound, Sound::Stalled | Sound::Rest);
        let pieces: Vec<_> = self.played.iter().filter(moves).copied().collect();
        for pair in pieces.windows(2) {
            assert!(pair[1].from >= pair[0].from + pair[0].samples, "{pair:?}");
        }
        pieces
    }
}

/// Sends packets of 20 ms at their pace; `late` says by how many milliseconds each is late, or that
/// it is lost.
fn run(late: &[Option<u64>], flags: u8) -> World {
    let mut world = World::new();
    let mut arrivals: Vec<(u64, u16)> = Vec::new();
    for (number, late) in late.iter().enumerate() {
        arrivals.extend(late.map(|late| (number as u64 * 20 + late, number as u16)));
    }
    arrivals.sort_unstable();
    let mut heard = Duration::ZERO;
    for (at, number) in arrivals {
        let now = Duration::from_millis(at);
        world.play(&mut heard, now);
        world.push(number, u32::from(number) * 960, &payload(flags), now);
    }
    let end = heard + Duration::from_millis(280);
    world.play(&mut heard, end);
    world
}

#[test]
fn packets_in_time_are_played_and_nothing_else() {
    let world = run(&[Some(0); 50], 0);
    let pieces = world.pieces();
    assert_eq!(pieces.len(), 50);
    assert!(pieces.iter().all(|piece| piece.sound == Sound::Packet && piece.samples == 960));
}

#[test]
fn a_lost_packet_is_restored_from_the_next_or_concealed() {
    let mut late = [Some(0); 50];
    late[20] = None;
    for (flags, sound) in [(0x40, Sound::Restored), (0, Sound::Concealed)] {
        let pieces = run(&late, flags).pieces();
        let repair: Vec<_> = pieces.iter().filter(|piece| piece.sound != Sound::Packet).collect();
        assert!(repair.iter().all(|piece| piece.sound == sound), "{repair:?}");
        assert_eq!(repair.iter().map(|piece| piece.samples).sum::<i64>(), 960);
        assert_eq!(repair[0].from, 20 * 960);
    }
}

#[test]
fn a_stalled_network_loses_nothing() {
    let mut late = [Some(0); 60];
    for (number, late) in late.iter_mut().enumerate().skip(30).take(8) {
        *late = Some(160 - (number as u64 - 30) * 20);
    }
    let world = run(&late, 0);
    let packets = world.pieces().iter().filter(|piece| piece.sound == Sound::Packet).count();
    assert_eq!((packets, world.stats.late, world.stats.lost), (60, 0, 0));
    assert!(world.played.iter().any(|played| played.sound == Sound::Stalled));
}

#[test]
fn a_late_packet_is_counted_and_not_played_again() {
    let mut late = [Some(0); 60];
    late[30] = Some(150);
    let world = run(&late, 0);
    assert_eq!((world.stats.late, world.stats.lost, world.stats.received), (1, 0, 60));
    world.pieces();
}

#[test]
fn what_was_played_already_is_left_out_of_a_packet_that_overlaps() {
    let mut world = World::new();
    for (sequence, timestamp) in [(0, 0), (1, 960), (2, 1_440), (3, 2_400)] {
        world.push(sequence, timestamp, &payload(0), Duration::ZERO);
    }
    let mut heard = Duration::ZERO;
    world.play(&mut heard, Duration::from_millis(100));
    let pieces: Vec<_> = world.pieces().iter().map(|p| (p.from, p.samples)).collect();
    assert_eq!(pieces, [(0, 960), (960, 960), (1_920, 480), (2_400, 960)]);
    let packets: Vec<i16> = (960..2_880).map(|at| at % 960).collect();
    let expected = [&packets[..960], &packets[480..]].concat();
    let found = world.sound.windows(expected.len()).any(|window| window == expected);
    assert!(found, "the second packet, the second half of the third, the fourth");
}

#[test]
fn a_sender_that_begins_anew_is_joined_without_a_gap() {
    let mut world = World::new();
    let mut heard = Duration::ZERO;
    for number in 0..60_u16 {
        let (sequence, base) = if number < 30 { (number, 0) } else { (number + 40_000, 123_456) };
        let now = Duration::from_millis(20) * u32::from(number);
        world.play(&mut heard, now);
        world.push(sequence, base + u32::from(number) * 960, &payload(0), now);
    }
    let end = heard + Duration::from_millis(100);
    world.play(&mut heard, end);
    let pieces = world.pieces();
    assert!(pieces.iter().all(|piece| piece.sound == Sound::Packet), "{pieces:?}");
    assert_eq!((pieces.len(), world.stats.restarts, world.stats.lost), (60, 1, 0));
}

#[derive(Debug, Clone)]
enum Act {
    /// A packet so many steps from the last, with so many ticks per step, and its first bytes.
    Push { steps: i16, ticks: i32, payload: Vec<u8> },
    /// Time goes by, and frames are asked for.
    Pull { millis: u64, frames: usize },
}

fn act() -> impl Strategy<Value = Act> {
    let steps = prop_oneof![8 => Just(1_i16), 3 => -4_i16..6, 1 => any::<i16>()];
    let ticks = prop_oneof![8 => Just(960_i32), 1 => 0..3_000_i32, 1 => any::<i32>()];
    let payload = prop_oneof![
        6 => Just(payload(0)),
        3 => Just(payload(0x40)),
        1 => Just(vec![0x08]),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    let push = (steps, ticks, payload).prop_map(|(steps, ticks, payload)| Act::Push {
        steps,
        ticks,
        payload,
    });
    let millis = prop_oneof![6 => 0..30_u64, 1 => 0..6_000_u64];
    let pull = (millis, 0..4_usize).prop_map(|(millis, frames)| Act::Pull { millis, frames });
    prop_oneof![3 => push, 2 => pull]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_comes_positions_only_grow_and_memory_is_bounded(
        acts in prop::collection::vec(act(), 1..300),
    ) {
        let mut world = World::new();
        let (mut now, mut heard) = (Duration::ZERO, Duration::ZERO);
        let (mut sequence, mut timestamp) = (65_500_u16, u32::MAX - 20_000);
        for act in acts {
            match act {
                Act::Push { steps, ticks, payload } => {
                    sequence = sequence.wrapping_add_signed(steps);
                    timestamp = timestamp
                        .wrapping_add_signed(ticks.wrapping_mul(i32::from(steps)));
                    world.push(sequence, timestamp, &payload, now);
                }
                Act::Pull { millis, frames } => {
                    now += Duration::from_millis(millis);
                    heard = heard.max(now);
                    let until = heard + Duration::from_millis(10) * frames as u32;
                    world.play(&mut heard, until);
                }
            }
        }
        world.pieces();
    }

    #[test]
    fn every_position_is_played_once_whatever_is_lost_or_late(
        late in prop::collection::vec(prop::option::weighted(0.9, 0..180_u64), 30..120),
        flags in prop_oneof![Just(0_u8), Just(0x40)],
    ) {
        // A network that brings nothing for longer than the stall limit is another matter.
        let some = |(number, late): (usize, &Option<u64>)| late.or((number % 5 == 0).then_some(0));
        let late: Vec<_> = late.iter().enumerate().map(some).collect();
        let world = run(&late, flags);
        let pieces = world.pieces();
        // What is left out was made up for while nothing came.
        let (mut end, mut stalled) = (pieces[0].from, 0);
        for played in &world.played {
            match played.sound {
                Sound::Rest => {}
                Sound::Stalled => stalled += played.samples,
                Sound::Packet | Sound::Restored | Sound::Concealed => {
                    let hole = played.from - end;
                    prop_assert!((0..=stalled).contains(&hole), "{hole} of {stalled}");
                    (end, stalled) = (played.from + played.samples, 0);
                }
            }
        }
        let played = pieces.iter().filter(|piece| piece.sound == Sound::Packet).count() as u64;
        prop_assert!(played <= world.stats.received);
    }

    #[test]
    fn a_frame_is_a_frame_whatever_libopus_is_given(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..40),
    ) {
        let mut buffer = JitterBuffer::new(2).unwrap();
        let mut out = Vec::new();
        for (number, payload) in packets.iter().enumerate() {
            let now = Duration::from_millis(number as u64 * 20);
            let (sequence, timestamp) = (number as u16, number as u32 * 960);
            buffer.push(Arrival { sequence, timestamp, payload }, now);
            buffer.pull(now, &mut out);
            buffer.pull(now + Duration::from_millis(10), &mut out);
        }
        prop_assert_eq!(out.len(), packets.len() * 2 * FRAME * 2);
        prop_assert!(buffer.waiting().0 <= PACKETS_LIMIT);
    }
}
