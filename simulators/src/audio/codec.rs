//! The sample encodings of both audio wires, i16 on our side. G.711 (ITU-T G.711, 1988) is written
//! out as segment search, the form of the standard's tables.

/// How a sample is written on the wire; all little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// 16-bit signed integer.
    S16le,
    /// 32-bit float, full scale ±1.
    F32le,
    /// G.711 µ-law, 8 bits.
    Mulaw,
    /// G.711 A-law, 8 bits.
    Alaw,
}

impl Encoding {
    /// Bytes per sample.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::S16le => 2,
            Self::F32le => 4,
            Self::Mulaw | Self::Alaw => 1,
        }
    }

    /// Writes `samples`.
    pub(crate) fn encode(self, samples: &[i16]) -> Vec<u8> {
        match self {
            Self::S16le => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
            Self::F32le => samples.iter().flat_map(|&sample| float(sample).to_le_bytes()).collect(),
            Self::Mulaw => samples.iter().map(|&sample| mulaw_from(sample)).collect(),
            Self::Alaw => samples.iter().map(|&sample| alaw_from(sample)).collect(),
        }
    }

    /// Reads whole samples; an incomplete one at the end is ignored.
    pub(crate) fn decode(self, bytes: &[u8]) -> Vec<i16> {
        match self {
            Self::S16le => {
                bytes.as_chunks().0.iter().map(|&pair| i16::from_le_bytes(pair)).collect()
            }
            Self::F32le => {
                let floats = bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four));
                floats.map(|value| (value * 32_768.0) as i16).collect()
            }
            Self::Mulaw => bytes.iter().map(|&byte| mulaw_to(byte)).collect(),
            Self::Alaw => bytes.iter().map(|&byte| alaw_to(byte)).collect(),
        }
    }
}

fn float(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

/// Added before µ-law takes the logarithm, so that the segments double (G.711 table 2a).
const MULAW_BIAS: i32 = 0x84;

fn mulaw_from(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let level = i32::from(sample).abs().min(32_635) + MULAW_BIAS;
    let segment = (24 - level.leading_zeros() as i32).max(0);
    let step = (level >> (segment + 3)) & 0x0f;
    !(sign | (segment << 4) as u8 | step as u8)
}

fn mulaw_to(byte: u8) -> i16 {
    let byte = !byte;
    let segment = i32::from(byte >> 4 & 0x07);
    let step = i32::from(byte & 0x0f);
    let level = (((step << 3) + MULAW_BIAS) << segment) - MULAW_BIAS;
    (if byte & 0x80 == 0 { level } else { -level }) as i16
}

fn alaw_from(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let level = if sample < 0 { !i32::from(sample) } else { i32::from(sample) };
    let segment = (24 - level.leading_zeros() as i32).max(0);
    let step = (level >> if segment == 0 { 4 } else { segment + 3 }) & 0x0f;
    (sign | (segment << 4) as u8 | step as u8) ^ 0x55
}

fn alaw_to(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let segment = i32::from(byte >> 4 & 0x07);
    let step = (i32::from(byte & 0x0f) << 4) + 8;
    let level = if segment == 0 { step } else { (step + 0x100) << (segment - 1) };
    (if byte & 0x80 == 0 { -level } else { level }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g711_matches_values_of_the_standard() {
        let known = [(0i16, 0xff, 0xd5), (-8, 0x7e, 0x55), (32_767, 0x80, 0xaa)];
        for (sample, mulaw, alaw) in known {
            assert_eq!(Encoding::Mulaw.encode(&[sample]), [mulaw], "µ-law of {sample}");
            assert_eq!(Encoding::Alaw.encode(&[sample]), [alaw], "A-law of {sample}");
        }
        assert_eq!(Encoding::Mulaw.decode(&[0xff, 0x80, 0x00]), [0, 32_124, -32_124]);
        assert_eq!(Encoding::Alaw.decode(&[0xd5, 0xaa, 0x2a]), [8, 32_256, -32_256]);
    }

    #[test]
    fn bytes_survive_decoding_and_encoding() {
        for byte in 0..=255u8 {
            let same = |encoding: Encoding| encoding.encode(&encoding.decode(&[byte]));
            assert_eq!(same(Encoding::Alaw), [byte]);
            assert_eq!(same(Encoding::Mulaw), [if byte == 0x7f { 0xff } else { byte }]);
        }
    }

    #[test]
    fn wide_encodings_lose_nothing() {
        let samples = [0, 1, -1, i16::MAX, i16::MIN];
        for encoding in [Encoding::S16le, Encoding::F32le] {
            let bytes = encoding.encode(&samples);
            assert_eq!(bytes.len(), samples.len() * encoding.width());
            assert_eq!(encoding.decode(&bytes), samples);
        }
    }
}
