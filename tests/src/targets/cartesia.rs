//! What Cartesia sends: any text is read or refused, and no word that is read ends before it
//! begins.

use voicegraph_nodes::cartesia_tts::wire::{Body, decode};

/// Takes the text for a message of Cartesia.
pub fn cartesia(bytes: &[u8]) {
    let text = super::text(bytes);
    if let Ok(Body::Words(words)) = decode(text).map(|reply| reply.body) {
        assert!(words.iter().all(|word| word.start <= word.end));
    }
}
