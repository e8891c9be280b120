//! Datagrams between two that are connected: lost, repeated, changed, cut, made up, from the peer's
//! address and from others. When that is over they are still connected, and messages come through.

use std::time::Duration;

use libwebrtc::fuzzing::{Datagram, Pair};

/// Longer than what was lost takes to be sent again.
const AFTER: Duration = Duration::from_secs(30);

/// More than this is tried in the next run.
const OPERATIONS_LIMIT: usize = 400;

/// Two that gave up before they were connected send nothing more that could be spoiled.
const STEPS_LIMIT: usize = 400;

/// Takes the bytes for what becomes of the datagrams.
pub fn datagrams(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let mut rest = &rest[..rest.len().min(OPERATIONS_LIMIT)];
    let mut pair = Pair::new();
    // What is not protected yet can be spoiled: then it need not become a connection.
    let is_secured = first & 1 == 1;
    if is_secured {
        pair.connect();
    }
    for _ in 0..STEPS_LIMIT {
        if rest.is_empty() {
            break;
        }
        if is_secured {
            pair.send(b"meanwhile");
        }
        pair.step(Duration::from_millis(20), |datagram| meddle(&mut rest, datagram));
    }
    if is_secured {
        pair.send(b"the last");
        pair.step(AFTER, |datagram| vec![datagram]);
        assert!(pair.is_connected(), "{:?}", pair.states());
        assert_eq!(pair.last_messages(), [Some(b"the last".to_vec()), Some(b"the last".to_vec())]);
    }
    pair.close();
}

/// What arrives in the place of `datagram`.
fn meddle(rest: &mut &[u8], datagram: Datagram) -> Vec<Datagram> {
    let mut next = || {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        Some(byte)
    };
    let (Some(operation), place) = (next(), next().unwrap_or(0)) else { return vec![datagram] };
    let mut other = datagram.clone();
    let at = usize::from(place) % datagram.contents.len();
    match operation % 8 {
        0 | 1 => return vec![datagram],
        2 => return vec![],
        3 => return vec![datagram.clone(), datagram],
        4 => other.contents[at] ^= operation | 1,
        5 => other.contents.truncate(at),
        6 => other.from.set_port(u16::from(operation)),
        _ => {
            let length = rest.len().min(usize::from(place));
            other.contents = rest[..length].to_vec();
            *rest = &rest[length..];
        }
    }
    // Beside the true one, or in its place.
    if operation & 8 == 0 { vec![other, datagram] } else { vec![other] }
}
