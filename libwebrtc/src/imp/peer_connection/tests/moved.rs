//! A path that is lost: a machine that loses its address, a peer that falls silent, a new search.

use std::time::Duration;

use super::super::core::FAILED_AFTER;
use super::in_virtual_time;
use super::world::{CONNECTED_AT, World};
use crate::data_channel::DataChannelInit;
use crate::imp::audio::tests::network::{Conditions, Outage};
use crate::peer_connection::{IceConnectionState, PeerConnectionState};

#[test]
fn who_loses_its_address_fails_at_once_and_its_peer_waits() {
    in_virtual_time(async {
        let mut world = World::new(0.0);
        world.sides[0].open_channel("a", &DataChannelInit::default(), Duration::ZERO).unwrap();
        world.connect(&Conditions::clean(), 1).await;
        let now = world.now();
        world.sides[0].remove_address(now);
        world.run_until(now + Duration::from_millis(400)).await;
        let [ours, theirs] = world.sides.each_ref().map(|side| *side.states.last().unwrap());
        assert_eq!(ours, PeerConnectionState::Disconnected);
        assert_eq!(theirs, PeerConnectionState::Connected);
        world.run_until(now + Duration::from_millis(600)).await;
        assert_eq!(*world.sides[0].states.last().unwrap(), PeerConnectionState::Failed);
    });
}

/// It goes on as before meanwhile: its users would take "connecting" for a beginning.
#[test]
fn a_new_search_for_a_path_is_no_new_connection() {
    in_virtual_time(async {
        let mut world = World::new(0.0);
        world.sides[0].open_channel("a", &DataChannelInit::default(), Duration::ZERO).unwrap();
        world.connect(&Conditions::clean(), 1).await;
        let before = world.sides.each_ref().map(|side| side.states.clone());
        world.restart_ice(0);
        for side in &world.sides {
            assert_eq!(side.ice_connection(), IceConnectionState::Checking);
        }
        world.run_until(world.now() + Duration::from_secs(5)).await;
        for (side, before) in world.sides.iter().zip(before) {
            assert_eq!(side.ice_connection(), IceConnectionState::Completed);
            assert_eq!(side.states, before);
        }
    });
}

#[test]
fn a_peer_that_stays_silent_has_failed_after_a_while() {
    in_virtual_time(async {
        let mut world = World::new(0.0);
        world.sides[0].open_channel("a", &DataChannelInit::default(), Duration::ZERO).unwrap();
        let outages = vec![Outage::Lost(CONNECTED_AT..Duration::MAX)];
        world.connect(&Conditions { outages, ..Conditions::clean() }, 1).await;
        let step = Duration::from_millis(100);
        let mut silent_since = None;
        while world.sides[0].states.last() != Some(&PeerConnectionState::Failed) {
            world.run_until(world.now() + step).await;
            if world.sides[0].states.last() == Some(&PeerConnectionState::Disconnected) {
                silent_since.get_or_insert(world.now());
            }
            assert!(world.now() < 10 * FAILED_AFTER, "{:?}", world.sides[0].states);
        }
        let took = world.now() - silent_since.expect("it was silent before");
        assert!((FAILED_AFTER - step..=FAILED_AFTER + step).contains(&took), "{took:?}");
    });
}
