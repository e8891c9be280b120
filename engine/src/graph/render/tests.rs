//! The clinic's graph in every form.

use std::sync::Arc;

use async_trait::async_trait;
use expect_test::expect_file;

use super::{dot, json, mermaid, svg};
use crate::edge::{Limit, Overflow};
use crate::graph::{Graph, GraphEdge, GraphNode};
use crate::message::{AudioFrame, Speech, TextDelta, ToolCall, Transcript, UserTurn};
use crate::node::{Context, Node, NodeError, NodeFactory, Ports};
use crate::signature::{PortSpec, Role, Signature};

struct Idle;

#[async_trait]
impl Node for Idle {
    async fn run(self: Box<Self>, _: Ports, _: Context) -> Result<(), NodeError> {
        Ok(())
    }
}

impl NodeFactory for Idle {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Idle)
    }
}

fn node(name: &str, kind: &'static str, signature: Signature) -> GraphNode {
    GraphNode { name: name.into(), kind, signature, factory: Arc::new(Idle) }
}

fn audio() -> PortSpec {
    PortSpec::input::<AudioFrame>("audio", Limit::millis(400), Overflow::DropOldest, "sound")
}

fn sound() -> PortSpec {
    PortSpec::output::<AudioFrame>("audio", "sound")
}

fn clinic() -> Graph {
    let few = Limit::count(64);
    let speech = PortSpec::input::<Speech>("speech", few, Overflow::Fail, "begin and end");
    let words = PortSpec::input::<Transcript>("transcript", few, Overflow::Block, "words");
    let turn = PortSpec::input::<UserTurn>("turn", Limit::count(1), Overflow::DropOldest, "turns");
    let text = PortSpec::input::<TextDelta>("text", Limit::count(256), Overflow::Block, "text");
    let call = PortSpec::input::<ToolCall>("call", Limit::count(4), Overflow::Block, "calls");
    let speech_out = PortSpec::output::<Speech>("speech", "begin and end");
    let words_out = PortSpec::output::<Transcript>("transcript", "words");
    let turn_out = PortSpec::output::<UserTurn>("turn", "turns");
    let text_out = PortSpec::output::<TextDelta>("text", "text");
    let call_out = PortSpec::output::<ToolCall>("call", "calls");
    let signature = Signature::new;
    let nodes = vec![
        node("mic", "mic", signature(vec![], vec![sound()]).role(Role::Source)),
        node("vad", "vad", signature(vec![audio()], vec![speech_out])),
        node("stt", "deepgram_stt", signature(vec![audio()], vec![words_out])),
        node(
            "turn",
            "turn_detector",
            signature(vec![speech, words], vec![turn_out]).role(Role::TurnControl),
        ),
        node("llm", "openai_llm", signature(vec![turn], vec![text_out, call_out])),
        node("booking", "db_tool", signature(vec![call], vec![])),
        node("tts", "cartesia_tts", signature(vec![text], vec![sound()])),
        node("speaker", "speaker", signature(vec![audio()], vec![]).role(Role::Sink)),
    ];
    let edges = [
        "mic.audio -> vad.audio",
        "mic.audio -> stt.audio",
        "vad.speech -> turn.speech",
        "stt.transcript -> turn.transcript",
        "turn.turn -> llm.turn",
        "llm.text -> tts.text",
        "llm.call -> booking.call",
        "tts.audio -> speaker.audio",
    ];
    let edges = edges.iter().map(|name| edge(&nodes, name)).collect();
    let (name, environment) = ("clinic".to_owned(), "staging".to_owned());
    Graph {
        name,
        environment,
        fingerprint: "0123abcd".to_owned(),
        variables: Default::default(),
        nodes,
        edges,
    }
}

fn edge(nodes: &[GraphNode], name: &str) -> GraphEdge {
    let ends: crate::graph::EdgeName = name.parse().unwrap();
    let place = |name: &str| nodes.iter().position(|node| *node.name == *name).unwrap();
    let (from, to) = (place(&ends.from.node), place(&ends.to.node));
    let output = nodes[from].signature.output(&ends.from.port).unwrap();
    let input = nodes[to].signature.input(&ends.to.port).unwrap();
    let (limit, overflow, payload) = (input.limit, input.overflow, input.payload);
    let (output, input) = (output.name, input.name);
    GraphEdge { name: name.to_owned(), from, output, to, input, payload, limit, overflow }
}

#[test]
fn snapshots() {
    for (text, expected) in [
        (dot(&clinic()), expect_file!["snapshots/clinic.dot"]),
        (mermaid(&clinic()), expect_file!["snapshots/clinic.mmd"]),
        (json(&clinic()), expect_file!["snapshots/clinic.json"]),
        (svg(&clinic()), expect_file!["snapshots/clinic.svg"]),
    ] {
        expected.assert_eq(&text);
    }
}

#[test]
fn the_drawing_names_its_edges_and_escapes_text() {
    let svg = svg(&clinic());
    for edge in clinic().edges() {
        let name = edge.name.replace('>', "&gt;");
        assert!(svg.contains(&format!("data-edge=\"{name}\"")), "{name}");
    }
    assert_eq!(svg.matches("<g ").count(), svg.matches("</g>").count());
}
