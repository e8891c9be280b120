//! Drawings of a graph: for people, for documents, for tools.
//!
//! ```text
//!            ┌──> dot       Graphviz
//!   Graph ───┼──> mermaid   Markdown pages
//!            ├──> json      tools
//!            └──> svg       browsers; edges and nodes carry their names, so that figures find them
//! ```
//!
//! Each is a function of the graph alone: the same graph gives the same bytes.

mod dot;
mod json;
mod layout;
mod mermaid;
mod place;
mod svg;

use super::{Graph, GraphEdge, GraphNode};
use crate::message::PayloadKind;
use crate::signature::Role;

/// A form to draw a graph in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Graphviz.
    Dot,
    /// Mermaid, as Markdown pages draw it.
    Mermaid,
    /// JSON.
    Json,
    /// A drawing.
    Svg,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 4] = [Self::Svg, Self::Mermaid, Self::Dot, Self::Json];

    /// The name on the command line and in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dot => "dot",
            Self::Mermaid => "mermaid",
            Self::Json => "json",
            Self::Svg => "svg",
        }
    }

    /// The form of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The media type in `Accept` and `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Dot => "text/vnd.graphviz",
            Self::Mermaid => "text/vnd.mermaid",
            Self::Json => "application/json",
            Self::Svg => "image/svg+xml",
        }
    }
}

impl Graph {
    /// Draws the graph. The text ends with a newline.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Dot => dot::draw(self),
            Format::Mermaid => mermaid::draw(self),
            Format::Json => json::draw(self),
            Format::Svg => svg::draw(self),
        }
    }
}

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
