//! Data packets under AES-GCM.

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use aws_lc_rs::rand;
use thiserror::Error;

use super::keys::{Key, Keys, Tried};
use crate::native::frame_cryptor::EncryptedPacket;

/// Why a packet was not encrypted or decrypted.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum CryptorError {
    #[error("there is no key {index} of `{participant}`")]
    MissingKey { participant: String, index: u32 },
    #[error("an IV has {NONCE_LEN} bytes, this one {0}")]
    Iv(usize),
    #[error("the packet does not open with key {0}")]
    Sealed(u32),
    #[error("the cipher failed")]
    Cipher,
}

/// Encrypts a packet of `participant` under its key `index`.
pub(crate) fn seal(
    keys: &Keys,
    participant: &str,
    index: u32,
    data: &[u8],
) -> Result<EncryptedPacket, CryptorError> {
    let key = keys.find(participant, index).ok_or_else(|| missing(participant, index))?;
    let mut iv = [0; NONCE_LEN];
    rand::fill(&mut iv).map_err(|_| CryptorError::Cipher)?;
    let mut sealed = data.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let done = key.cipher().seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed);
    done.map_err(|_| CryptorError::Cipher)?;
    Ok(EncryptedPacket { data: sealed, iv: iv.to_vec(), key_index: index })
}

/// Decrypts a packet of `participant`, and follows its key where it was turned on.
pub(crate) fn open(
    keys: &Keys,
    participant: &str,
    packet: &EncryptedPacket,
) -> Result<Vec<u8>, CryptorError> {
    let iv = packet.iv.as_slice().try_into().map_err(|_| CryptorError::Iv(packet.iv.len()))?;
    let index = packet.key_index;
    let open = |key: &Key| open_with(key, iv, &packet.data);
    match keys.find_fitting(participant, index, usize::MAX / 2, open) {
        Tried::Fits(data) | Tried::Turned(data) => Ok(data),
        Tried::None => Err(CryptorError::Sealed(index)),
        Tried::Missing => Err(missing(participant, index)),
    }
}

fn open_with(key: &Key, iv: [u8; NONCE_LEN], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut data = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let length = key.cipher().open_in_place(nonce, Aad::empty(), &mut data).ok()?.len();
    data.truncate(length);
    Some(data)
}

fn missing(participant: &str, index: u32) -> CryptorError {
    CryptorError::MissingKey { participant: participant.to_owned(), index }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::frame_cryptor::{KeyDerivationAlgorithm, KeyProviderOptions};

    fn keys(window: i32, algorithm: KeyDerivationAlgorithm) -> Keys {
        Keys::new(KeyProviderOptions {
            shared_key: false,
            ratchet_window_size: window,
            ratchet_salt: b"salt".to_vec(),
            failure_tolerance: -1,
            key_ring_size: 16,
            key_derivation_algorithm: algorithm,
        })
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key_only() {
        for algorithm in [KeyDerivationAlgorithm::PBKDF2, KeyDerivationAlgorithm::HKDF] {
            let [ours, theirs, other] = [0; 3].map(|window| keys(window, algorithm));
            assert!(ours.set(Some("ada"), 3, b"secret".to_vec()));
            assert!(theirs.set(Some("ada"), 3, b"secret".to_vec()));
            assert!(other.set(Some("ada"), 3, b"guess".to_vec()));
            let packet = seal(&ours, "ada", 3, b"hello").unwrap();
            assert_ne!(packet.data[..5], *b"hello");
            assert_eq!(open(&theirs, "ada", &packet).as_deref(), Ok(b"hello".as_slice()));
            assert_eq!(open(&other, "ada", &packet), Err(CryptorError::Sealed(3)));
        }
    }

    #[test]
    fn a_changed_packet_does_not_open() {
        let keys = keys(0, KeyDerivationAlgorithm::HKDF);
        keys.set(Some("ada"), 0, b"secret".to_vec());
        let mut packet = seal(&keys, "ada", 0, b"hello").unwrap();
        packet.data[0] ^= 1;
        assert_eq!(open(&keys, "ada", &packet), Err(CryptorError::Sealed(0)));
        packet.iv.pop();
        assert_eq!(open(&keys, "ada", &packet), Err(CryptorError::Iv(11)));
    }

    #[test]
    fn a_key_that_was_turned_on_is_followed_within_the_window() {
        let [ours, near, far] = [0, 2, 1].map(|window| keys(window, KeyDerivationAlgorithm::HKDF));
        for keys in [&ours, &near, &far] {
            keys.set(Some("ada"), 0, b"secret".to_vec());
        }
        assert!(ours.ratchet(Some("ada"), 0).is_some());
        let turned = ours.ratchet(Some("ada"), 0);
        let packet = seal(&ours, "ada", 0, b"hello").unwrap();
        assert_eq!(open(&near, "ada", &packet).as_deref(), Ok(b"hello".as_slice()));
        assert_eq!(near.get(Some("ada"), 0), turned);
        assert_eq!(open(&far, "ada", &packet), Err(CryptorError::Sealed(0)));
    }

    #[test]
    fn keys_that_are_not_there_are_named() {
        let keys = keys(0, KeyDerivationAlgorithm::HKDF);
        assert!(!keys.set(None, 16, vec![1]));
        assert!(!keys.set(None, -1, vec![1]));
        let missing = CryptorError::MissingKey { participant: "ada".to_owned(), index: 1 };
        assert_eq!(seal(&keys, "ada", 1, b"hello").unwrap_err(), missing);
    }
}
