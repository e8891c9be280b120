//! Drawings of a graph: for people, for documents, for tools.
//!
//! ```text
//!            ┌──> dot       Graphviz
//!   Graph ───┼──> mermaid   Markdown pages
//!            ├──> json      tools
//!            └──> svg       browsers; edges and nodes carry their names, so that figures find them
//! ```
//!
//! Each is a function of the graph alone: the same graph gives the same bytes, which end with a
//! newline.

mod dot;
mod json;
mod layout;
mod mermaid;
mod place;
mod svg;

pub use dot::dot;
pub use json::json;
pub use mermaid::mermaid;
pub use svg::svg;

use super::{GraphEdge, GraphNode};
use crate::message::PayloadKind;
use crate::signature::Role;

/// A node's part in the call, as drawings tell it by colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Source,
    Sink,
    Turns,
    Tool,
    Stage,
}

impl Part {
    const ALL: [Self; 5] = [Self::Source, Self::Sink, Self::Turns, Self::Tool, Self::Stage];

    fn of(node: &GraphNode) -> Self {
        let is_tool =
            node.signature.inputs.iter().any(|input| input.payload == PayloadKind::ToolCall);
        match node.signature.role {
            Role::Source => Self::Source,
            Role::Sink => Self::Sink,
            Role::TurnControl => Self::Turns,
            Role::Stage if is_tool => Self::Tool,
            Role::Stage => Self::Stage,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Turns => "turns",
            Self::Tool => "tool",
            Self::Stage => "stage",
        }
    }

    /// Fill and line.
    fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Source => ("#dbeafe", "#2563eb"),
            Self::Sink => ("#dcfce7", "#16a34a"),
            Self::Turns => ("#fef3c7", "#b45309"),
            Self::Tool => ("#f3e8ff", "#9333ea"),
            Self::Stage => ("#f1f5f9", "#475569"),
        }
    }
}

/// What an edge holds and does when it is full: `400 ms, drop_oldest`.
fn bounds(edge: &GraphEdge) -> String {
    format!("{}, {}", edge.limit, edge.overflow)
}

/// Whether the edge carries tool calls, which are drawn dashed: their results come back with them.
fn is_call(edge: &GraphEdge) -> bool {
    edge.payload == PayloadKind::ToolCall
}

#[cfg(test)]
mod tests;
