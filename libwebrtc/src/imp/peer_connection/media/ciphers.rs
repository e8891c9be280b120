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
