//! A drawing for browsers and documents.
//!
//! Stands alone: no script, no style sheet, no font from elsewhere. Each node is a group with
//! `data-node`, each edge one with `data-edge` and its written form, so that a page can put live
//! figures to the drawing.

use std::collections::BTreeMap;

use super::layout::{self, Layout, Link, Point, Size};
use super::{Part, bounds, is_call};
use crate::graph::{Graph, GraphEdge, GraphNode};
use crate::signature::PortSpec;

/// The height of a box above its ports, in pixels: name and kind.
const HEAD: f64 = 44.0;

/// The height of a port, in pixels.
const PORT: f64 = 26.0;

/// The least width of a box, in pixels.
const LEAST_WIDTH: f64 = 112.0;

/// The width of a character, in pixels: of names, which are bold, and of all else.
const CHARACTER: (f64, f64) = (8.6, 6.6);

/// The font; widths are reckoned for one that is no wider.
const FONT: &str = "ui-sans-serif, system-ui, Helvetica, Arial, sans-serif";

/// The graph as SVG.
pub fn svg(graph: &Graph) -> String {
    let sizes: Vec<Size> = graph.nodes().iter().map(size).collect();
    let links: Vec<Link> = graph.edges().iter().map(|edge| link(graph, edge)).collect();
    let layout = layout::layout(&sizes, &links);
    let mut text = head(graph, &layout);
    let mut ends = BTreeMap::new();
    for (edge, path) in graph.edges().iter().zip(&layout.paths) {
        let before = ends.entry((edge.to, edge.input)).or_insert(0);
        text.push_str(&draw_edge(edge, path, *before));
        *before += 1;
    }
    for ((node, corner), size) in graph.nodes().iter().zip(&layout.boxes).zip(&sizes) {
        text.push_str(&draw_node(node, *corner, *size));
    }
    text.push_str("</svg>\n");
    text
}

fn head(graph: &Graph, layout: &Layout) -> String {
    let Size { width, height } = layout.size;
    let title = escaped(&format!("{}, environment {}", graph.name(), graph.environment()));
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" font-family="{FONT}" font-size="12" role="img">
<title>{title}</title>
<defs>
<marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0.5 L8 4 L0 7.5 z" fill="#64748b"/></marker>
</defs>
<rect width="100%" height="100%" fill="#ffffff"/>
"##
    )
}

fn size(node: &GraphNode) -> Size {
    let widest = |ports: &[PortSpec]| ports.iter().map(|port| port.name.len()).max().unwrap_or(0);
    let (inputs, outputs) = (&node.signature.inputs, &node.signature.outputs);
    let port_letters = (widest(inputs) + widest(outputs)) as f64;
    let widths = [
        LEAST_WIDTH,
        node.name.len() as f64 * CHARACTER.0 + 24.0,
        node.kind.len() as f64 * CHARACTER.1 + 24.0,
        port_letters * CHARACTER.1 + 44.0,
    ];
    let ports = inputs.len().max(outputs.len()).max(1) as f64;
    Size { width: widths.into_iter().fold(0.0, f64::max), height: HEAD + ports * PORT }
}

fn link(graph: &Graph, edge: &GraphEdge) -> Link {
    let height = |ports: &[PortSpec], name: &str| {
        port_height(ports.iter().position(|port| port.name == name).unwrap_or(0))
    };
    let (from, to) = (&graph.nodes()[edge.from], &graph.nodes()[edge.to]);
    Link {
        from: edge.from,
        from_height: height(&from.signature.outputs, edge.output),
        to: edge.to,
        to_height: height(&to.signature.inputs, edge.input),
    }
}

/// The height of a box's port within it.
fn port_height(index: usize) -> f64 {
    HEAD + PORT * (index as f64 + 0.4)
}

/// An edge; `before` is how many edges end in the same port already.
fn draw_edge(edge: &GraphEdge, path: &[Point], before: usize) -> String {
    let name = escaped(&edge.name);
    let title = escaped(&format!("{}: {}, {}", edge.name, edge.payload, bounds(edge)));
    let dash = if is_call(edge) { r#" stroke-dasharray="5 4""# } else { "" };
    let end = path.last().expect("an edge has two ends");
    let (x, y) = (end.x - 14.0, end.y - 6.0 - 13.0 * before as f64);
    let halo = r##"paint-order="stroke" stroke="#ffffff" stroke-width="4" text-anchor="end""##;
    format!(
        r##"<g class="edge" data-edge="{name}">
<title>{title}</title>
<path d="{}" fill="none" stroke="#64748b" stroke-width="1.5"{dash} marker-end="url(#arrow)"/>
<text class="bounds" x="{x:.0}" y="{y:.0}" font-size="10" fill="#475569" {halo}>{}</text>
</g>
"##,
        curve(path),
        escaped(&bounds(edge)),
    )
}

/// A line that leaves and enters each point level.
fn curve(path: &[Point]) -> String {
    let mut line = String::new();
    for (at, pair) in path.windows(2).enumerate() {
        let (from, to) = (pair[0], pair[1]);
        if at == 0 {
            line.push_str(&format!("M{:.0} {:.0}", from.x, from.y));
        }
        let middle = (from.x + to.x) / 2.0;
        line.push_str(&format!(
            " C{middle:.0} {:.0} {middle:.0} {:.0} {:.0} {:.0}",
            from.y, to.y, to.x, to.y
        ));
    }
    line
}

fn draw_node(node: &GraphNode, corner: Point, size: Size) -> String {
    let part = Part::of(node);
    let (fill, line) = part.colours();
    let Point { x, y } = corner;
    let Size { width, height } = size;
    let middle = x + width / 2.0;
    let mut text = format!(
        r##"<g class="node {}" data-node="{name}">
<title>{name}: {kind}</title>
<rect x="{x:.0}" y="{y:.0}" width="{width:.0}" height="{height:.0}" rx="10" fill="{fill}" stroke="{line}" stroke-width="1.5"/>
<text x="{middle:.0}" y="{:.0}" font-size="14" font-weight="bold" fill="#0f172a" text-anchor="middle">{name}</text>
<text x="{middle:.0}" y="{:.0}" font-size="11" fill="{line}" text-anchor="middle">{kind}</text>
"##,
        part.name(),
        y + 20.0,
        y + 35.0,
        name = escaped(&node.name),
        kind = escaped(node.kind),
    );
    text.push_str(&draw_ports(&node.signature.inputs, Point { x, y }, 10.0, "start", line));
    let right = Point { x: x + width, y };
    text.push_str(&draw_ports(&node.signature.outputs, right, -10.0, "end", line));
    text.push_str("</g>\n");
    text
}

/// Ports along one side of a box, their names `inset` from it.
fn draw_ports(ports: &[PortSpec], corner: Point, inset: f64, anchor: &str, line: &str) -> String {
    let port = |(index, port): (usize, &PortSpec)| {
        let y = corner.y + port_height(index);
        format!(
            r##"<circle cx="{x:.0}" cy="{y:.0}" r="3.5" fill="#ffffff" stroke="{line}"/><text x="{:.0}" y="{:.0}" font-size="11" fill="#334155" text-anchor="{anchor}">{}</text>
"##,
            corner.x + inset,
            y + 4.0,
            escaped(port.name),
            x = corner.x,
        )
    };
    ports.iter().enumerate().map(port).collect()
}

/// Text as XML reads it, between tags and in quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
