//! The node's kind and its shell: the keeper of connections beside the conversation.

use std::sync::Arc;

use async_trait::async_trait;
use voicegraph_engine::connect::Endpoint;
use voicegraph_engine::edge::{Limit, Overflow};
use voicegraph_engine::message::{TextDelta, ToolCall, UserTurn};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Signature, UsedVariable,
};

use super::config::{self, Options, Settings};
use super::conversation::{Conversation, fatal};
use super::keeper::Keeper;
use super::line::Line;
use crate::provider::Backoff;

/// `openai_llm`: a language model over OpenAI's chat completions.
#[derive(Debug)]
pub struct OpenAiLlm;

impl Kind for OpenAiLlm {
    type Options = Options;

    const NAME: &'static str = "openai_llm";
    const SUMMARY: &'static str =
        "Answers the caller with a language model over OpenAI's chat completions, and calls tools.";

    fn signature() -> Signature {
        Signature::new(
            vec![PortSpec::input::<UserTurn>(
                "turn",
                Limit::count(1),
                Overflow::DropOldest,
                "What the caller said. A newer turn replaces one not yet begun.",
            )],
            vec![
                PortSpec::output::<TextDelta>("text", "The answer, token by token."),
                PortSpec::output::<ToolCall>(
                    "call",
                    "Tool calls, each to the node that declares the tool.",
                )
                .optional(),
            ],
        )
    }

    fn build(options: Options, _: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Ok(Arc::new(Factory(Arc::new(config::build(options)?))))
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

    fn variables(&self) -> Vec<UsedVariable> {
        let greeting = self.0.greeting.iter().flat_map(|greeting| greeting.used("greeting"));
        self.0.system.used("system").chain(greeting).collect()
    }
}

/// The stage of one call.
struct Stage(Arc<Settings>);

#[async_trait]
impl Node for Stage {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let settings = self.0;
        let (keeper, connections) = Keeper::new(
            ctx.connector.clone(),
            settings.endpoint.clone(),
            settings.connect_timeout,
            Backoff::new(settings.max_retries, ctx.rng()),
        );
        let turns = ports.input("turn");
        let (text, call) = (ports.output("text"), ports.output("call"));
        let cancelled = ctx.cancelled.clone();
        let line = Line::new(Arc::clone(&settings), connections, Arc::clone(&ctx.meter));
        let conversation = Conversation::new(settings, ctx, line, text, call);
        tokio::select! {
            biased;
            () = cancelled.cancelled() => Ok(()),
            failure = keeper.run() => Err(fatal(&failure)),
            ended = conversation.run(turns) => ended,
        }
    }
}
