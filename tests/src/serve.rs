//! `voicegraph serve` as a process of its own, on a free port.

use crate::program::{Process, Variable};

/// The running server. Dropping it kills the process.
pub struct Serve {
    /// Its process.
    pub process: Process,
    /// Where it listens.
    pub authority: String,
}

impl Serve {
    /// Serves with these arguments: the pipelines' folders, and whatever else.
    ///
    /// # Panics
    /// Where it does not say in time where it listens.
    pub async fn start(arguments: &[&str], variables: &[Variable<'_>]) -> Self {
        let arguments = [&["serve"], arguments, &["--listen", "127.0.0.1:0"]].concat();
        let mut process = Process::start(&arguments, variables);
        let authority = process.address("calls at ws://").await;
        Self { process, authority }
    }
}
