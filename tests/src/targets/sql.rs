//! A tool's statement as the pipeline's author writes it. What is read holds its names as positions
//! and no name any more: read again it is refused for its positions alone, or was without names.

use voicegraph_database::Dialect;
use voicegraph_nodes::db_tool::decode;

/// Takes the text for a statement of each dialect.
pub fn sql(bytes: &[u8]) {
    let text = super::text(bytes);
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        match decode::statement(text, dialect) {
            Err(refusal) => assert!(!refusal.mistakes.is_empty()),
            Ok(bound) => match decode::statement(&bound.text, dialect) {
                Ok(again) => assert_eq!((again, 0), (bound.clone(), bound.values)),
                Err(refusal) => assert!(bound.values > 0 && refusal.only_positions, "{refusal:?}"),
            },
        }
    }
}
