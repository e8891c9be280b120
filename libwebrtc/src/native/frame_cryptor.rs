//! End-to-end encryption: of data packets (complete), and of media (not in this build).

#![expect(clippy::needless_pass_by_value, reason = "the signatures are upstream's")]

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::packet_trailer::PacketTrailerHandler;
use crate::imp::cryptor::{Keys, open, seal};
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
    /// For media: how many failures are borne. Not used for data.
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

    /// Does nothing: it is for media.
    pub fn set_sif_trailer(&self, _trailer: Vec<u8>) {}
}

/// Would encrypt a track. Media is not encrypted in this build: it stays off, says
/// [`EncryptionState::InternalError`] to whoever listens, and logs an error when switched on.
#[derive(Clone)]
pub struct FrameCryptor {
    participant_id: String,
}

impl FrameCryptor {
    /// For what is sent.
    pub fn new_for_rtp_sender(
        _peer_factory: &PeerConnectionFactory,
        participant_id: String,
        _algorithm: EncryptionAlgorithm,
        _key_provider: KeyProvider,
        _sender: RtpSender,
    ) -> Self {
        Self { participant_id }
    }

    /// For what is received.
    pub fn new_for_rtp_receiver(
        _peer_factory: &PeerConnectionFactory,
        participant_id: String,
        _algorithm: EncryptionAlgorithm,
        _key_provider: KeyProvider,
        _receiver: RtpReceiver,
    ) -> Self {
        Self { participant_id }
    }

    /// Logs an error where `enabled`: media stays as it is.
    pub fn set_enabled(&self, enabled: bool) {
        if enabled {
            tracing::error!("encryption of media is not supported by this build of libwebrtc");
        }
    }

    /// Never.
    pub fn enabled(&self) -> bool {
        false
    }

    /// Does nothing.
    pub fn set_key_index(&self, _index: i32) {}

    /// The first.
    pub fn key_index(&self) -> i32 {
        0
    }

    /// Whose track it is.
    pub fn participant_id(&self) -> String {
        self.participant_id.clone()
    }

    /// Tells `handler` at once that media is not encrypted.
    pub fn on_state_change(&self, handler: Option<OnStateChange>) {
        if let Some(mut handler) = handler {
            handler(self.participant_id.clone(), EncryptionState::InternalError);
        }
    }

    /// Does nothing: no picture has a trailer.
    pub fn set_packet_trailer_handler(&self, _handler: &PacketTrailerHandler) {}
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
