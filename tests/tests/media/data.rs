//! Packets of data between the two stacks, reliable and lossy.

use livekit::prelude::DataPacketKind;

use crate::content;
use crate::stage::{Stage, against_both};

/// The sizes that are sent, in bytes: to the largest that LiveKit advises.
const SIZES: [usize; 7] = [1, 2, 100, 1_000, 1_300, 8_192, 15_000];

/// How many packets are sent of each size.
const ROUNDS: u64 = 10;

against_both!(reliable_data_is_whole_and_in_order, lossy_data_arrives, data_goes_both_ways_at_once);

/// Packets of all sizes, each with content of its own.
fn packets() -> Vec<Vec<u8>> {
    let sizes = |round| SIZES.map(|size| content::bytes(round * 100_000 + size as u64, size));
    (0..ROUNDS).flat_map(sizes).collect()
}

async fn ada_sends(stage: &Stage, reliable: bool) {
    for packet in packets() {
        stage.ada.send(packet, reliable).await;
    }
}

async fn bob_sends(stage: &Stage, reliable: bool) {
    for packet in packets() {
        stage.bob.send(&packet, reliable).await;
    }
}

async fn reliable_data_is_whole_and_in_order(mut stage: Stage) {
    ada_sends(&stage, true).await;
    for packet in packets() {
        assert!(stage.bob.data().await == (packet, true), "another packet came");
    }
    bob_sends(&stage, true).await;
    for packet in packets() {
        assert!(stage.ada.data().await == (packet, DataPacketKind::Reliable), "another came");
    }
}

/// Loopback loses nothing, and no packet overtakes another by enough to matter: each comes once.
async fn lossy_data_arrives(mut stage: Stage) {
    let mut sent = packets();
    sent.sort_unstable();
    let mut came = Vec::new();
    for packet in packets() {
        stage.ada.send(packet, false).await;
        let (packet, reliable) = stage.bob.data().await;
        assert!(!reliable, "it was sent as lossy");
        came.push(packet);
    }
    came.sort_unstable();
    assert!(came == sent, "other packets came at bob's");
    came.clear();
    for packet in packets() {
        stage.bob.send(&packet, false).await;
        let (packet, kind) = stage.ada.data().await;
        assert_eq!(kind, DataPacketKind::Lossy);
        came.push(packet);
    }
    came.sort_unstable();
    assert!(came == sent, "other packets came at ada's");
}

async fn data_goes_both_ways_at_once(mut stage: Stage) {
    tokio::join!(ada_sends(&stage, true), bob_sends(&stage, true));
    for packet in packets() {
        assert!(stage.bob.data().await == (packet.clone(), true), "another packet came");
        assert!(stage.ada.data().await == (packet, DataPacketKind::Reliable), "another came");
    }
}
