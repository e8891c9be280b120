//! What Deepgram sends: any text is read or refused, and every span that is read has its end after
//! its beginning.

use voicegraph_nodes::deepgram_stt::wire::{Incoming, decode};

/// Takes the text for a message of Deepgram.
pub fn deepgram(bytes: &[u8]) {
    let text = super::text(bytes);
    let Ok(Incoming::Results(results)) = decode(text) else { return };
    assert!(results.start <= results.end);
    for word in &results.words {
        let _ = word.middle();
    }
}
