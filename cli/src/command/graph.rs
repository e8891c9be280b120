//! `voicegraph graph`: the pipeline as a drawing.

use voicegraph_engine::graph::render;

use crate::args::{Graph, GraphFormat};
use crate::output::print;
use crate::pipeline;

/// Prints the drawing.
pub(crate) fn run(arguments: &Graph) -> anyhow::Result<()> {
    let graph = pipeline::compile(&arguments.pipeline)?;
    let draw = match arguments.format {
        GraphFormat::Svg => render::svg,
        GraphFormat::Mermaid => render::mermaid,
        GraphFormat::Dot => render::dot,
        GraphFormat::Json => render::json,
    };
    print(&draw(&graph))
}
