//! `voicegraph schema`: the JSON Schema of pipeline files.

use voicegraph_engine::config;

/// Prints the schema.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("{:#}", config::schema(&voicegraph_nodes::registry()));
    Ok(())
}
