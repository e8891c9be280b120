//! Frames of media under AES-GCM: what the encoder made, before it becomes packets.
//!
//! ```text
//!  first byte of Opus, plain │ cipher text │ tag: 16 │ IV: 12 │ 12 │ key index
//!  └── authenticated ──┘
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use aws_lc_rs::rand;
use parking_lot::Mutex;

use super::keys::{Key, Keys, Tried};
use crate::imp::callback::Callback;
use crate::native::frame_cryptor::{EncryptionState, OnStateChange};

/// How much of a frame stays plain: the byte that says how Opus has coded it.
const HEADER_LEN: usize = 1;

/// What follows the IV: its length, and the key's index.
const TRAILER_LEN: usize = 2;

/// How many keys ahead are derived for one frame that does not open, as frames do not wait.
const STEPS: usize = 1;

/// What encrypts or decrypts the frames of one track.
pub(crate) struct FrameCipher {
    participant: String,
    keys: Arc<Keys>,
    enabled: AtomicBool,
    index: AtomicU32,
    state: Mutex<EncryptionState>,
    /// Called by the connection's task.
    pub(crate) on_state: Callback<OnStateChange>,
}

/// What came of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// What goes on; none is a frame that must not.
    pub(crate) frame: Option<Vec<u8>>,
    /// The state, where it has changed.
    pub(crate) state: Option<EncryptionState>,
}

impl FrameCipher {
    /// Off, with the first key.
    pub(crate) fn new(participant: String, keys: Arc<Keys>) -> Self {
        let state = Mutex::new(EncryptionState::New);
        let (enabled, index, on_state) = Default::default();
        Self { participant, keys, enabled, index, state, on_state }
    }

    pub(crate) fn participant(&self) -> &str {
        &self.participant
    }

    pub(crate) fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Relaxed);
    }

    pub(crate) fn enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    pub(crate) fn set_index(&self, index: u32) {
        self.index.store(index, Ordering::Relaxed);
    }

    pub(crate) fn index(&self) -> u32 {
        self.index.load(Ordering::Relaxed)
    }

    /// Encrypts a frame. While it is on and cannot, nothing goes on.
    pub(crate) fn seal(&self, frame: &[u8]) -> Passed {
        if !self.enabled() {
            return Passed { frame: Some(frame.to_vec()), state: None };
        }
        let index = self.index();
        let (Some(key), Ok(byte)) = (self.keys.find(&self.participant, index), u8::try_from(index))
        else {
            return self.pass(None, EncryptionState::MissingKey);
        };
        match seal_with(&key, frame, byte) {
            Some(sealed) => self.pass(Some(sealed), EncryptionState::Ok),
            None => self.pass(None, EncryptionState::EncryptionFailed),
        }
    }

    /// Decrypts a frame, and follows its key where it was turned on. While it is on and cannot,
    /// nothing goes on, nor do frames of the server's own.
    pub(crate) fn open(&self, frame: &[u8]) -> Passed {
        if !self.enabled() {
            return Passed { frame: Some(frame.to_vec()), state: None };
        }
        if self.keys.is_of_server(frame) {
            return Passed { frame: None, state: None };
        }
        let Some((iv, index, sealed)) = split(frame) else {
            return self.pass(None, EncryptionState::DecryptionFailed);
        };
        let open = |key: &Key| open_with(key, iv, sealed);
        match self.keys.find_fitting(&self.participant, index.into(), STEPS, open) {
            Tried::Fits(frame) => self.pass(Some(frame), EncryptionState::Ok),
            Tried::Turned(frame) => self.pass(Some(frame), EncryptionState::KeyRatcheted),
            Tried::None => self.pass(None, EncryptionState::DecryptionFailed),
            Tried::Missing => self.pass(None, EncryptionState::MissingKey),
        }
    }

    fn pass(&self, frame: Option<Vec<u8>>, state: EncryptionState) -> Passed {
        let last = std::mem::replace(&mut *self.state.lock(), state);
        Passed { frame, state: (last != state).then_some(state) }
    }
}

fn seal_with(key: &Key, frame: &[u8], index: u8) -> Option<Vec<u8>> {
    let (header, payload) = frame.split_at_checked(HEADER_LEN)?;
    let mut iv = [0; NONCE_LEN];
    rand::fill(&mut iv).ok()?;
    let mut sealed = payload.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    key.cipher().seal_in_place_append_tag(nonce, Aad::from(header), &mut sealed).ok()?;
    Some([header, &sealed, &iv, &[NONCE_LEN as u8, index]].concat())
}

/// A frame's IV, the index of its key, and what it had before both were put behind it.
fn split(frame: &[u8]) -> Option<([u8; NONCE_LEN], u8, &[u8])> {
    let (rest, trailer) = frame.split_at_checked(frame.len().checked_sub(TRAILER_LEN)?)?;
    let (sealed, iv) = rest.split_at_checked(rest.len().checked_sub(NONCE_LEN)?)?;
    let is_ours = usize::from(trailer[0]) == NONCE_LEN;
    is_ours.then_some((iv.try_into().ok()?, trailer[1], sealed))
}

fn open_with(key: &Key, iv: [u8; NONCE_LEN], sealed: &[u8]) -> Option<Vec<u8>> {
    let (header, payload) = sealed.split_at_checked(HEADER_LEN)?;
    let mut payload = payload.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let opened = key.cipher().open_in_place(nonce, Aad::from(header), &mut payload).ok()?;
    Some([header, opened].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::frame_cryptor::{KeyDerivationAlgorithm, KeyProviderOptions};

    /// A frame as an encoder might make it.
    const FRAME: [u8; 6] = [0x78, 1, 2, 3, 4, 5];

    fn cipher() -> FrameCipher {
        let keys = Keys::new(KeyProviderOptions {
            shared_key: true,
            ratchet_window_size: 2,
            ratchet_salt: b"salt".to_vec(),
            failure_tolerance: -1,
            key_ring_size: 16,
            key_derivation_algorithm: KeyDerivationAlgorithm::HKDF,
        });
        let cipher = FrameCipher::new("ada".to_owned(), Arc::new(keys));
        cipher.set_enabled(true);
        cipher
    }

    fn keyed(material: &[u8]) -> FrameCipher {
        let cipher = cipher();
        assert!(cipher.keys.set(None, 0, material.to_vec()));
        cipher
    }

    fn sealed(cipher: &FrameCipher) -> Vec<u8> {
        cipher.seal(&FRAME).frame.expect("there is a key")
    }

    #[test]
    fn a_frame_opens_with_the_same_key_and_only_then() {
        let [ours, theirs, other] = [b"secret", b"secret", b"guess!"].map(|it| keyed(it));
        let frame = sealed(&ours);
        assert_eq!(frame.len(), FRAME.len() + 16 + 12 + 2);
        assert_eq!((frame[0], &frame[frame.len() - 2..]), (FRAME[0], &[12, 0][..]));
        assert!(frame.windows(3).all(|window| window != &FRAME[1..4]));
        let opened = Passed { frame: Some(FRAME.to_vec()), state: Some(EncryptionState::Ok) };
        assert_eq!(theirs.open(&frame), opened);
        assert_eq!(theirs.open(&frame).state, None);
        let failed = Passed { frame: None, state: Some(EncryptionState::DecryptionFailed) };
        assert_eq!(other.open(&frame), failed);
        assert_ne!(sealed(&ours), frame);
    }

    #[test]
    fn no_byte_of_a_frame_can_be_changed() {
        let [ours, theirs] = [b"secret", b"secret"].map(|it| keyed(it));
        let frame = sealed(&ours);
        for index in 0..frame.len() {
            let mut changed = frame.clone();
            changed[index] ^= 1;
            assert_eq!(theirs.open(&changed).frame, None, "byte {index}");
        }
        for length in 0..frame.len() {
            assert_eq!(theirs.open(&frame[..length]).frame, None, "{length} bytes");
        }
    }

    #[test]
    fn nothing_goes_out_without_a_key() {
        let missing = Passed { frame: None, state: Some(EncryptionState::MissingKey) };
        let ours = cipher();
        assert_eq!(ours.seal(&FRAME), missing);
        assert_eq!(ours.seal(&FRAME).state, None);
        assert_eq!(cipher().open(&sealed(&keyed(b"secret"))), missing);
    }

    #[test]
    fn a_plain_frame_does_not_come_in() {
        assert_eq!(keyed(b"secret").open(&FRAME).frame, None);
        assert_eq!(keyed(b"secret").open(&[9; 200]).frame, None);
    }

    #[test]
    fn a_key_that_was_turned_on_is_followed() {
        let [ours, theirs] = [b"secret", b"secret"].map(|it| keyed(it));
        ours.keys.ratchet(None, 0);
        let opened = theirs.open(&sealed(&ours));
        assert_eq!(opened.state, Some(EncryptionState::KeyRatcheted));
        assert_eq!(theirs.keys.get(None, 0), ours.keys.get(None, 0));
    }

    #[test]
    fn frames_of_the_server_are_passed_over() {
        let theirs = keyed(b"secret");
        theirs.keys.set_server_trailer(b"LIVEKIT".to_vec());
        let passed = Passed { frame: None, state: None };
        assert_eq!(theirs.open(b"\x78\x01LIVEKIT"), passed);
    }

    #[test]
    fn what_is_off_changes_nothing() {
        let ours = cipher();
        ours.set_enabled(false);
        assert_eq!(ours.seal(&FRAME).frame, Some(FRAME.to_vec()));
        assert_eq!(ours.open(&FRAME).frame, Some(FRAME.to_vec()));
    }
}
