//! What a connection holds for its peer and its user, and no more.

use std::sync::Arc;
use std::time::Duration;

use super::super::core::OUTBOX_LIMIT;
use super::in_virtual_time;
use super::world::World;
use crate::data_channel::DataChannelInit;
use crate::imp::audio::tests::network::Conditions;
use crate::imp::channel::Record;
use crate::stats::{CandidatePairStats, RtcStats};

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
