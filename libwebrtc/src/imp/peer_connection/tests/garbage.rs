//! Somebody sends garbage to both sides, in the peer's name and in others', while they talk.

use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::in_virtual_time;
use super::world::World;
use crate::data_channel::DataChannelInit;
use crate::imp::audio::tests::call::with_seeds;
use crate::imp::audio::tests::network::Conditions;
use crate::imp::audio::tests::tone::{Tone, purity};
use crate::peer_connection::PeerConnectionState;

const PAUSE: Duration = Duration::from_millis(5);
const COUNT: usize = 1_000;

/// Bytes that begin as datagrams of each kind do (RFC 7983, section 7).
fn made_up(random: &mut StdRng) -> Vec<u8> {
    let length = random.random_range(0..1_500);
    let mut bytes: Vec<u8> = (0..length).map(|_| random.random()).collect();
    let begin: [&[u8]; 8] = [
        &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42],
        &[1, 1],
        &[22, 0xfe, 0xfd, 0, 0],
        &[23, 0xfe, 0xfd, 0, 1],
        &[21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40],
        &[0x80, 111],
        &[0x81, 200],
        &[],
    ];
    let begin = begin[random.random_range(0..begin.len())];
    let common = begin.len().min(bytes.len());
    bytes[..common].copy_from_slice(&begin[..common]);
    bytes
}

/// A datagram that came before, with some of its bits turned, or cut, or made longer, or as it was.
fn spoiled(random: &mut StdRng, datagram: &[u8]) -> Vec<u8> {
    let mut bytes = datagram.to_vec();
    match random.random_range(0..4) {
        0 => bytes.truncate(random.random_range(0..=datagram.len())),
        1 => bytes.extend((0..random.random_range(1..200)).map(|_| random.random::<u8>())),
        2 => {
            for _ in 0..random.random_range(1..5) {
                if let Some(at) = (!bytes.is_empty()).then(|| random.random_range(0..bytes.len())) {
                    bytes[at] ^= 1 << random.random_range(0..8);
                }
            }
        }
        _ => {}
    }
    bytes
}

/// The peer, its machine, or anybody.
fn sender(random: &mut StdRng, peer: SocketAddr) -> SocketAddr {
    match random.random_range(0..3) {
        0 => peer,
        1 => SocketAddr::new(peer.ip(), random.random_range(1..=u16::MAX)),
        _ => SocketAddr::from(([198, 51, 100, random.random()], random.random_range(1..=u16::MAX))),
    }
}

#[test]
fn a_session_survives_garbage() {
    with_seeds(|seed| in_virtual_time(survive(seed)));
}

async fn survive(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::new(0.0);
    let init = DataChannelInit::default();
    for side in [0, 1] {
        let mut tone = Tone::new(440.0, 48_000, 9_000.0);
        world.speak(side, move |count| tone.take(count));
    }
    let ours = world.sides[0].open_channel("a", &init, Duration::ZERO).unwrap();
    world.connect(&Conditions::clean(), seed).await;
    let theirs = world.sides[1].opened.pop().unwrap();
    let channels = [ours, theirs];
    let begin = world.now();
    for number in 0..COUNT {
        world.run_until(begin + PAUSE * number as u32).await;
        for to in [0, 1] {
            let seen = world.seen[to][random.random_range(0..4)].clone();
            let is_copy = random.random_bool(0.7);
            let garbage = if is_copy { spoiled(&mut random, &seen) } else { made_up(&mut random) };
            let from = sender(&mut random, world.sides[1 - to].address());
            world.inject(to, from, &garbage);
            let now = world.now();
            assert!(world.sides[to].send(&channels[to], &number.to_be_bytes(), now));
        }
    }
    world.run_until(begin + PAUSE * COUNT as u32 + Duration::from_secs(30)).await;
    for side in &world.sides {
        assert_eq!(side.states.last(), Some(&PeerConnectionState::Connected));
        assert!(!side.states.contains(&PeerConnectionState::Disconnected));
        let sent = (0..COUNT).map(|number| number.to_be_bytes().to_vec());
        assert!(side.messages.iter().map(|(_, message)| message.data.clone()).eq(sent));
    }
    for voice in world.voices.iter().flatten() {
        let stats = voice.heard.stats.last().unwrap();
        assert_eq!((stats.lost, stats.concealed, stats.invalid), (0, 0, 0), "{stats:?}");
        let pure = purity(&voice.heard.samples[48_000..], 440.0, 48_000);
        assert!(pure > 0.999, "{pure}");
    }
}
