//! Where the WAV files that a script names come from.

use std::io;
use std::path::PathBuf;

/// Gives the bytes of a file by the path a script writes, relative to the script.
pub trait Files {
    /// Reads the whole file at `path`.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
}

/// The files of one directory.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.0.join(path))
    }
}
