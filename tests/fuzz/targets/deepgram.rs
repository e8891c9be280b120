//! What Deepgram sends: any text is read or refused, and every span that is read has its end after
//! its beginning.
#![no_main]

use libfuzzer_sys::fuzz_target;
use voicegraph_nodes::deepgram_stt::wire::{Incoming, decode};

fuzz_target!(|text: &str| {
    let Ok(Incoming::Results(results)) = decode(text) else { return };
    assert!(results.start <= results.end);
    for word in &results.words {
        let _ = word.middle();
    }
});
