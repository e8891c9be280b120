//! What Cartesia sends: any text is read or refused, and no word that is read ends before it
//! begins.
#![no_main]

use libfuzzer_sys::fuzz_target;
use voicegraph_nodes::cartesia_tts::wire::{Body, decode};

fuzz_target!(|text: &str| {
    if let Ok(Body::Words(words)) = decode(text).map(|reply| reply.body) {
        assert!(words.iter().all(|word| word.start <= word.end));
    }
});
