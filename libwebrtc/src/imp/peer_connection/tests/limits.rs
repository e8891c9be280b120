//! What a connection holds for its peer and its user, and no more.

use std::sync::Arc;
use std::time::Duration;

use super::super::channels::LIMIT as CHANNEL_LIMIT;
use super::super::core::{BUFFER_LIMIT, OUTBOX_LIMIT};
use super::super::media::{RECENT_LIMIT, REPAIRS_LIMIT};
use super::in_virtual_time;
use super::world::{CONNECTED_AT, World};
use crate::data_channel::{DataChannelInit, DataChannelState};
use crate::imp::audio::tests::network::Conditions;
use crate::imp::audio::tests::tone::Tone;
use crate::imp::channel::Record;
use crate::stats::{CandidatePairStats, RtcStats};

/// The length of a packet of sound.
const PACKET: Duration = Duration::from_millis(20);

/// How a request of STUN begins (RFC 8489, section 5).
const BINDING_REQUEST: [u8; 2] = [0, 1];

fn channel(world: &mut World, side: usize, label: &str) -> Arc<Record> {
    let now = world.now();
    world.sides[side].open_channel(label, &DataChannelInit::default(), now).unwrap()
}

/// A request of the peer's, as it came to the second side.
async fn request(world: &mut World) -> Vec<u8> {
    for _ in 0..1_000 {
        world.run_until(world.now() + Duration::from_millis(7)).await;
        if world.seen[1][0].starts_with(&BINDING_REQUEST) {
            return world.seen[1][0].clone();
        }
    }
    panic!("paths are checked all the time");
}

fn pair(world: &World, side: usize) -> CandidatePairStats {
    let pair = world.sides[side].stats().into_iter().find_map(|it| match it {
        RtcStats::CandidatePair(it) => Some(it),
        _ => None,
    });
    pair.expect("they are connected")
}

/// Each copy of a request is answered, and nobody takes the answers away.
#[test]
fn datagrams_that_find_the_outbox_full_are_discarded_and_counted() {
    const MORE: usize = 100;
    in_virtual_time(async {
        let mut world = World::new(0.0);
        channel(&mut world, 0, "a");
        world.connect(&Conditions::clean(), 1).await;
        let request = request(&mut world).await;
        let (from, now) = (world.sides[0].address(), world.now());
        world.sides[1].poll(now);
        for _ in 0..OUTBOX_LIMIT + MORE {
            world.sides[1].receive(from, &request, now);
        }
        let (datagrams, _) = world.sides[1].poll(now);
        assert_eq!(datagrams.len(), OUTBOX_LIMIT);
        let discarded = pair(&world, 1).packets_discarded_on_send;
        assert!(discarded >= MORE as u64, "{discarded}");
        assert!(pair(&world, 1).bytes_discarded_on_send > discarded);
        world.run_until(world.now() + Duration::from_secs(1)).await;
        assert_eq!(pair(&world, 1).packets_discarded_on_send, discarded, "there is room again");
    });
}

#[test]
fn a_channel_takes_no_more_than_its_buffer_holds() {
    const MESSAGE: usize = 32 << 10;
    in_virtual_time(async {
        let mut world = World::new(0.0);
        let channel = channel(&mut world, 0, "a");
        world.connect(&Conditions::clean(), 1).await;
        let now = world.now();
        let sent = (0..2 * BUFFER_LIMIT / MESSAGE)
            .take_while(|_| world.sides[0].send(&channel, &[7; MESSAGE], now))
            .count();
        assert_eq!(sent, BUFFER_LIMIT / MESSAGE);
    });
}

#[test]
fn there_are_no_more_channels_than_the_limit_whoever_opens_them() {
    const THEIRS: usize = 10;
    in_virtual_time(async {
        let mut world = World::new(0.0);
        let ours: Vec<_> = (0..CHANNEL_LIMIT).map(|_| channel(&mut world, 0, "ours")).collect();
        let init = DataChannelInit::default();
        let one_more = world.sides[0].open_channel("one more", &init, world.now());
        let error = one_more.err().expect("there are as many as there may be").to_string();
        assert!(error.contains("there are 1024 channels already"), "{error}");
        for _ in 0..THEIRS {
            channel(&mut world, 1, "theirs");
        }
        world.connect(&Conditions::clean(), 1).await;
        for _ in 0..100 {
            world.run_until(world.now() + PACKET).await;
            let counts = world.sides.each_ref().map(|side| side.channel_count());
            assert!(counts.iter().all(|count| *count <= CHANNEL_LIMIT), "{counts:?}");
        }
        let closed = ours.iter().filter(|it| it.state() == DataChannelState::Closed).count();
        assert!(closed >= THEIRS, "{closed} of ours found no room at the peer");
        assert!(world.sides[1].opened.len() >= CHANNEL_LIMIT - THEIRS);
    });
}

/// A connection on which both talk, and nothing is lost.
async fn call() -> World {
    let mut world = World::new(0.0);
    for side in [0, 1] {
        let mut tone = Tone::new(440.0, 48_000, 9_000.0);
        world.speak(side, move |count| tone.take(count));
    }
    world.connect(&Conditions::clean(), 1).await;
    world.run_until(CONNECTED_AT + Duration::from_secs(2)).await;
    world
}

/// How many packets the first side sent again.
fn repairs(world: &World) -> u64 {
    let sent = world.sides[0].stats().into_iter().find_map(|it| match it {
        RtcStats::OutboundRtp(it) => Some(it.retransmitted_packets_sent),
        _ => None,
    });
    sent.expect("it sends")
}

#[test]
fn a_packet_is_sent_again_so_often_and_no_more() {
    in_virtual_time(async {
        let mut world = call().await;
        let sequence = world.sides[0].last_sequence();
        for number in 1..=2 * u64::from(REPAIRS_LIMIT) {
            world.sides[0].on_nack(sequence);
            world.run_until(world.now() + PACKET).await;
            assert_eq!(repairs(&world), number.min(REPAIRS_LIMIT.into()), "asked {number} times");
        }
    });
}

#[test]
fn a_packet_of_long_ago_is_not_sent_again() {
    in_virtual_time(async {
        let mut world = call().await;
        for (packets_ago, repaired) in [(RECENT_LIMIT as u32 - 5, 1), (RECENT_LIMIT as u32 + 5, 0)]
        {
            let before = repairs(&world);
            let sequence = world.sides[0].last_sequence();
            world.run_until(world.now() + packets_ago * PACKET).await;
            world.sides[0].on_nack(sequence);
            world.run_until(world.now() + PACKET).await;
            assert_eq!(repairs(&world) - before, repaired, "{packets_ago} packets ago");
        }
    });
}
