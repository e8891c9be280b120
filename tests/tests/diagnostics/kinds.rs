//! Node kinds and variables for the diagnostics alone, so that a change of a real kind changes none
//! of their texts.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use voicegraph_engine::edge::{Limit, Overflow};
use voicegraph_engine::message::{
    AudioFrame, Effect, Speech, TextDelta, ToolCall, ToolSpec, Transcript, UserTurn,
};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Role, Signature,
    UsedVariable,
};
use voicegraph_engine::registry::Registry;
use voicegraph_engine::secret::Secret;
use voicegraph_engine::variables::Template;

/// What no report may show, wherever it is written.
pub(crate) const SECRET: &str = "sesame";

/// The variables that are set.
pub(crate) fn variable(name: &str) -> Option<String> {
    match name {
        "STT_API_KEY" => Some(SECRET.to_owned()),
        "EMPTY" => Some(String::new()),
        "WORD" => Some("many".to_owned()),
        "LONG" => Some("x".repeat(2 * 1024 * 1024)),
        _ => None,
    }
}

/// The kinds.
pub(crate) fn registry() -> Registry {
    Registry::new()
        .with::<Of<Mic>>()
        .with::<Of<Vad>>()
        .with::<Of<Stt>>()
        .with::<Of<TurnDetector>>()
        .with::<Of<Llm>>()
        .with::<Of<Tts>>()
        .with::<Of<Speaker>>()
        .with::<Of<Lookup>>()
        .with::<Of<Filter>>()
        .with::<Of<Probe>>()
}

/// No options.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoOptions {}

/// Options of the speech recogniser.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SttOptions {
    /// The key of the account.
    #[expect(dead_code, reason = "only its checks matter here")]
    api_key: Secret,
    /// The model that listens.
    #[serde(default)]
    #[expect(dead_code, reason = "only its checks matter here")]
    model: Model,
    /// Silence that ends an utterance, in milliseconds.
    #[serde(default = "endpointing_ms")]
    #[schemars(range(min = 10, max = 10_000))]
    endpointing_ms: u32,
    /// Silence that ends a turn, in milliseconds.
    #[schemars(range(min = 10, max = 10_000))]
    turn_end_ms: Option<u32>,
    /// Whether guesses are sent before an utterance is over.
    #[serde(default)]
    #[expect(dead_code, reason = "only its checks matter here")]
    interim_results: bool,
    /// Words to listen for.
    #[serde(default)]
    #[schemars(length(max = 3))]
    #[expect(dead_code, reason = "only its checks matter here")]
    keywords: Vec<Keyword>,
}

fn endpointing_ms() -> u32 {
    300
}

/// A model.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Model {
    /// Listens well.
    #[default]
    General,
    /// Listens to doctors.
    Medical,
}

/// A word to listen for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its checks matter here")]
pub(crate) struct Keyword {
    /// The word.
    word: String,
    /// How much more likely it is.
    #[schemars(range(min = 0.0, max = 2.0))]
    boost: Option<f64>,
}

/// Options of the model.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LlmOptions {
    /// What the model is told, with variables of the call in it.
    #[serde(default)]
    system: String,
}

/// Options of the tool.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupOptions {
    /// The tools.
    tools: Vec<LookupTool>,
}

/// A tool.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupTool {
    /// What the model calls it.
    name: String,
    /// The query.
    sql: String,
}

/// A node without work, or one with tools.
struct Idle(Vec<String>);

#[async_trait]
impl Node for Idle {
    async fn run(self: Box<Self>, _: Ports, _: Context) -> Result<(), NodeError> {
        Ok(())
    }
}

impl NodeFactory for Idle {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Idle(Vec::new()))
    }

    fn tools(&self) -> Vec<ToolSpec> {
        let spec = |name: &String| ToolSpec {
            name: name.clone(),
            description: String::new(),
            parameters: serde_json::json!({ "type": "object" }),
            effect: Effect::Read,
        };
        self.0.iter().map(spec).collect()
    }
}

/// A model's node, which reads variables of the call.
struct Prompted(Template);

impl NodeFactory for Prompted {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Idle(Vec::new()))
    }

    fn variables(&self) -> Vec<UsedVariable> {
        self.0.used("system").collect()
    }
}

type Built = Result<Arc<dyn NodeFactory>, Vec<Problem>>;

/// What tells these kinds apart; [`Of`] makes kinds of it.
trait Fake: Send + Sync + 'static {
    type Options: DeserializeOwned + JsonSchema;
    const NAME: &'static str;
    fn signature() -> Signature;
    fn build(_: Self::Options) -> Built {
        Ok(Arc::new(Idle(Vec::new())))
    }
}

struct Of<F>(PhantomData<F>);

impl<F: Fake> Kind for Of<F> {
    type Options = F::Options;
    const NAME: &'static str = F::NAME;
    const SUMMARY: &'static str = "Stands for a kind of that name.";

    fn signature() -> Signature {
        F::signature()
    }

    fn build(options: F::Options, _: &str) -> Built {
        F::build(options)
    }
}

const AUDIO: Limit = Limit::millis(400);
const FEW: Limit = Limit::count(64);

fn audio_in() -> PortSpec {
    PortSpec::input::<AudioFrame>("audio", AUDIO, Overflow::DropOldest, "sound")
}

fn audio_out() -> PortSpec {
    PortSpec::output::<AudioFrame>("audio", "sound")
}

struct Mic;

impl Fake for Mic {
    type Options = NoOptions;
    const NAME: &'static str = "mic";
    fn signature() -> Signature {
        Signature::new(vec![], vec![audio_out()]).role(Role::Source)
    }
}

struct Vad;

impl Fake for Vad {
    type Options = NoOptions;
    const NAME: &'static str = "vad";
    fn signature() -> Signature {
        Signature::new(
            vec![audio_in()],
            vec![PortSpec::output::<Speech>("speech", "begin and end")],
        )
    }
}

struct Stt;

impl Fake for Stt {
    type Options = SttOptions;
    const NAME: &'static str = "stt";
    fn signature() -> Signature {
        let words = PortSpec::output::<Transcript>("transcript", "what was said");
        Signature::new(vec![audio_in()], vec![words])
    }
    fn build(options: SttOptions) -> Built {
        let turn_end_ms = options.turn_end_ms.unwrap_or(options.endpointing_ms);
        if turn_end_ms < options.endpointing_ms {
            let message = format!("shorter than `endpointing_ms`, {}", options.endpointing_ms);
            let problem = Problem::new("turn_end_ms", message);
            return Err(vec![problem.help("a turn ends after its last utterance")]);
        }
        Ok(Arc::new(Idle(Vec::new())))
    }
}

struct TurnDetector;

impl Fake for TurnDetector {
    type Options = NoOptions;
    const NAME: &'static str = "turn_detector";
    fn signature() -> Signature {
        let speech = PortSpec::input::<Speech>("speech", FEW, Overflow::Fail, "begin and end");
        let words =
            PortSpec::input::<Transcript>("transcript", FEW, Overflow::Block, "what was said");
        let turn = PortSpec::output::<UserTurn>("turn", "finished turns");
        Signature::new(vec![speech, words], vec![turn]).role(Role::TurnControl)
    }
}

struct Llm;

impl Fake for Llm {
    type Options = LlmOptions;
    const NAME: &'static str = "llm";
    fn signature() -> Signature {
        let turn = PortSpec::input::<UserTurn>(
            "turn",
            Limit::count(1),
            Overflow::DropOldest,
            "turns to answer",
        );
        let text = PortSpec::output::<TextDelta>("text", "the answer");
        let call = PortSpec::output::<ToolCall>("call", "tools to call").optional();
        Signature::new(vec![turn], vec![text, call])
    }
    fn build(options: LlmOptions) -> Built {
        Ok(Arc::new(Prompted(Template::parse(&options.system).expect("the tests write names"))))
    }
}

struct Tts;

impl Fake for Tts {
    type Options = NoOptions;
    const NAME: &'static str = "tts";
    fn signature() -> Signature {
        let text = PortSpec::input::<TextDelta>("text", FEW, Overflow::Block, "text to speak");
        Signature::new(vec![text], vec![audio_out()])
    }
}

struct Speaker;

impl Fake for Speaker {
    type Options = NoOptions;
    const NAME: &'static str = "speaker";
    fn signature() -> Signature {
        Signature::new(vec![audio_in()], vec![]).role(Role::Sink)
    }
}

struct Lookup;

impl Fake for Lookup {
    type Options = LookupOptions;
    const NAME: &'static str = "lookup";
    fn signature() -> Signature {
        let call = PortSpec::input::<ToolCall>("call", Limit::count(4), Overflow::Block, "calls");
        Signature::new(vec![call.many()], vec![])
    }
    fn build(options: LookupOptions) -> Built {
        let bad = |(at, tool): (usize, &LookupTool)| {
            let selects = tool.sql.starts_with("select ");
            (!selects)
                .then(|| Problem::new(format!("tools[{at}].sql"), "a lookup begins with `select`"))
        };
        let problems: Vec<Problem> = options.tools.iter().enumerate().filter_map(bad).collect();
        let names: BTreeSet<String> = options.tools.into_iter().map(|tool| tool.name).collect();
        match problems.is_empty() {
            true => Ok(Arc::new(Idle(names.into_iter().collect()))),
            false => Err(problems),
        }
    }
}

struct Filter;

impl Fake for Filter {
    type Options = NoOptions;
    const NAME: &'static str = "filter";
    fn signature() -> Signature {
        Signature::new(vec![audio_in()], vec![audio_out()])
    }
}

struct Probe;

impl Fake for Probe {
    type Options = NoOptions;
    const NAME: &'static str = "probe";
    fn signature() -> Signature {
        Signature::new(vec![audio_in().optional().many()], vec![])
    }
}
