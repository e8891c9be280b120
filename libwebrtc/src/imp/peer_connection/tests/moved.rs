//! A machine that loses the address of its path.

use std::time::Duration;

use super::in_virtual_time;
use super::world::World;
use crate::data_channel::DataChannelInit;
use crate::imp::audio::tests::network::Conditions;
use crate::peer_connection::PeerConnectionState;

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
