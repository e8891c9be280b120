//! Messages over a network that misbehaves.

use std::time::Duration;

use super::in_virtual_time;
use super::world::World;
use crate::data_channel::{DataChannelInit, DataChannelState};
use crate::imp::audio::tests::call::with_seeds;
use crate::imp::audio::tests::network::{Conditions, Jitter, Loss, Outage};
use crate::peer_connection::PeerConnectionState;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// How many messages go each way in each channel, one every [`PAUSE`].
const COUNT: usize = 500;
const PAUSE: Duration = ms(20);

/// How long the last may take: SCTP waits a second before it repeats something, and twice as long
/// each time that it is lost again.
const LAST: Duration = s(600);

/// What arrived at each side: the numbers of the messages, of the reliable channel and the lossy.
type Arrived = [[Vec<usize>; 2]; 2];

/// Every tenth message fills several datagrams.
fn message(number: usize) -> Vec<u8> {
    let length = if number.is_multiple_of(10) { 5_000 } else { 40 };
    let mut message = vec![number as u8; length];
    message[..8].copy_from_slice(&(number as u64).to_be_bytes());
    message
}

/// The number of a message that is whole.
fn number(message: &[u8]) -> usize {
    let number = u64::from_be_bytes(message[..8].try_into().unwrap()) as usize;
    assert_eq!(message, self::message(number));
    number
}

/// Sends messages both ways through a reliable and a lossy channel, and waits for the last.
async fn exchange(conditions: &Conditions, seed: u64) -> Arrived {
    let mut world = World::new(0.0);
    let lossy =
        DataChannelInit { ordered: false, max_retransmits: Some(0), ..DataChannelInit::default() };
    let kinds = [("reliable", DataChannelInit::default()), ("lossy", lossy)];
    let ours = kinds.map(|(label, init)| world.sides[0].open_channel(label, &init, s(0)).unwrap());
    world.connect(conditions, seed).await;
    let theirs = ["reliable", "lossy"].map(|label| {
        let opened = &mut world.sides[1].opened;
        opened.remove(opened.iter().position(|channel| channel.label() == label).unwrap())
    });
    let channels = [ours, theirs];
    let begin = world.now();
    for number in 0..COUNT {
        world.run_until(begin + PAUSE * number as u32).await;
        let now = world.now();
        for (side, channels) in world.sides.iter_mut().zip(&channels) {
            for channel in channels {
                assert_eq!(channel.state(), DataChannelState::Open, "{number}");
                assert!(side.send(channel, &message(number), now), "{number}");
            }
        }
    }
    world.run_until(begin + PAUSE * COUNT as u32 + LAST).await;
    world.sides.each_mut().map(|side| {
        assert_eq!(side.connection(), PeerConnectionState::Connected);
        ["reliable", "lossy"].map(|wanted| {
            let of_it = side.messages.iter().filter(|(label, _)| label == wanted);
            of_it.map(|(_, message)| number(&message.data)).collect()
        })
    })
}

fn check(loss: Loss, share: f64, conditions: &Conditions) {
    with_seeds(|seed| {
        let conditions = Conditions { loss, ..conditions.clone() };
        for [reliable, lossy] in in_virtual_time(exchange(&conditions, seed)) {
            assert!(reliable.iter().copied().eq(0..COUNT), "{} of {COUNT} came", reliable.len());
            let mut once = lossy.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), lossy.len(), "none comes twice");
            // A message of several datagrams is lost with any of them.
            let lost = 1.0 - lossy.len() as f64 / COUNT as f64;
            let expected = share * 0.9 + (1.0 - (1.0 - share).powi(5)) * 0.1;
            assert!(lost <= expected + 0.06, "{lost} lost, not {expected}");
            assert_eq!(lost > 0.0, share > 0.0, "what is lost is not sent again");
        }
    });
}

#[test]
fn a_clean_network_loses_nothing() {
    check(Loss::None, 0.0, &Conditions::clean());
}

#[test]
fn messages_survive_loss_reordering_and_repetition() {
    let jitter = Jitter::Shuffled(ms(60));
    let conditions = Conditions { jitter, duplicated: 0.05, ..Conditions::clean() };
    check(Loss::Random(0.1), 0.1, &conditions);
}

#[test]
fn messages_survive_a_third_lost() {
    check(Loss::Random(0.3), 0.3, &Conditions::clean());
}

#[test]
fn messages_of_an_outage_come_after_it() {
    let outages = vec![Outage::Lost(s(8)..s(13))];
    let [first, second] =
        in_virtual_time(exchange(&Conditions { outages, ..Conditions::clean() }, 1));
    for [reliable, lossy] in [first, second] {
        assert!(reliable.into_iter().eq(0..COUNT));
        // Most of them wait at the sender: with nothing confirmed, SCTP sends little.
        assert!((COUNT / 3..COUNT).contains(&lossy.len()), "{}", lossy.len());
    }
}

#[test]
fn a_run_replays_from_its_seed() {
    let conditions = Conditions {
        loss: Loss::Random(0.1),
        jitter: Jitter::Shuffled(ms(60)),
        ..Conditions::clean()
    };
    let run = |seed| in_virtual_time(exchange(&conditions, seed));
    assert!(run(11) == run(11), "SEED=11");
    assert!(run(11) != run(12), "SEED=11 and 12");
}
