//! End-to-end encryption of a section's frames: after the encoder, and before the jitter buffer.

use std::borrow::Cow;
use std::sync::{Arc, Weak};

use super::super::core::Core;
use super::super::notice::Notice;
use crate::imp::audio::source::Packet;
use crate::imp::cryptor::{FrameCipher, Passed};
use crate::native::frame_cryptor::EncryptionState;

/// How many changes of state wait to be told; of more, the oldest are forgotten.
const PENDING_LIMIT: usize = 16;

/// What encrypts and decrypts.
#[derive(Default)]
pub(crate) struct Ciphers {
    seals: Option<Arc<FrameCipher>>,
    opens: Weak<FrameCipher>,
    pending: Vec<(Arc<FrameCipher>, EncryptionState)>,
}

impl Ciphers {
    /// Has `cipher` encrypt what is sent. The section keeps it: whoever forgets it does not by that
    /// send what all can hear.
    pub(crate) fn seal_by(&mut self, cipher: Arc<FrameCipher>) {
        self.seals = Some(cipher);
    }

    /// Has `cipher` decrypt what is received, as long as somebody keeps it.
    pub(crate) fn open_by(&mut self, cipher: Weak<FrameCipher>) {
        self.opens = cipher;
    }

    /// The packet as it may be sent.
    pub(super) fn seal(&mut self, packet: Packet) -> Option<Packet> {
        let Some(cipher) = self.seals.clone() else { return Some(packet) };
        let passed = cipher.seal(&packet.payload);
        let payload = self.note(cipher, passed)?.into();
        Some(Packet { payload, ..packet })
    }

    /// What may be played of a frame.
    pub(super) fn open<'a>(&mut self, frame: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let Some(cipher) = self.opens.upgrade() else { return Some(frame.into()) };
        let passed = cipher.open(frame);
        self.note(cipher, passed).map(Cow::Owned)
    }

    fn note(&mut self, cipher: Arc<FrameCipher>, passed: Passed) -> Option<Vec<u8>> {
        if let Some(state) = passed.state {
            if self.pending.len() == PENDING_LIMIT {
                self.pending.remove(0);
            }
            self.pending.push((cipher, state));
        }
        passed.frame
    }
}

impl Core {
    /// Tells the changes of state since the last time.
    pub(in super::super) fn tell_encryption(&mut self) {
        let transceivers = self.transceivers.iter_mut();
        let pending: Vec<_> = transceivers.flat_map(|it| it.ciphers.pending.drain(..)).collect();
        for (cipher, state) in pending {
            self.tell(Notice::Encryption(cipher, state));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imp::cryptor::Keys;
    use crate::native::frame_cryptor::{KeyDerivationAlgorithm, KeyProviderOptions};

    /// A frame that does not open, and says that it is encrypted with the key of that index.
    fn frame(index: u8) -> Vec<u8> {
        let mut frame = vec![0x78; 60];
        frame.extend([12, index]);
        frame
    }

    #[test]
    fn of_too_many_changes_the_oldest_are_forgotten() {
        let keys = Keys::new(KeyProviderOptions {
            shared_key: true,
            ratchet_window_size: 0,
            ratchet_salt: b"salt".to_vec(),
            failure_tolerance: -1,
            key_ring_size: 16,
            key_derivation_algorithm: KeyDerivationAlgorithm::HKDF,
        });
        assert!(keys.set(None, 0, b"secret".to_vec()));
        let cipher = Arc::new(FrameCipher::new("ada".to_owned(), Arc::new(keys)));
        cipher.set_enabled(true);
        let mut ciphers = Ciphers::default();
        ciphers.open_by(Arc::downgrade(&cipher));
        for number in 0..PENDING_LIMIT + 7 {
            assert_eq!(ciphers.open(&frame(number as u8 % 2)), None);
        }
        let states: Vec<_> = ciphers.pending.iter().map(|(_, state)| *state).collect();
        let [failed, missing] = [EncryptionState::DecryptionFailed, EncryptionState::MissingKey];
        assert_eq!(states, [missing, failed].repeat(PENDING_LIMIT / 2));
    }
}
