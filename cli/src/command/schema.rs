//! `voicegraph schema`: the JSON Schema of pipeline files.

use voicegraph_engine::config;

use crate::output::print;

/// Prints the schema.
pub(crate) fn run() -> anyhow::Result<()> {
    print(&format!("{:#}\n", config::schema(&voicegraph_nodes::registry())))
}
