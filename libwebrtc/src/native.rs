//! What upstream adds outside of browsers: encryption of data, trailers of pictures, random names.

pub mod frame_cryptor;
pub mod packet_trailer;

/// A random name: a UUID of version 4 (RFC 9562, section 5.4).
pub fn create_random_uuid() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has random numbers");
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let number = u128::from_be_bytes(bytes);
    let (a, b, c) = (number >> 96, (number >> 80) & 0xffff, (number >> 64) & 0xffff);
    let (d, e) = ((number >> 48) & 0xffff, number & 0xffff_ffff_ffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
}

/// Trusts one more certificate (DER) at relays that are reached over TLS (`turns:`), in the whole
/// process. Not of upstream's: there, the certificates of the machine count.
pub fn trust_certificate(certificate: &[u8]) -> Result<(), crate::RtcError> {
    let refused = |error| crate::RtcError::invalid_state(format!("certificate refused: {error}"));
    crate::imp::ice::tls::trust(certificate).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_its_version_and_is_new() {
        let names = [create_random_uuid(), create_random_uuid()];
        assert_ne!(names[0], names[1]);
        for name in names {
            let lengths: Vec<usize> = name.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{name}");
            assert_eq!(name.as_bytes()[14], b'4', "{name}");
            assert!(b"89ab".contains(&name.as_bytes()[19]), "{name}");
        }
    }
}
