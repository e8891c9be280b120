//! Packets of sound that were lost are asked for, sent again, and played.

use std::time::Duration;

use super::in_virtual_time;
use super::world::{CONNECTED_AT, World};
use crate::imp::audio::tests::network::{Conditions, Loss};
use crate::imp::audio::tests::tone::Tone;
use crate::stats::{InboundRtpStats, OutboundRtpStats, RtcStats};

const LENGTH: Duration = Duration::from_secs(20);

/// What the first side sent, and the second received, where a packet of twenty is lost.
fn figures(seed: u64) -> (OutboundRtpStats, InboundRtpStats) {
    // A round trip so short that it is worth the wait.
    let delay = Duration::from_millis(10);
    let conditions = Conditions { loss: Loss::Random(0.05), delay, ..Conditions::clean() };
    let world = in_virtual_time(async {
        let mut world = World::new(0.0);
        for side in [0, 1] {
            let mut tone = Tone::new(440.0, 48_000, 9_000.0);
            world.speak(side, move |count| tone.take(count));
        }
        world.connect(&conditions, seed).await;
        world.run_until(CONNECTED_AT + LENGTH).await;
        world
    });
    let sent = world.sides[0].stats().into_iter().find_map(|it| match it {
        RtcStats::OutboundRtp(it) => Some(it),
        _ => None,
    });
    let received = world.sides[1].stats().into_iter().find_map(|it| match it {
        RtcStats::InboundRtp(it) => Some(it),
        _ => None,
    });
    (sent.expect("it sends"), received.expect("it receives"))
}

#[test]
fn lost_packets_are_sent_again_and_most_are_played() {
    for seed in 1..4 {
        let (sent, received) = figures(seed);
        println!("SEED={seed} {sent:?} {received:?}");
        let packets = LENGTH.as_millis() as u64 / 20;
        let lost = packets / 20;
        assert!(sent.retransmitted_packets_sent > lost / 2, "{seed}: {sent:?}");
        assert!(received.nack_count > 0, "{seed}: {received:?}");
        // A repair may be lost as well.
        assert!(received.packets_lost < lost as i64 / 5, "{seed}: {received:?}");
        let concealed = received.concealed_samples as f64 / received.total_samples_received as f64;
        assert!(concealed < 0.025, "{seed}: {concealed} made up, half of what was lost");
    }
}
