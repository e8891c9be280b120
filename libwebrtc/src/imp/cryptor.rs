//! Keys of a room, and AES-GCM with 128-bit keys for its data packets.
//!
//! What a user gives (a passphrase or a random key) is the material; the key is derived from it
//! and a salt. Turning a key on ("ratchet") derives new material from the old, so that who holds
//! an old key can follow. The numbers below are what LiveKit's clients agree on.

use std::collections::HashMap;
use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, pbkdf2, rand};
use parking_lot::Mutex;
use thiserror::Error;

use crate::native::frame_cryptor::{EncryptedPacket, KeyDerivationAlgorithm, KeyProviderOptions};

/// The rounds of PBKDF2.
const ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).expect("it is not zero");

/// A key, in bytes.
const KEY_LEN: usize = 16;

/// Material that a key was turned on to, in bytes.
const MATERIAL_LEN: usize = 32;

/// What HKDF is told that the key is for, in zero bytes.
const HKDF_INFO_LEN: usize = 128;

/// More keys than any participant has.
const RING_LIMIT: i32 = 256;

/// More turns than are tried on a packet.
const RATCHET_LIMIT: i32 = 64;

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

/// The keys of all participants.
pub(crate) struct Keys {
    options: KeyProviderOptions,
    rings: Mutex<Rings>,
}

/// By participant (none: the key of all) and index.
type Rings = HashMap<(Option<String>, u32), Key>;

#[derive(Clone)]
struct Key {
    material: Vec<u8>,
    key: [u8; KEY_LEN],
}

impl Keys {
    pub(crate) fn new(options: KeyProviderOptions) -> Self {
        Self { options, rings: Mutex::default() }
    }

    /// Whether the index is in the ring.
    pub(crate) fn set(&self, participant: Option<&str>, index: i32, material: Vec<u8>) -> bool {
        let Some(slot) = self.slot(participant, index) else { return false };
        let key = self.derive(material);
        self.rings.lock().insert(slot, key);
        true
    }

    pub(crate) fn get(&self, participant: Option<&str>, index: i32) -> Option<Vec<u8>> {
        let slot = self.slot(participant, index)?;
        self.rings.lock().get(&slot).map(|key| key.material.clone())
    }

    pub(crate) fn ratchet(&self, participant: Option<&str>, index: i32) -> Option<Vec<u8>> {
        let slot = self.slot(participant, index)?;
        let key = self.rings.lock().get(&slot)?.clone();
        let next = self.turn(&key);
        let material = next.material.clone();
        self.rings.lock().insert(slot, next);
        Some(material)
    }

    /// Where a key stands, if the index is in the ring.
    fn slot(&self, participant: Option<&str>, index: i32) -> Option<(Option<String>, u32)> {
        let size = self.options.key_ring_size.clamp(1, RING_LIMIT);
        let index = u32::try_from(index).ok().filter(|_| index < size)?;
        Some((participant.map(str::to_owned), index))
    }

    /// The key for a participant's packets, with its place.
    fn find(
        &self,
        participant: &str,
        index: u32,
    ) -> Result<(Key, (Option<String>, u32)), CryptorError> {
        let owner = (!self.options.shared_key).then_some(participant);
        let slot = i32::try_from(index).ok().and_then(|index| self.slot(owner, index));
        let found = slot.and_then(|slot| Some((self.rings.lock().get(&slot)?.clone(), slot)));
        found.ok_or(CryptorError::MissingKey { participant: participant.to_owned(), index })
    }

    fn derive(&self, material: Vec<u8>) -> Key {
        let mut key = [0; KEY_LEN];
        match self.options.key_derivation_algorithm {
            KeyDerivationAlgorithm::PBKDF2 => self.stretch(&material, &mut key),
            KeyDerivationAlgorithm::HKDF => self.expand(&material, &mut key),
        }
        Key { material, key }
    }

    fn turn(&self, key: &Key) -> Key {
        let mut material = vec![0; MATERIAL_LEN];
        match self.options.key_derivation_algorithm {
            KeyDerivationAlgorithm::PBKDF2 => self.stretch(&key.material, &mut material),
            KeyDerivationAlgorithm::HKDF => self.expand(&key.material, &mut material),
        }
        self.derive(material)
    }

    fn stretch(&self, material: &[u8], out: &mut [u8]) {
        let salt = &self.options.ratchet_salt;
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, material, out);
    }

    fn expand(&self, material: &[u8], out: &mut [u8]) {
        struct Length(usize);
        impl hkdf::KeyType for Length {
            fn len(&self) -> usize {
                self.0
            }
        }
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &self.options.ratchet_salt);
        let info = [0; HKDF_INFO_LEN];
        let key = salt.extract(material);
        let filled = key.expand(&[&info], Length(out.len())).and_then(|okm| okm.fill(out));
        filled.expect("32 bytes are not too many for SHA-256");
    }
}

/// Encrypts a packet of `participant` under its key `index`.
pub(crate) fn seal(
    keys: &Keys,
    participant: &str,
    index: u32,
    data: &[u8],
) -> Result<EncryptedPacket, CryptorError> {
    let (key, _) = keys.find(participant, index)?;
    let mut iv = [0; NONCE_LEN];
    rand::fill(&mut iv).map_err(|_| CryptorError::Cipher)?;
    let mut sealed = data.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let done = cipher(&key).seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed);
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
    let (mut key, slot) = keys.find(participant, packet.key_index)?;
    if let Some(data) = open_with(&key, iv, &packet.data) {
        return Ok(data);
    }
    for _ in 0..keys.options.ratchet_window_size.clamp(0, RATCHET_LIMIT) {
        key = keys.turn(&key);
        if let Some(data) = open_with(&key, iv, &packet.data) {
            keys.rings.lock().insert(slot, key);
            return Ok(data);
        }
    }
    Err(CryptorError::Sealed(packet.key_index))
}

fn open_with(key: &Key, iv: [u8; NONCE_LEN], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut data = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let length = cipher(key).open_in_place(nonce, Aad::empty(), &mut data).ok()?.len();
    data.truncate(length);
    Some(data)
}

fn cipher(key: &Key) -> LessSafeKey {
    let key = UnboundKey::new(&AES_128_GCM, &key.key).expect("the key has the cipher's length");
    LessSafeKey::new(key)
}

#[cfg(test)]
mod tests {
    use super::*;

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
