//! What connections share: the script, the counters, the log.

use std::io::Write;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::log::Log;
use crate::script::Script;
use crate::{cartesia, deepgram, openai};

/// Everything that outlives a connection.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) script: Script,
    pub(crate) log: Log,
    pub(crate) deepgram: deepgram::Shared,
    pub(crate) openai: openai::Shared,
    pub(crate) cartesia: cartesia::Shared,
}

impl World {
    /// A world in which nothing has happened yet.
    pub(super) fn new(script: Script) -> Self {
        Self {
            cartesia: cartesia::Shared::new(script.cartesia.clone()),
            script,
            log: Log::default(),
            deepgram: deepgram::Shared::default(),
            openai: openai::Shared::default(),
        }
    }

    /// The same with a log.
    pub(super) fn with_log(self, sink: impl Write + Send + 'static) -> Self {
        Self { log: Log::new(sink), ..self }
    }
}

/// The key in `Authorization: <scheme> <key>`, where the scheme is one of `schemes` in any case.
/// The key `invalid` counts as none, so that a client can try being refused.
pub(crate) fn credential<'h>(headers: &'h HeaderMap, schemes: &[&str]) -> Option<&'h str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    let known = schemes.iter().any(|name| name.eq_ignore_ascii_case(scheme));
    valid(key.trim()).filter(|_| known)
}

/// `key`, unless it is empty or `invalid`.
pub(crate) fn valid(key: &str) -> Option<&str> {
    (!key.is_empty() && key != "invalid").then_some(key)
}
