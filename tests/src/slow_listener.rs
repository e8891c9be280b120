//! A stage that hears the caller more slowly than the caller speaks. It is registered by tests
//! alone.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::sleep;
use voicegraph_engine::edge::{Limit, Overflow};
use voicegraph_engine::message::AudioFrame;
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Signature,
};

use crate::made::Made;

/// The kind.
pub struct SlowListener;

/// What the scenario may set.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How long it takes over a frame of 20 ms, in ms.
    frame_ms: u64,
}

impl Kind for SlowListener {
    type Options = Options;
    const NAME: &'static str = "slow_listener";
    const SUMMARY: &'static str = "Takes its time over each frame.";

    fn signature() -> Signature {
        let limit = Limit::millis(200);
        let doc = "the caller's audio";
        Signature::new(
            vec![PortSpec::input::<AudioFrame>("audio", limit, Overflow::DropOldest, doc)],
            Vec::new(),
        )
    }

    fn build(options: Options, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Made(move || Stage(options.clone()))))
    }
}

struct Stage(Options);

#[async_trait]
impl Node for Stage {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let mut audio = ports.input::<AudioFrame>("audio");
        let over_a_frame = Duration::from_millis(self.0.frame_ms);
        let listening = async {
            while audio.recv().await.is_some() {
                sleep(over_a_frame).await;
            }
        };
        tokio::select! {
            biased;
            () = ctx.cancelled.cancelled() => {}
            () = listening => {}
        }
        Ok(())
    }
}
