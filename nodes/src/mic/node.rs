//! The stage that reads the call's source.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use voicegraph_engine::edge::{Output, SendError};
use voicegraph_engine::message::{AudioFrame, Envelope};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Role, Signature,
};
use voicegraph_engine::transport::{Captured, Source};

/// The kind `mic`.
pub struct Mic;

/// `mic` has no options: what carries the call decides where its audio comes from.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {}

impl Kind for Mic {
    type Options = Options;

    const NAME: &'static str = "mic";
    const SUMMARY: &'static str = "The caller's audio, from whatever transport carries the call.";

    fn signature() -> Signature {
        let audio = PortSpec::output::<AudioFrame>("audio", "What the caller says, 20 ms a frame.");
        Signature::new(vec![], vec![audio]).role(Role::Source)
    }

    fn build(_: Options, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Factory))
    }
}

struct Factory;

impl NodeFactory for Factory {
    fn create(&self) -> Box<dyn Node> {
        Box::new(MicNode)
    }
}

struct MicNode;

#[async_trait]
impl Node for MicNode {
    async fn run(self: Box<Self>, mut ports: Ports, mut ctx: Context) -> Result<(), NodeError> {
        let source = ctx.take_source().expect("the session gives its source to this role");
        capture(source, ports.output("audio"), &ctx).await
    }
}

/// Sends what the source captures until it is over or the call ends.
async fn capture(
    mut source: Box<dyn Source>,
    mut audio: Output<AudioFrame>,
    ctx: &Context,
) -> Result<(), NodeError> {
    loop {
        let captured = tokio::select! {
            biased;
            () = ctx.cancelled.cancelled() => return Ok(()),
            () = ctx.closing.cancelled() => return Ok(()),
            captured = source.next() => captured,
        };
        match captured {
            Captured::Frame(frame, at) => match audio.send(Envelope::session(at, frame)).await {
                Err(SendError::Closed) => return Ok(()),
                sent => sent?,
            },
            Captured::Finished => return Ok(()),
            Captured::HungUp => return Err(NodeError::HungUp),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::Duration;

    use tokio::time::{Instant, sleep_until};
    use voicegraph_engine::edge::{Input, Limit, Overflow};

    use super::*;
    use crate::testing::{context, edge_with};

    /// Gives what it was told, each frame at its time, and then nothing.
    struct Script(VecDeque<Captured>);

    #[async_trait]
    impl Source for Script {
        async fn next(&mut self) -> Captured {
            if let Some(Captured::Frame(_, at)) = self.0.front() {
                sleep_until(*at).await;
            }
            match self.0.pop_front() {
                Some(captured) => captured,
                None => std::future::pending().await,
            }
        }
    }

    fn frame(number: u32) -> Captured {
        let at = Instant::now() + AudioFrame::LENGTH * number;
        let samples = vec![i16::try_from(number).expect("small"); 320];
        Captured::Frame(AudioFrame::new(samples, AudioFrame::CALLER_RATE_HZ), at)
    }

    fn mic(script: impl IntoIterator<Item = Captured>) -> (Ports, Context, Input<AudioFrame>) {
        let (output, input) = edge_with(Limit::millis(400), Overflow::DropOldest);
        let mut ports = Ports::default();
        ports.add_output("audio", output);
        let source = Script(script.into_iter().collect());
        (ports, context().with_parts(Some(Box::new(source)), None, None), input)
    }

    #[tokio::test(start_paused = true)]
    async fn frames_are_of_the_session_and_originate_at_their_capture() {
        let start = Instant::now();
        let (ports, ctx, mut input) = mic([frame(1), frame(2), Captured::Finished]);
        assert!(Box::new(MicNode).run(ports, ctx).await.is_ok());
        for number in [1, 2] {
            let envelope = input.recv().await.expect("two frames were captured");
            assert!(envelope.turn_of().is_none());
            assert_eq!(envelope.origin, start + AudioFrame::LENGTH * number);
            assert_eq!(u32::try_from(envelope.body.samples()[0]), Ok(number));
        }
        assert!(input.recv().await.is_none(), "the end of the source closes the output");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_hangs_up_ends_the_call() {
        let (ports, ctx, _input) = mic([Captured::HungUp]);
        let ended = Box::new(MicNode).run(ports, ctx).await;
        assert!(matches!(ended, Err(NodeError::HungUp)), "{ended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_closing_call_captures_no_more() {
        let (ports, ctx, mut input) = mic([frame(1), frame(50)]);
        let closing = ctx.closing.clone();
        let stage = tokio::spawn(Box::new(MicNode).run(ports, ctx));
        assert!(input.recv().await.is_some());
        closing.cancel();
        let ended = tokio::time::timeout(Duration::from_millis(1), stage).await;
        assert!(matches!(ended, Ok(Ok(Ok(())))), "{ended:?}");
        assert!(input.recv().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_who_listens_to_the_caller_is_no_error() {
        let (ports, ctx, input) = mic([frame(1)]);
        drop(input);
        assert!(Box::new(MicNode).run(ports, ctx).await.is_ok());
    }
}
