//! `voicegraph simulate` as a process of its own, on a free port.

use std::path::Path;

use serde_json::Value;

use crate::program::{Process, Variable};

/// The running simulators. Dropping them kills the process.
pub struct Simulate {
    /// The providers' base URLs, as the JSON object that the process printed.
    pub bases: String,
    /// Its process.
    pub process: Process,
}

impl Simulate {
    /// Starts the simulators that behave as `script` says, or as in the demo.
    ///
    /// # Panics
    /// Where they do not say in time where they listen.
    pub async fn start(script: Option<&Path>) -> Self {
        Self::start_logged(script, None).await
    }

    /// The same, with a log of what comes and goes.
    ///
    /// # Panics
    /// Where they do not say in time where they listen.
    pub async fn start_logged(script: Option<&Path>, log: Option<&Path>) -> Self {
        let mut arguments = vec!["simulate", "--listen", "127.0.0.1:0"];
        for (option, path) in [("--script", script), ("--log-file", log)] {
            let path = path.map(|path| path.to_str().expect("the path is text"));
            arguments.extend(path.into_iter().flat_map(|path| [option, path]));
        }
        let mut process = Process::start(&arguments, &[]);
        Self { bases: process.line_with("{").await, process }
    }

    /// The base URL of one of them.
    ///
    /// # Panics
    /// Where the process did not print it.
    pub fn base(&self, provider: &str) -> String {
        let bases: Value = serde_json::from_str(&self.bases).expect("the line is JSON");
        let base = bases[provider].as_str();
        base.unwrap_or_else(|| panic!("no {provider} in {bases}")).to_owned()
    }

    /// The variables that lead the clinic's providers here, with keys that are let in.
    ///
    /// # Panics
    /// Where the process did not print the base URLs of all three.
    pub fn variables(&self) -> Vec<(String, String)> {
        let variables = ["deepgram", "openai", "cartesia"].map(|provider| {
            let name = provider.to_uppercase();
            let key = (format!("{name}_API_KEY"), "test-key".to_owned());
            [(format!("{name}_BASE_URL"), self.base(provider)), key]
        });
        variables.into_iter().flatten().collect()
    }

    /// Kills the process and waits for its end.
    ///
    /// # Panics
    /// Where it had ended before.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}

/// Variables as the program takes them.
pub fn borrowed(variables: &[(String, String)]) -> Vec<Variable<'_>> {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
