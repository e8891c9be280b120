//! Encrypted data packets of a participant: the first byte is the key's index, twelve are the IV,
//! the rest is sealed. Nobody who has no key makes one that opens; and what we seal opens as it
//! was.

use libwebrtc::native::frame_cryptor::{
    DataPacketCryptor, EncryptedPacket, EncryptionAlgorithm, KeyDerivationAlgorithm, KeyProvider,
    KeyProviderOptions,
};

/// Takes the bytes for a sealed packet.
pub fn cryptor(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let options = KeyProviderOptions {
        shared_key: first & 128 == 128,
        ratchet_window_size: 2,
        ratchet_salt: b"salt".to_vec(),
        failure_tolerance: -1,
        key_ring_size: 4,
        key_derivation_algorithm: KeyDerivationAlgorithm::HKDF,
    };
    let keys = KeyProvider::new(options);
    keys.set_shared_key(0, b"secret".to_vec());
    keys.set_key("ada".to_owned(), 0, b"secret".to_vec());
    let cryptor = DataPacketCryptor::new(EncryptionAlgorithm::AesGcm, keys);
    let (iv, data) = rest.split_at(rest.len().min(usize::from(first & 15)));
    let key_index = u32::from(first >> 4 & 7);
    let packet = EncryptedPacket { data: data.to_vec(), iv: iv.to_vec(), key_index };
    let refused = cryptor.decrypt("ada", &packet).expect_err("nobody has sealed it");
    assert!(!refused.to_string().is_empty());
    let sealed = cryptor.encrypt("ada", 0, data).expect("there is such a key");
    assert_eq!(cryptor.decrypt("ada", &sealed).expect("it is ours"), data);
}
