//! A tool's arguments as a model writes them: any JSON is refused with words for the model, or is
//! bound whole.

use voicegraph_nodes::db_tool::decode;

/// Gives the arguments to a tool.
pub fn arguments(bytes: &[u8]) {
    let Ok(arguments) = serde_json::from_slice(bytes) else { return };
    match decode::arguments(&arguments) {
        Ok(bound) => assert_eq!(bound, 8),
        Err(told) => assert!(!told.is_empty()),
    }
}
