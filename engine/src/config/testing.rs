//! A few kinds for the tests of this module.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Compiled, Sources, compile};
use crate::diagnostic::Diagnostics;
use crate::edge::{Limit, Overflow};
use crate::message::AudioFrame;
use crate::node::{Context, Kind, Node, NodeError, NodeFactory, Ports, Problem};
use crate::registry::Registry;
use crate::secret::Secret;
use crate::signature::{PortSpec, Role, Signature};

/// What no output may show.
pub(super) const SECRET: &str = "open-sesame-7351";

/// The smallest pipeline of these kinds.
pub(super) const SMALLEST: &str = r#"
[pipeline]
name = "smallest"

[nodes]
mic = { kind = "mic" }
turn = { kind = "turn" }
speaker = { kind = "speaker" }
mix = { kind = "mix", key = "${KEY:?}" }

[edges]
"mic.audio -> mix.audio" = { limit_ms = 100 }
"mix.audio -> speaker.audio" = {}
"#;

/// The kinds: a source, a sink, the owner of turns, and `mix`, which joins audio in any way.
pub(super) fn registry() -> Registry {
    Registry::new().with::<Mic>().with::<Turn>().with::<Speaker>().with::<Mix>()
}

/// The variable that [`SMALLEST`] needs.
pub(super) fn variable(name: &str) -> Option<String> {
    (name == "KEY").then(|| SECRET.to_owned())
}

/// Compiles a base without overlay.
pub(super) fn compile_text(text: &str) -> Result<Compiled, Diagnostics> {
    compile(&Sources::from_text(text, None), &variable, &registry())
}

/// The codes of what was found, in order.
pub(super) fn found(outcome: &Result<Compiled, Diagnostics>) -> Vec<&'static str> {
    let diagnostics = match outcome {
        Ok(compiled) => &compiled.warnings,
        Err(diagnostics) => diagnostics,
    };
    diagnostics.iter().map(|one| one.code.id).collect()
}

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

fn audio_in() -> PortSpec {
    PortSpec::input::<AudioFrame>("audio", Limit::millis(400), Overflow::Block, "sound").optional()
}

fn audio_out() -> PortSpec {
    PortSpec::output::<AudioFrame>("audio", "sound").optional()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoOptions {}

struct Mic;

impl Kind for Mic {
    type Options = NoOptions;
    const NAME: &'static str = "mic";
    const SUMMARY: &'static str = "Takes the caller's audio.";

    fn signature() -> Signature {
        Signature::new(vec![], vec![audio_out()]).role(Role::Source)
    }

    fn build(_: NoOptions, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Idle))
    }
}

struct Turn;

impl Kind for Turn {
    type Options = NoOptions;
    const NAME: &'static str = "turn";
    const SUMMARY: &'static str = "Begins turns.";

    fn signature() -> Signature {
        Signature::new(vec![], vec![]).role(Role::TurnControl)
    }

    fn build(_: NoOptions, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Idle))
    }
}

struct Speaker;

impl Kind for Speaker {
    type Options = NoOptions;
    const NAME: &'static str = "speaker";
    const SUMMARY: &'static str = "Gives audio to the caller.";

    fn signature() -> Signature {
        Signature::new(vec![audio_in()], vec![]).role(Role::Sink)
    }

    fn build(_: NoOptions, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Idle))
    }
}

/// Options of every shape.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MixOptions {
    /// The key. It opens the door.
    ///
    /// Nothing else does.
    #[expect(dead_code, reason = "only its checks matter here")]
    key: Option<Secret>,
    /// How loud, as a factor. 0 is silence.
    #[serde(default = "gain")]
    #[schemars(range(min = 0.0, max = 4.0))]
    #[expect(dead_code, reason = "only its checks matter here")]
    gain: f32,
    /// The port.
    #[expect(dead_code, reason = "only its checks matter here")]
    port: Option<u16>,
    /// Whether it is on.
    #[serde(default)]
    #[expect(dead_code, reason = "only its checks matter here")]
    on: bool,
    /// Text for whom it may concern.
    #[serde(default)]
    text: String,
    /// How sounds are mixed.
    #[expect(dead_code, reason = "only its checks matter here")]
    mode: Option<Mode>,
    /// Parts by name.
    #[serde(default)]
    #[expect(dead_code, reason = "only its checks matter here")]
    parts: std::collections::BTreeMap<String, Part>,
    /// Anything.
    #[expect(dead_code, reason = "only its checks matter here")]
    extra: Option<serde_json::Value>,
}

fn gain() -> f32 {
    0.7
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// Adds.
    Sum,
    /// Takes the loudest.
    Loudest,
}

/// A part.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// Its weight.
    #[schemars(range(min = 1, max = 9))]
    #[expect(dead_code, reason = "only its checks matter here")]
    weight: u8,
}

struct Mix;

impl Kind for Mix {
    type Options = MixOptions;
    const NAME: &'static str = "mix";
    const SUMMARY: &'static str = "Joins audio in any way.";

    fn signature() -> Signature {
        Signature::new(vec![audio_in().many()], vec![audio_out()])
    }

    fn build(options: MixOptions, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Mixed { text: options.text }))
    }
}

/// A factory that knows of an outside, in which nothing is called "lost".
struct Mixed {
    text: String,
}

#[async_trait]
impl NodeFactory for Mixed {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Idle)
    }

    async fn verify(&self) -> Vec<Problem> {
        let message = format!("the outside knows no {:?} under {SECRET}", self.text);
        let lost = (self.text == "lost").then(|| Problem::new("text", message));
        lost.into_iter().collect()
    }
}
