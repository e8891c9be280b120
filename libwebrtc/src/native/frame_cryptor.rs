//! End-to-end encryption, of data packets and of sound: only the participants have the keys, the
//! server has not.

#![expect(clippy::needless_pass_by_value, reason = "the signatures are upstream's")]

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::packet_trailer::PacketTrailerHandler;
use crate::imp::absent;
use crate::imp::cryptor::{FrameCipher, Keys, open, seal};
use crate::peer_connection_factory::PeerConnectionFactory;
use crate::rtp_receiver::RtpReceiver;
use crate::rtp_sender::RtpSender;

/// Called with a participant and the state of its media's encryption.
pub type OnStateChange = Box<dyn FnMut(String, EncryptionState) + Send + Sync>;

/// How a key is made of what a user gives.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub enum KeyDerivationAlgorithm {
    /// For passphrases: slow on purpose.
    PBKDF2,
    /// For random keys.
    HKDF,
}

/// How keys are kept.
#[derive(Clone)]
pub struct KeyProviderOptions {
    /// Whether all participants use one key.
    pub shared_key: bool,
    /// How many times a key is turned on when a packet does not open with it; 0 is never.
    pub ratchet_window_size: i32,
    /// What keys are mixed with.
    pub ratchet_salt: Vec<u8>,
    /// After how many frames that do not open a key is given up; less than 0 is never. Not used: a
    /// frame that does not open is dropped, and the next one is tried.
    pub failure_tolerance: i32,
    /// How many keys a participant has at once, 1 to 256.
    pub key_ring_size: i32,
    /// How a key is made of what a user gives.
    pub key_derivation_algorithm: KeyDerivationAlgorithm,
}

/// A cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncryptionAlgorithm {
    /// The one in use.
    AesGcm,
    /// A name of upstream's; an error here.
    AesCbc,
}

/// The state of the encryption of a participant's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncryptionState {
    /// Not begun.
    New,
    /// It works.
    Ok,
    /// Ours fails.
    EncryptionFailed,
    /// The key does not fit.
    DecryptionFailed,
    /// There is no key.
    MissingKey,
    /// The key was turned on.
    KeyRatcheted,
    /// Something else is wrong.
    InternalError,
}

/// A packet under a key.
#[derive(Debug, Clone)]
pub struct EncryptedPacket {
    /// The cipher text with its tag.
    pub data: Vec<u8>,
    /// What makes it differ from others under the same key: 12 bytes.
    pub iv: Vec<u8>,
    /// Which of the participant's keys.
    pub key_index: u32,
}

/// The keys of a room; clones are the same keys.
#[derive(Clone)]
pub struct KeyProvider {
    pub(crate) keys: Arc<Keys>,
}

impl KeyProvider {
    /// No keys yet.
    pub fn new(options: KeyProviderOptions) -> Self {
        Self { keys: Arc::new(Keys::new(options)) }
    }

    /// Sets the key of all; whether the index is in the ring.
    pub fn set_shared_key(&self, key_index: i32, key: Vec<u8>) -> bool {
        self.keys.set(None, key_index, key)
    }

    /// Turns on the key of all, and returns it.
    pub fn ratchet_shared_key(&self, key_index: i32) -> Option<Vec<u8>> {
        self.keys.ratchet(None, key_index)
    }

    /// The key of all.
    pub fn get_shared_key(&self, key_index: i32) -> Option<Vec<u8>> {
        self.keys.get(None, key_index)
    }

    /// Sets a participant's key; whether the index is in the ring.
    pub fn set_key(&self, participant_id: String, key_index: i32, key: Vec<u8>) -> bool {
        self.keys.set(Some(&participant_id), key_index, key)
    }

    /// Turns on a participant's key, and returns it.
    pub fn ratchet_key(&self, participant_id: String, key_index: i32) -> Option<Vec<u8>> {
        self.keys.ratchet(Some(&participant_id), key_index)
    }

    /// A participant's key.
    pub fn get_key(&self, participant_id: String, key_index: i32) -> Option<Vec<u8>> {
        self.keys.get(Some(&participant_id), key_index)
    }

    /// Sets how frames end that the server puts in by itself. As they are not encrypted, they are
    /// not played.
    pub fn set_sif_trailer(&self, trailer: Vec<u8>) {
        self.keys.set_server_trailer(trailer);
    }
}

/// Encrypts or decrypts a track of sound by AES-GCM with keys of 128 bits; clones are the same.
///
/// While it is enabled, what it cannot encrypt is not sent, and what it cannot decrypt is not
/// played. Pictures are neither sent nor received in this build.
#[derive(Clone)]
pub struct FrameCryptor {
    cipher: Arc<FrameCipher>,
}

impl FrameCryptor {
    /// For what is sent. It stays with the sender, for whatever track, until that stops.
    pub fn new_for_rtp_sender(
        _peer_factory: &PeerConnectionFactory,
        participant_id: String,
        algorithm: EncryptionAlgorithm,
        key_provider: KeyProvider,
        sender: RtpSender,
    ) -> Self {
        let cryptor = Self::new(participant_id, algorithm, key_provider);
        let cipher = cryptor.cipher.clone();
        sender.handle.write(|transceiver| transceiver.ciphers.seal_by(cipher));
        cryptor
    }

    /// For what is received. The receiver forgets it when the last clone is dropped.
    pub fn new_for_rtp_receiver(
        _peer_factory: &PeerConnectionFactory,
        participant_id: String,
        algorithm: EncryptionAlgorithm,
        key_provider: KeyProvider,
        receiver: RtpReceiver,
    ) -> Self {
        let cryptor = Self::new(participant_id, algorithm, key_provider);
        let cipher = Arc::downgrade(&cryptor.cipher);
        receiver.handle.write(|transceiver| transceiver.ciphers.open_by(cipher));
        cryptor
    }

    /// With another cipher than AES-GCM there are no keys for it, so that nothing passes.
    fn new(participant: String, algorithm: EncryptionAlgorithm, provider: KeyProvider) -> Self {
        let keys = match algorithm {
            EncryptionAlgorithm::AesGcm => provider.keys,
            EncryptionAlgorithm::AesCbc => {
                tracing::error!("AES-CBC is not supported by this build of libwebrtc");
                Arc::new(provider.keys.without_keys())
            }
        };
        Self { cipher: Arc::new(FrameCipher::new(participant, keys)) }
    }

    /// Switches it. What is off lets everything pass as it is.
    pub fn set_enabled(&self, enabled: bool) {
        self.cipher.set_enabled(enabled);
    }

    /// Whether it is on; no at first.
    pub fn enabled(&self) -> bool {
        self.cipher.enabled()
    }

    /// Encrypts with that key of the participant from now on. What is received says its key. An
    /// index that is not in the ring is as a key that is missing.
    pub fn set_key_index(&self, index: i32) {
        self.cipher.set_index(u32::try_from(index).unwrap_or(u32::MAX));
    }

    /// The key in use, from 0; -1 where the one that was set cannot be.
    pub fn key_index(&self) -> i32 {
        i32::try_from(self.cipher.index()).unwrap_or(-1)
    }

    /// Whose track it is.
    pub fn participant_id(&self) -> String {
        self.cipher.participant().to_owned()
    }

    /// Sets what is called when the state changes, by the connection's task.
    pub fn on_state_change(&self, handler: Option<OnStateChange>) {
        self.cipher.on_state.set(handler);
    }

    /// Does nothing, and warns once: no picture has a trailer.
    pub fn set_packet_trailer_handler(&self, _handler: &PacketTrailerHandler) {
        absent::warn_once("trailers of pictures");
    }
}

/// Encrypts data packets by AES-GCM with keys of 128 bits.
#[derive(Clone)]
pub struct DataPacketCryptor {
    algorithm: EncryptionAlgorithm,
    keys: Arc<Keys>,
}

impl DataPacketCryptor {
    /// With the keys of `key_provider`.
    pub fn new(algorithm: EncryptionAlgorithm, key_provider: KeyProvider) -> Self {
        Self { algorithm, keys: key_provider.keys }
    }

    /// Encrypts a packet of ours.
    pub fn encrypt(
        &self,
        participant_id: &str,
        key_index: u32,
        data: &[u8],
    ) -> Result<EncryptedPacket, Box<dyn Error>> {
        self.check_algorithm()?;
        Ok(seal(&self.keys, participant_id, key_index, data)?)
    }

    /// Decrypts a packet of `participant_id`.
    pub fn decrypt(
        &self,
        participant_id: &str,
        encrypted_packet: &EncryptedPacket,
    ) -> Result<Vec<u8>, Box<dyn Error>> {
        self.check_algorithm()?;
        Ok(open(&self.keys, participant_id, encrypted_packet)?)
    }

    fn check_algorithm(&self) -> Result<(), Box<dyn Error>> {
        match self.algorithm {
            EncryptionAlgorithm::AesGcm => Ok(()),
            EncryptionAlgorithm::AesCbc => Err("AES-CBC is not supported by this build".into()),
        }
    }
}

impl fmt::Debug for KeyProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyProvider(***)")
    }
}
