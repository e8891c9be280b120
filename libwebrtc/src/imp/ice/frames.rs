//! Datagrams on a stream: bytes come in as they come, whole datagrams go out.

/// How the stream tells where a datagram ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Two bytes of length before each (RFC 4571, used by ICE: RFC 6544).
    Length,
    /// STUN messages and `ChannelData`, by the lengths that they carry; the latter is padded to
    /// four bytes (RFC 8656, section 12.5).
    Turn,
}

/// The longest datagram that is taken; WebRTC's are shorter.
pub(crate) const FRAME_LIMIT: usize = 2048;

/// Room for what came, where more is asked for only while there is no whole datagram.
const BUFFER: usize = 2 * FRAME_LIMIT;

/// The stream holds something that is no datagram, or one that is too long; nothing behind it can
/// be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream's bytes are no datagrams")]
pub(crate) struct Malformed;

/// What came of a stream, at most [`BUFFER`] bytes.
pub(crate) struct Frames {
    framing: Framing,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

/// Where a datagram lies: behind a header, before padding.
struct Place {
    header: usize,
    length: usize,
    padding: usize,
}

impl Frames {
    pub(crate) fn new(framing: Framing) -> Self {
        Self { framing, buffer: vec![0; BUFFER].into_boxed_slice(), start: 0, end: 0 }
    }

    /// Room to read into, never empty where [`Frames::poll`] found nothing.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        &mut self.buffer[self.end..]
    }

    /// So many bytes were read into the room.
    pub(crate) fn filled(&mut self, length: usize) {
        self.end = (self.end + length).min(self.buffer.len());
    }

    /// The next whole datagram.
    pub(crate) fn poll(&mut self) -> Result<Option<&[u8]>, Malformed> {
        let waiting = &self.buffer[self.start..self.end];
        let Some(place) = self.framing.place(waiting)? else { return Ok(None) };
        let whole = place.header + place.length + place.padding;
        if place.length > FRAME_LIMIT {
            return Err(Malformed);
        }
        if waiting.len() < whole {
            return Ok(None);
        }
        let from = self.start + place.header;
        self.start += whole;
        Ok(Some(&self.buffer[from..from + place.length]))
    }
}

impl Framing {
    fn place(self, bytes: &[u8]) -> Result<Option<Place>, Malformed> {
        let number = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
        match self {
            Self::Length => {
                let place = |length| Place { header: 2, length: usize::from(length), padding: 0 };
                Ok(number(0).map(place))
            }
            Self::Turn => {
                let (Some(first), Some(length)) = (number(0), number(2)) else { return Ok(None) };
                let length = usize::from(length);
                match first >> 14 {
                    0 => Ok(Some(Place { header: 0, length: 20 + length, padding: 0 })),
                    1 => {
                        let padding = length.wrapping_neg() % 4;
                        Ok(Some(Place { header: 0, length: 4 + length, padding }))
                    }
                    _ => Err(Malformed),
                }
            }
        }
    }

    /// What stands before `datagram` on the stream, and how many zeros behind it.
    pub(crate) fn around(self, datagram: &[u8]) -> (Option<[u8; 2]>, usize) {
        match self {
            // FRAME_LIMIT is far below what two bytes can tell.
            Self::Length => (Some((datagram.len() as u16).to_be_bytes()), 0),
            Self::Turn => (None, datagram.len().wrapping_neg() % 4),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn write(framing: Framing, datagrams: &[Vec<u8>]) -> Vec<u8> {
        let mut stream = Vec::new();
        for datagram in datagrams {
            let (header, padding) = framing.around(datagram);
            stream.extend(header.into_iter().flatten());
            stream.extend(datagram);
            stream.extend(vec![0; padding]);
        }
        stream
    }

    /// Reads the stream in pieces of the sizes given, over and over.
    fn read(
        framing: Framing,
        mut stream: &[u8],
        pieces: &[usize],
    ) -> Result<Vec<Vec<u8>>, Malformed> {
        let (mut frames, mut found) = (Frames::new(framing), Vec::new());
        for piece in pieces.iter().cycle() {
            while let Some(datagram) = frames.poll()? {
                found.push(datagram.to_vec());
            }
            if stream.is_empty() {
                break;
            }
            let room = frames.room();
            let length = (*piece).min(room.len()).min(stream.len());
            assert_ne!(length, 0, "there is always room");
            room[..length].copy_from_slice(&stream[..length]);
            frames.filled(length);
            stream = &stream[length..];
        }
        Ok(found)
    }

    fn channel_data(length: usize, fill: u8) -> Vec<u8> {
        let mut datagram = vec![fill; 4 + length];
        datagram[..2].copy_from_slice(&0x4001_u16.to_be_bytes());
        datagram[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        datagram
    }

    fn stun(words: usize, fill: u8) -> Vec<u8> {
        let mut datagram = vec![fill; 20 + 4 * words];
        datagram[..2].copy_from_slice(&0x0001_u16.to_be_bytes());
        datagram[2..4].copy_from_slice(&(4 * words as u16).to_be_bytes());
        datagram
    }

    proptest! {
        #[test]
        fn datagrams_survive_any_cutting(
            datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..FRAME_LIMIT), 0..12),
            pieces in prop::collection::vec(1_usize..3000, 1..20),
        ) {
            let stream = write(Framing::Length, &datagrams);
            prop_assert_eq!(read(Framing::Length, &stream, &pieces).unwrap(), datagrams);
        }

        #[test]
        fn stun_and_channel_data_survive_any_cutting(
            kinds in prop::collection::vec((any::<bool>(), 0_usize..500, any::<u8>()), 0..12),
            pieces in prop::collection::vec(1_usize..3000, 1..20),
        ) {
            let make = |(is_stun, size, fill)| {
                if is_stun { stun(size, fill) } else { channel_data(size, fill) }
            };
            let datagrams: Vec<Vec<u8>> = kinds.into_iter().map(make).collect();
            let stream = write(Framing::Turn, &datagrams);
            prop_assert_eq!(read(Framing::Turn, &stream, &pieces).unwrap(), datagrams);
        }

        #[test]
        fn garbage_ends_or_is_cut_up(
            stream in prop::collection::vec(any::<u8>(), 0..10_000),
            pieces in prop::collection::vec(1_usize..3000, 1..20),
        ) {
            let _ = read(Framing::Length, &stream, &pieces);
            let _ = read(Framing::Turn, &stream, &pieces);
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert_eq!(read(Framing::Length, &[0xff, 0xff, 0], &[3]), Err(Malformed));
        assert_eq!(read(Framing::Turn, &[0x40, 0, 0xff, 0xff], &[4]), Err(Malformed));
        assert_eq!(read(Framing::Turn, &[0x80, 0, 0, 0], &[4]), Err(Malformed));
    }
}
