//! The stage that listens to the caller.

use std::sync::Arc;

use async_trait::async_trait;
use earshot::Detector;
use tokio::time::Instant;
use voicegraph_engine::edge::{Limit, Overflow, SendError};
use voicegraph_engine::message::{AudioFrame, Envelope, Speech};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Signature,
};

use super::blocks::Blocks;
use super::state::Voicing;
use super::{Options, Settings};

/// The kind `vad`.
pub struct Vad;

/// How much sound may wait: beyond it the detector has fallen behind, and what it would say of the
/// past is worth less than the present.
const QUEUE: Limit = Limit::millis(400);

impl Kind for Vad {
    type Options = Options;

    const NAME: &'static str = "vad";
    const SUMMARY: &'static str = "Hears when the caller begins and ceases to speak.";

    fn signature() -> Signature {
        let audio = "The caller's audio, mono at 16 kHz.";
        let speech = "The beginnings and ends of speech, dated by their sound.";
        Signature::new(
            vec![PortSpec::input::<AudioFrame>("audio", QUEUE, Overflow::DropOldest, audio)],
            vec![PortSpec::output::<Speech>("speech", speech)],
        )
    }

    fn build(options: Options, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Factory(options.build()?)))
    }
}

struct Factory(Settings);

impl NodeFactory for Factory {
    fn create(&self) -> Box<dyn Node> {
        let listener = Listener {
            detector: Detector::default_boxed(),
            blocks: Blocks::new(),
            voicing: Voicing::new(self.0),
        };
        Box::new(VadNode(listener))
    }
}

struct VadNode(Listener);

#[async_trait]
impl Node for VadNode {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let Self(mut listener) = *self;
        let mut audio = ports.input::<AudioFrame>("audio");
        let mut speech = ports.output::<Speech>("speech");
        let mut captured = Instant::now();
        loop {
            let received = tokio::select! {
                biased;
                () = ctx.cancelled.cancelled() => return Ok(()),
                received = audio.recv() => received,
            };
            let heard = match &received {
                Some(envelope) => {
                    captured = envelope.origin;
                    let began = Instant::now();
                    let heard = listener.listen(&envelope.body, captured)?;
                    ctx.meter.record(began.elapsed());
                    heard
                }
                None => listener.voicing.finish(captured).into_iter().collect(),
            };
            for event in heard {
                match speech.send(Envelope::session(instant_of(event), event)).await {
                    Err(SendError::Closed) => return Ok(()),
                    sent => sent?,
                }
            }
            if received.is_none() {
                return Ok(());
            }
        }
    }
}

/// The detector with what it needs around it.
struct Listener {
    detector: Box<Detector>,
    blocks: Blocks,
    voicing: Voicing,
}

impl Listener {
    /// What the frame tells of the caller's speech: mostly nothing, and never more than two events.
    fn listen(&mut self, frame: &AudioFrame, captured: Instant) -> Result<Vec<Speech>, NodeError> {
        if frame.sample_rate_hz() != AudioFrame::CALLER_RATE_HZ {
            let reason = format!("brings sound at {} Hz, not 16000 Hz", frame.sample_rate_hz());
            return Err(NodeError::BadInput { port: "audio", reason });
        }
        let Self { detector, blocks, voicing } = self;
        let mut heard = Vec::new();
        blocks.push(frame, captured, |block, end| {
            let probability = detector.predict_i16(block);
            heard.extend(voicing.on_block(probability, end, captured));
        });
        Ok(heard)
    }
}

fn instant_of(speech: Speech) -> Instant {
    match speech {
        Speech::Started { at } | Speech::Ended { at, .. } => at,
    }
}
