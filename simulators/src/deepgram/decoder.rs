//! Binary frames into mono samples: the declared encoding, any number of channels, cut anywhere.

use crate::audio::Encoding;

/// Bytes in, mono samples out; keeps what is no whole sample yet.
#[derive(Debug)]
pub(super) struct Decoder {
    encoding: Encoding,
    channels: usize,
    rest: Vec<u8>,
}

impl Decoder {
    /// A decoder of `channels` interleaved channels.
    pub(super) fn new(encoding: Encoding, channels: usize) -> Self {
        Self { encoding, channels, rest: Vec::new() }
    }

    /// The mean of all channels for each moment that `bytes` completes.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Vec<i16> {
        self.rest.extend_from_slice(bytes);
        let width = self.encoding.width() * self.channels;
        let whole = self.rest.len() / width * width;
        let samples = self.encoding.decode(&self.rest[..whole]);
        self.rest.drain(..whole);
        samples.chunks_exact(self.channels).map(mean).collect()
    }
}

fn mean(moment: &[i16]) -> i16 {
    let sum: i64 = moment.iter().map(|&sample| i64::from(sample)).sum();
    (sum / moment.len() as i64) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixes_channels_and_carries_broken_samples_over() {
        let mut decoder = Decoder::new(Encoding::S16le, 2);
        assert!(decoder.decode(&[2, 0, 4]).is_empty());
        assert_eq!(decoder.decode(&[0, 9, 0, 1, 0, 7]), [3, 5]);
        assert_eq!(decoder.decode(&[0, 1, 0]), [4]);
    }
}
