//! A tool that takes its time, for scenarios that interrupt it. It is registered by tests alone.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;
use voicegraph_engine::edge::{Limit, Overflow};
use voicegraph_engine::message::{Effect, ToolCall, ToolSpec};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Signature,
};

/// The kind.
pub struct SlowTool;

/// What the scenario may set.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The tool's name.
    name: String,
    /// How long a call takes, in ms.
    delay_ms: u64,
    /// Whether it changes something.
    writes: bool,
}

impl Kind for SlowTool {
    type Options = Options;
    const NAME: &'static str = "slow_tool";
    const SUMMARY: &'static str = "Answers a tool call after a while.";

    fn signature() -> Signature {
        let doc = "calls of the tool";
        let call = PortSpec::input::<ToolCall>("call", Limit::count(4), Overflow::Block, doc);
        Signature::new(vec![call], Vec::new())
    }

    fn build(options: Options, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Factory(options)))
    }
}

struct Factory(Options);

impl NodeFactory for Factory {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Stage(self.0.clone()))
    }

    fn tools(&self) -> Vec<ToolSpec> {
        vec![ToolSpec {
            name: self.0.name.clone(),
            description: "takes its time".to_owned(),
            parameters: json!({ "type": "object", "properties": {} }),
            effect: if self.0.writes { Effect::Write } else { Effect::Read },
        }]
    }
}

struct Stage(Options);

#[async_trait]
impl Node for Stage {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let mut calls = ports.input::<ToolCall>("call");
        let delay = Duration::from_millis(self.0.delay_ms);
        loop {
            let call = tokio::select! {
                biased;
                () = ctx.cancelled.cancelled() => return Ok(()),
                call = calls.recv() => match call {
                    Some(call) => call.body,
                    None => return Ok(()),
                },
            };
            sleep(delay).await;
            // Nobody waits for a read whose turn was interrupted.
            let _ = call.reply.send(Ok(json!({ "done": true })));
        }
    }
}
