//! Redundant audio data (RFC 2198): a packet that carries the payloads of those before it too, so
//! that one that is lost comes with the next.
//!
//! ```text
//!  1|type 7|offset 14|length 10   for each payload before    (4 bytes)
//!  0|type 7                       for the packet's own       (1 byte)
//!  payloads in that order
//! ```

/// More payloads in one packet than anybody sends; what comes beyond is not read.
const MAX_BLOCKS: usize = 8;

/// The header of a payload before has 14 bits for how much older it is, in samples.
const OFFSET_END: u32 = 1 << 14;

/// And 10 for its length in bytes.
const LENGTH_END: usize = 1 << 10;

/// A payload in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    /// How many packets before the one that carries it it was sent: 0 is its own.
    pub(crate) back: u16,
    /// How much lower its timestamp is, in samples.
    pub(crate) offset: u32,
    /// What it carried.
    pub(crate) payload: &'a [u8],
}

/// The payloads of the type `wanted`, the oldest first; none where the packet is broken.
pub(crate) fn blocks(packet: &[u8], wanted: u8) -> Vec<Block<'_>> {
    read(packet, wanted).unwrap_or_default()
}

fn read(packet: &[u8], wanted: u8) -> Option<Vec<Block<'_>>> {
    let mut headers = Vec::new();
    let mut rest = packet;
    while rest.first()? & 0x80 != 0 {
        let [first, high, middle, low, ..] = *rest else { return None };
        let offset = u32::from(high) << 6 | u32::from(middle) >> 2;
        let length = usize::from(middle & 3) << 8 | usize::from(low);
        headers.push((first & 0x7f, offset, length));
        rest = &rest[4..];
        if headers.len() == MAX_BLOCKS {
            return None;
        }
    }
    let own = rest[0];
    rest = &rest[1..];
    let mut blocks = Vec::with_capacity(headers.len() + 1);
    for (number, &(payload_type, offset, length)) in headers.iter().enumerate() {
        let (payload, after) = rest.split_at_checked(length)?;
        rest = after;
        let back = (headers.len() - number) as u16;
        if payload_type == wanted && !payload.is_empty() {
            blocks.push(Block { back, offset, payload });
        }
    }
    if own == wanted {
        blocks.push(Block { back: 0, offset: 0, payload: rest });
    }
    Some(blocks)
}

/// A packet with `payload`, and with that of the one `offset` samples before where that fits.
pub(crate) fn packet(payload_type: u8, before: Option<(u32, &[u8])>, payload: &[u8]) -> Vec<u8> {
    let fits = |&(offset, before): &(u32, &[u8])| {
        (1..OFFSET_END).contains(&offset) && before.len() < LENGTH_END
    };
    let before = before.filter(fits);
    let mut packet = Vec::with_capacity(payload.len() + before.map_or(1, |it| it.1.len() + 5));
    if let Some((offset, before)) = before {
        let word = offset << 10 | before.len() as u32;
        packet.push(0x80 | payload_type);
        packet.extend(&word.to_be_bytes()[1..]);
    }
    packet.push(payload_type & 0x7f);
    packet.extend(before.into_iter().flat_map(|(_, before)| before));
    packet.extend(payload);
    packet
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_rfc() {
        let packet = packet(111, Some((960, &[1, 2])), &[3]);
        // 960 is 0x3c0: 14 bits of it, then 10 of the length.
        assert_eq!(packet, [0xef, 0x0f, 0x00, 0x02, 0x6f, 1, 2, 3]);
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let long = [0; LENGTH_END];
        for before in [None, Some((OFFSET_END, &[1][..])), Some((0, &[1])), Some((960, &long))] {
            assert_eq!(packet(111, before, &[9]), [111, 9]);
        }
    }

    #[test]
    fn payloads_of_another_type_are_passed_over() {
        let packet = packet(13, Some((960, &[1])), &[2]);
        assert_eq!(blocks(&packet, 111), []);
    }

    #[test]
    fn broken_packets_have_no_payloads() {
        let whole = packet(111, Some((960, &[1, 2])), &[3]);
        for length in 0..7 {
            assert_eq!(blocks(&whole[..length], 111), [], "{length}");
        }
        assert_eq!(blocks(&[0xef; 100], 111), [], "headers without end");
    }

    #[test]
    fn no_more_payloads_are_read_than_the_limit() {
        let packet = |before: usize| {
            let mut packet = [0xef, 0x0f, 0x00, 0x01].repeat(before);
            packet.push(111);
            packet.extend(vec![7; before + 1]);
            packet
        };
        assert_eq!(blocks(&packet(MAX_BLOCKS - 1), 111).len(), MAX_BLOCKS);
        assert_eq!(blocks(&packet(MAX_BLOCKS), 111), []);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            offset in 1..OFFSET_END,
            before in proptest::collection::vec(any::<u8>(), 1..LENGTH_END),
            own in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let packet = packet(111, Some((offset, &before)), &own);
            let before = Block { back: 1, offset, payload: &before };
            let own = Block { back: 0, offset: 0, payload: &own };
            prop_assert_eq!(blocks(&packet, 111), [before, own]);
        }

        #[test]
        fn no_bytes_are_a_surprise(packet in proptest::collection::vec(any::<u8>(), 0..64)) {
            let blocks = blocks(&packet, 111);
            prop_assert!(blocks.len() <= MAX_BLOCKS);
        }
    }
}
