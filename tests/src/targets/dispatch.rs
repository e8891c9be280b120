//! The metadata of a job, and a key of the telephone: metadata is understood, or declined in words
//! that do not repeat it.

use std::sync::LazyLock;

use voicegraph_engine::variables::{Declaration, Declarations, VariableType};
use voicegraph_worker::decode;

/// One of each type, and none has a default, so that each may be missing.
static DECLARED: LazyLock<Declarations> = LazyLock::new(|| {
    let types = [
        ("name", VariableType::String),
        ("visits", VariableType::Integer),
        ("weight", VariableType::Number),
        ("insured", VariableType::Boolean),
    ];
    Declarations::for_test(types.map(|(name, kind)| Declaration {
        name: name.into(),
        kind,
        default: None,
        description: None,
        max_length: 8,
        attribute: None,
    }))
});

/// Where this stands in metadata, it is somebody's.
const PRIVATE: &str = "+441632";

/// Takes the text for metadata, and for a key.
pub fn dispatch(bytes: &[u8]) {
    let text = super::text(bytes);
    if let Err(declined) = decode::dispatch(text, &DECLARED) {
        assert!(!declined.is_empty() && !declined.contains(PRIVATE), "{declined}");
    }
    let code = text.len() as u32;
    assert!(decode::key(code, None).is_ok() == (code < 16));
    let is_key = |key: char| "0123456789*#ABCD".contains(key.to_ascii_uppercase());
    if decode::key(u32::MAX, Some(text)).is_ok() {
        assert!(text.chars().all(is_key) && text.chars().count() == 1, "{text:?}");
    }
}
