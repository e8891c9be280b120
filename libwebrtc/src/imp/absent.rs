//! What this build leaves out where a signature has no room for an error: it is said in the log,
//! once for each thing and process, so that nothing fails in silence and nothing floods.

use std::collections::BTreeSet;

use parking_lot::Mutex;

/// What was said. It holds no more than the program's own texts.
static SAID: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Warns that `what` does nothing, at the first time; whether it was the first.
pub(crate) fn warn_once(what: &'static str) -> bool {
    let first = SAID.lock().insert(what);
    if first {
        tracing::warn!(what, "not supported by this build of libwebrtc: it does nothing");
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_said_once() {
        let said = ["the one", "the other", "the one"].map(warn_once);
        assert_eq!(said, [true, true, false]);
    }
}
