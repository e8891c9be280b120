//! A script of the simulators, and after a record separator (0x1e) the bytes of every WAV file that
//! it names: any is read, or refused with words.

use std::io;

use voicegraph_simulators::{Files, Script};

struct Same<'a>(&'a [u8]);

impl Files for Same<'_> {
    fn read(&self, _: &str) -> io::Result<Vec<u8>> {
        Ok(self.0.to_vec())
    }
}

/// Takes the bytes for a script.
pub fn script(bytes: &[u8]) {
    let cut = bytes.iter().position(|byte| *byte == 0x1e).unwrap_or(bytes.len());
    let (text, wav) = bytes.split_at(cut);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let wav = wav.strip_prefix(b"\x1e").unwrap_or_default();
    match Script::from_toml(text, &Same(wav)) {
        Ok(script) => drop(script.caller.to_transport()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
