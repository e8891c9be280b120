//! The stage that reads the call's source.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use voicegraph_engine::edge::{Output, SendError};
use voicegraph_engine::event::Event;
use voicegraph_engine::message::{AudioFrame, Envelope, UserInput};
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
    const SUMMARY: &'static str =
        "What the caller says, types and presses, from whatever transport carries the call.";

    fn signature() -> Signature {
        let audio = PortSpec::output::<AudioFrame>("audio", "What the caller says, 20 ms a frame.");
        let input = "What the caller types (chat) or presses (DTMF, a button to interrupt).";
        let input = PortSpec::output::<UserInput>("input", input).optional();
        Signature::new(vec![], vec![audio, input]).role(Role::Source)
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
        let (audio, input) = (ports.output("audio"), ports.output("input"));
        Stage { audio, input, told: false, ctx }.capture(source).await
    }
}

struct Stage {
    audio: Output<AudioFrame>,
    input: Output<UserInput>,
    /// Whether it was told that nobody reads what the caller types or presses.
    told: bool,
    ctx: Context,
}

impl Stage {
    /// Sends what the source captures until it is over or the call ends.
    async fn capture(mut self, mut source: Box<dyn Source>) -> Result<(), NodeError> {
        loop {
            let captured = tokio::select! {
                biased;
                () = self.ctx.cancelled.cancelled() => return Ok(()),
                () = self.ctx.closing.cancelled() => return Ok(()),
                captured = source.next() => captured,
            };
            match captured {
                Captured::Frame(frame, at) => {
                    match self.audio.send(Envelope::session(at, frame)).await {
                        Err(SendError::Closed) => return Ok(()),
                        sent => sent?,
                    }
                }
                Captured::Input(input, at) => self.give(Envelope::session(at, input)).await?,
                Captured::Finished => return Ok(()),
                Captured::HungUp => return Err(NodeError::HungUp),
            }
        }
    }

    async fn give(&mut self, input: Envelope<UserInput>) -> Result<(), NodeError> {
        if self.input.edges() == 0 {
            self.tell_unheard();
            return Ok(());
        }
        match self.input.send(input).await {
            // Whoever read it has ended, and so does the call.
            Err(SendError::Closed) => Ok(()),
            sent => Ok(sent?),
        }
    }

    /// Tells once that the graph has no way for what the caller typed or pressed.
    fn tell_unheard(&mut self) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let node = self.ctx.node.to_string();
        let what = format!("what is typed or pressed goes nowhere: `{node}.input` has no edge");
        tracing::warn!(node, what);
        self.ctx.tell(&Event::Fault { node, what, retry_in: None });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::Duration;

    use tokio::time::{Instant, sleep_until};
    use voicegraph_engine::edge::{Input, Limit, Overflow};

    use super::*;
    use crate::testing::{Seen, context, context_told, edge_with};

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

    fn pressed(key: char) -> Captured {
        Captured::Input(UserInput::Digit(key), Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_pressed_goes_its_own_way_with_its_instant() {
        let (mut ports, ctx, mut frames) =
            mic([frame(1), pressed('1'), pressed('#'), Captured::Finished]);
        let start = Instant::now();
        let (output, mut input) = edge_with(Limit::count(64), Overflow::Block);
        ports.add_output("input", output);
        assert!(Box::new(MicNode).run(ports, ctx).await.is_ok());
        for key in ['1', '#'] {
            let envelope = input.recv().await.expect("two keys were pressed");
            assert!(envelope.turn_of().is_none());
            assert_eq!((envelope.origin, envelope.body), (start, UserInput::Digit(key)));
        }
        assert!(input.recv().await.is_none(), "the end of the source closes this output too");
        assert!(frames.recv().await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_nowhere_is_told_once_and_the_call_goes_on() {
        let (seen, observers) = Seen::new();
        let (ports, mut ctx, mut input) = mic([pressed('1'), pressed('2'), frame(1)]);
        let source = ctx.take_source();
        let ctx = context_told(observers).with_parts(source, None, None);
        let stage = tokio::spawn(Box::new(MicNode).run(ports, ctx));
        assert!(input.recv().await.is_some());
        let events = seen.events();
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(matches!(&events[0].1, Event::Fault { what, .. } if what.contains("input")));
        stage.abort();
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
