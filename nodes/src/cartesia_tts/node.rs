//! The kind, its factory and its stage: text in, frames out.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use voicegraph_engine::connect::Endpoint;
use voicegraph_engine::edge::{Limit, Output, Overflow};
use voicegraph_engine::message::{AudioFrame, Envelope, TextDelta};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Signature,
};

use super::config::Options;
use super::settings::Settings;
use super::speaker::Speaker;

/// The kind `cartesia_tts`.
#[derive(Debug)]
pub struct CartesiaTts;

impl Kind for CartesiaTts {
    type Options = Options;

    const NAME: &'static str = "cartesia_tts";
    const SUMMARY: &'static str = "Speaks the agent's answer with a voice of Cartesia.";

    fn signature() -> Signature {
        let text = PortSpec::input::<TextDelta>(
            "text",
            Limit::count(256),
            Overflow::Block,
            "The answer's pieces, with the blanks that belong to them.",
        );
        let audio = PortSpec::output::<AudioFrame>("audio", "The voice, in frames of 20 ms.");
        Signature::new(vec![text.many()], vec![audio])
    }

    fn build(options: Options, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Factory(Arc::new(options.build()?))))
    }
}

struct Factory(Arc<Settings>);

impl NodeFactory for Factory {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Stage(Arc::clone(&self.0)))
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        vec![self.0.endpoint.clone()]
    }
}

struct Stage(Arc<Settings>);

#[async_trait]
impl Node for Stage {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let (text, audio) = (ports.input("text"), ports.output("audio"));
        let cancelled = ctx.cancelled.clone();
        // One frame between the two halves: the speech itself holds what waits.
        let (frames, passing) = mpsc::channel(1);
        let speaker = Speaker::new(self.0, ctx, text, frames);
        let work = async {
            tokio::try_join!(biased; speaker.serve(), pass_on(passing, audio)).map(|_| ())
        };
        tokio::select! {
            biased;
            () = cancelled.cancelled() => Ok(()),
            done = work => done,
        }
    }
}

/// Passes frames on. Those of an interrupted turn are dropped, and counted, by the edge.
async fn pass_on(
    mut frames: mpsc::Receiver<Envelope<AudioFrame>>,
    mut audio: Output<AudioFrame>,
) -> Result<(), NodeError> {
    while let Some(frame) = frames.recv().await {
        audio.send(frame).await?;
    }
    Ok(())
}
