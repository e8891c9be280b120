//! What a peer does with data channels: opens many, by any name and any kind, closes them at once,
//! sends at any time. What arrives was sent.

use std::time::Duration;

use libwebrtc::fuzzing::Pair;
use libwebrtc::prelude::DataChannelInit;

/// More channels than are opened are tried in the next run.
const CHANNELS_LIMIT: usize = 64;

/// Longer than what was lost takes to be sent again.
const AFTER: Duration = Duration::from_secs(30);

/// Takes the bytes for what both sides do.
pub fn channels(bytes: &[u8]) {
    let mut rest = bytes;
    let mut pair = Pair::new();
    pair.connect();
    let mut sent = [Vec::new(), Vec::new()];
    while let Some((&operation, after)) = rest.split_first() {
        rest = after;
        let number = usize::from(operation >> 3);
        let length = rest.len().min(number);
        let side = usize::from(operation >> 2 & 1);
        let count = pair.sides[side].channels();
        match operation & 3 {
            0 if count < CHANNELS_LIMIT => {
                let (text, after) = rest.split_at(length);
                rest = after;
                let label = format!("{side}:{count}:{}", String::from_utf8_lossy(text));
                let _ = pair.sides[side].open_channel(&label, &kind(number));
            }
            1 => {
                let channel = number % count.max(1);
                let message = [&[operation], &rest[..length]].concat();
                if pair.sides[side].send(channel, &message) {
                    sent[side].push(message);
                }
            }
            2 => pair.sides[side].close_channel(number % count.max(1)),
            _ => pair.step(Duration::from_millis(number as u64), |datagram| vec![datagram]),
        }
    }
    pair.step(AFTER, |datagram| vec![datagram]);
    assert!(pair.is_connected(), "{:?}", pair.states());
    for (side, sent) in sent.iter().enumerate() {
        let arrived = pair.sides[1 - side].messages();
        assert!(arrived.iter().all(|(_, message)| sent.contains(message)));
    }
}

fn kind(number: usize) -> DataChannelInit {
    DataChannelInit {
        ordered: number & 1 == 0,
        max_retransmits: (number & 2 == 2).then_some(0),
        negotiated: number & 4 == 4,
        id: number as i32,
        ..DataChannelInit::default()
    }
}
