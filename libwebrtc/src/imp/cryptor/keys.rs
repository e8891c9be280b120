//! Keys of a room: 128 bits, for AES-GCM.
//!
//! What a user gives (a passphrase or a random key) is the material; the key is derived from it
//! and a salt. Turning a key on ("ratchet") derives new material from the old, so that who holds
//! an old key can follow. The numbers below are what LiveKit's clients agree on.

use std::collections::HashMap;
use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_128_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::{hkdf, pbkdf2};
use parking_lot::Mutex;

use crate::native::frame_cryptor::{KeyDerivationAlgorithm, KeyProviderOptions};

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

/// The keys of all participants.
pub(crate) struct Keys {
    options: KeyProviderOptions,
    rings: Mutex<HashMap<Slot, Ring>>,
    /// What ends a frame that the server has put in.
    server_trailer: Mutex<Vec<u8>>,
}

/// A participant (none: all of them) and an index.
type Slot = (Option<String>, u32);

/// A key, and those that it turns on to, as far as they were asked for.
struct Ring {
    key: Key,
    ahead: Vec<Key>,
}

/// What encrypts and decrypts.
#[derive(Clone)]
pub(super) struct Key {
    material: Vec<u8>,
    key: [u8; KEY_LEN],
}

/// What came of trying keys.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tried<T> {
    /// There is no key.
    Missing,
    /// None fits.
    None,
    /// The key fits.
    Fits(T),
    /// A key fits that it turns on to. It is the key from now on.
    Turned(T),
}

impl Keys {
    pub(crate) fn new(options: KeyProviderOptions) -> Self {
        Self { options, rings: Mutex::default(), server_trailer: Mutex::default() }
    }

    /// The same options, and no keys.
    pub(crate) fn without_keys(&self) -> Self {
        Self::new(self.options.clone())
    }

    /// Whether the index is in the ring.
    pub(crate) fn set(&self, participant: Option<&str>, index: i32, material: Vec<u8>) -> bool {
        let Some(slot) = self.slot(participant, index) else { return false };
        let key = self.derive(material);
        self.rings.lock().insert(slot, Ring { key, ahead: Vec::new() });
        true
    }

    pub(crate) fn get(&self, participant: Option<&str>, index: i32) -> Option<Vec<u8>> {
        let slot = self.slot(participant, index)?;
        self.rings.lock().get(&slot).map(|ring| ring.key.material.clone())
    }

    pub(crate) fn ratchet(&self, participant: Option<&str>, index: i32) -> Option<Vec<u8>> {
        let slot = self.slot(participant, index)?;
        let mut rings = self.rings.lock();
        let ring = rings.get_mut(&slot)?;
        ring.look_ahead(self, 1);
        ring.turn(0);
        Some(ring.key.material.clone())
    }

    pub(crate) fn set_server_trailer(&self, trailer: Vec<u8>) {
        *self.server_trailer.lock() = trailer;
    }

    /// Whether the server has put this frame in.
    pub(super) fn is_of_server(&self, frame: &[u8]) -> bool {
        let trailer = self.server_trailer.lock();
        !trailer.is_empty() && frame.ends_with(&trailer)
    }

    /// The key that a participant encrypts with.
    pub(super) fn find(&self, participant: &str, index: u32) -> Option<Key> {
        let slot = self.slot_of(participant, index)?;
        self.rings.lock().get(&slot).map(|ring| ring.key.clone())
    }

    /// Tries a participant's key, then those that it turns on to, of which at most `steps` are
    /// derived now: to derive one takes tens of milliseconds.
    pub(super) fn find_fitting<T>(
        &self,
        participant: &str,
        index: u32,
        steps: usize,
        open: impl Fn(&Key) -> Option<T>,
    ) -> Tried<T> {
        let Some(slot) = self.slot_of(participant, index) else { return Tried::Missing };
        let mut rings = self.rings.lock();
        let Some(ring) = rings.get_mut(&slot) else { return Tried::Missing };
        if let Some(opened) = open(&ring.key) {
            return Tried::Fits(opened);
        }
        let window = self.options.ratchet_window_size.clamp(0, RATCHET_LIMIT) as usize;
        let reach = window.min(ring.ahead.len() + steps);
        for turn in 0..reach {
            ring.look_ahead(self, turn + 1);
            if let Some(opened) = open(&ring.ahead[turn]) {
                ring.turn(turn);
                return Tried::Turned(opened);
            }
        }
        Tried::None
    }

    /// Where a key stands, if the index is in the ring.
    fn slot(&self, participant: Option<&str>, index: i32) -> Option<Slot> {
        let size = self.options.key_ring_size.clamp(1, RING_LIMIT);
        let index = u32::try_from(index).ok().filter(|_| index < size)?;
        Some((participant.map(str::to_owned), index))
    }

    /// Where the key for a participant's packets stands.
    fn slot_of(&self, participant: &str, index: u32) -> Option<Slot> {
        let owner = (!self.options.shared_key).then_some(participant);
        self.slot(owner, i32::try_from(index).ok()?)
    }

    fn derive(&self, material: Vec<u8>) -> Key {
        let mut key = [0; KEY_LEN];
        self.fill(&material, &mut key);
        Key { material, key }
    }

    fn next(&self, key: &Key) -> Key {
        let mut material = vec![0; MATERIAL_LEN];
        self.fill(&key.material, &mut material);
        self.derive(material)
    }

    fn fill(&self, material: &[u8], out: &mut [u8]) {
        match self.options.key_derivation_algorithm {
            KeyDerivationAlgorithm::PBKDF2 => self.stretch(material, out),
            KeyDerivationAlgorithm::HKDF => self.expand(material, out),
        }
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

impl Ring {
    /// Derives keys until `count` are ahead.
    fn look_ahead(&mut self, keys: &Keys, count: usize) {
        while self.ahead.len() < count {
            let last = self.ahead.last().unwrap_or(&self.key);
            self.ahead.push(keys.next(last));
        }
    }

    /// Makes that key of those ahead the key.
    fn turn(&mut self, index: usize) {
        if let Some(key) = self.ahead.drain(..=index).next_back() {
            self.key = key;
        }
    }
}

impl Key {
    pub(super) fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_128_GCM, &self.key).expect("the length is the cipher's");
        LessSafeKey::new(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of one who sets no limits.
    fn keys() -> Keys {
        Keys::new(KeyProviderOptions {
            shared_key: true,
            ratchet_window_size: i32::MAX,
            ratchet_salt: b"salt".to_vec(),
            failure_tolerance: -1,
            key_ring_size: i32::MAX,
            key_derivation_algorithm: KeyDerivationAlgorithm::HKDF,
        })
    }

    #[test]
    fn there_are_no_more_keys_than_the_limit() {
        let keys = keys();
        assert!(keys.set(None, RING_LIMIT - 1, b"secret".to_vec()));
        assert!(!keys.set(None, RING_LIMIT, b"secret".to_vec()));
    }

    #[test]
    fn a_key_is_followed_so_many_turns_and_no_more() {
        for (turns, found) in [(RATCHET_LIMIT, Tried::Turned(())), (RATCHET_LIMIT + 1, Tried::None)]
        {
            let [ours, theirs] = [keys(), keys()];
            for keys in [&ours, &theirs] {
                assert!(keys.set(None, 0, b"secret".to_vec()));
            }
            for _ in 0..turns {
                ours.ratchet(None, 0);
            }
            let wanted = ours.find("ada", 0).expect("it was set").key;
            let open = |key: &Key| (key.key == wanted).then_some(());
            assert_eq!(theirs.find_fitting("ada", 0, 1_000, open), found, "{turns} turns");
        }
    }
}
