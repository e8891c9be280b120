//! What the first bytes of an Opus packet say, without decoding it (RFC 6716, sections 3 and 4.2).
//!
//! In comes a payload from outside, which may hold anything.

use super::clock::RATE_HZ;

/// Longer payloads are refused: the most that libopus asks to make room for.
pub(crate) const PAYLOAD_LIMIT: usize = 4_000;

/// The longest packet, in samples: 120 ms (RFC 6716, section 3.2.5).
pub(crate) const LONGEST: usize = 5_760;

/// A packet as short as this only says that the sender is silent (RFC 7587, section 3.1.3, and
/// libopus, which makes them so under DTX).
const DTX_BYTES: usize = 2;

/// A SILK frame is no longer than this; longer packets hold several.
const SILK_FRAME: usize = 960;

/// How many samples of 48 kHz `payload` decodes to; `None` where it is no Opus packet.
pub(crate) fn samples(payload: &[u8]) -> Option<usize> {
    let fits = (1..=PAYLOAD_LIMIT).contains(&payload.len());
    let parsed = fits.then(|| opus::packet::parse(payload).ok()).flatten()?;
    let each = opus::packet::get_samples_per_frame(payload, RATE_HZ).ok()?;
    let all = each * parsed.frames.len();
    (1..=LONGEST).contains(&all).then_some(all)
}

/// Whether `payload` only says that the sender is silent, and may be the last for a while.
pub(crate) fn is_silent(payload: &[u8]) -> bool {
    payload.len() <= DTX_BYTES
}

/// How many samples before `payload` its forward error correction can restore; 0 where it carries
/// none.
pub(crate) fn restorable(payload: &[u8]) -> usize {
    let Some(toc) = payload.first() else { return 0 };
    let is_celt = toc & 0x80 != 0;
    if is_celt || !has_redundancy(payload, toc & 0x04 != 0) {
        return 0;
    }
    opus::packet::get_samples_per_frame(payload, RATE_HZ).unwrap_or(0)
}

/// SILK's header bits: for each channel a flag of voice for each frame, then one that says whether
/// redundant frames follow (RFC 6716, section 4.2.3).
fn has_redundancy(payload: &[u8], is_stereo: bool) -> bool {
    let Ok(parsed) = opus::packet::parse(payload) else { return false };
    let Ok(each) = opus::packet::get_samples_per_frame(payload, RATE_HZ) else { return false };
    let Some(&flags) = parsed.frames.first().and_then(|frame| frame.first()) else { return false };
    let frames = (each / SILK_FRAME).max(1);
    let mid = flags >> (7 - frames) & 1 == 1;
    let side = is_stereo && flags >> (6_usize.saturating_sub(2 * frames)) & 1 == 1;
    mid || side
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn length_is_read_from_the_first_byte() {
        // Configurations of RFC 6716, table 2: SILK 10, 20, 40, 60 ms and CELT 2.5 ms.
        for (toc, length) in
            [(0x00, 480), (0x08, 960), (0x10, 1_920), (0x18, 2_880), (0x80, 120), (0x98, 960)]
        {
            assert_eq!(samples(&[toc, 1, 2, 3]), Some(length), "{toc:#x}");
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        assert_eq!(samples(&[]), None);
        assert_eq!(samples(&[0x03]), None, "a count of frames is missing");
        assert_eq!(samples(&[0x03, 0]), None, "no frames");
        assert_eq!(samples(&[0x1b, 3, 0, 0, 0]), None, "180 ms");
    }

    #[test]
    fn what_is_longer_than_the_limit_is_refused() {
        // Four frames of 10 ms, all of one length (RFC 6716, section 3.2.5).
        let packet = |length: usize| [vec![0x03, 4], vec![0; length - 2]].concat();
        assert_eq!(samples(&packet(PAYLOAD_LIMIT - 2)), Some(1_920));
        assert_eq!(samples(&packet(PAYLOAD_LIMIT + 2)), None);
    }

    #[test]
    fn redundancy_is_read_from_the_header_bits() {
        assert_eq!(restorable(&[0x08, 0b0100_0000, 0]), 960);
        assert_eq!(restorable(&[0x08, 0b1000_0000, 0]), 0);
        assert_eq!(restorable(&[0x18, 0b0001_0000, 0]), 2_880);
        assert_eq!(restorable(&[0x0c, 0b0001_0000, 0]), 960, "of the second channel");
        assert_eq!(restorable(&[0x98, 0b0100_0000, 0]), 0, "CELT has none");
        assert_eq!(restorable(&[]), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = (samples(&bytes), restorable(&bytes), is_silent(&bytes));
        }
    }
}
