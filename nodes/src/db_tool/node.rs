//! The stage: takes calls, runs a few at once, answers each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use voicegraph_database::Database;
use voicegraph_engine::call::{CallRecord, Unrecorded};
use voicegraph_engine::connect::Connector;
use voicegraph_engine::edge::{Limit, Overflow};
use voicegraph_engine::message::{
    Envelope, Scope, ToolCall, ToolError, ToolFailure, ToolResult, ToolSpec,
};
use voicegraph_engine::node::{
    Context, Kind, Node, NodeError, NodeFactory, PortSpec, Ports, Problem, Signature, UsedVariable,
};
use voicegraph_engine::resource::{Figure, Resource, Unhealthy};
use voicegraph_engine::variables::Declarations;

use super::failure::Failure;
use super::record::Records;
use super::settings::{Tool, VARIABLE};
use super::transaction::Work;
use super::value::{Type, Value};
use super::{Options, idempotency, job, verify};

/// The kind `db_tool`.
pub struct DbTool;

/// How many calls may wait for their tool: a model seldom makes more at once.
const QUEUE: Limit = Limit::count(4);

impl Kind for DbTool {
    type Options = Options;

    const NAME: &'static str = "db_tool";
    const SUMMARY: &'static str = "Answers the model's tool calls with SQL on a database.";

    fn signature() -> Signature {
        let doc = "Calls of the tools that the options declare.";
        let call = PortSpec::input::<ToolCall>("call", QUEUE, Overflow::Block, doc);
        Signature::new(vec![call.many()], Vec::new())
    }

    fn build(options: Options, environment: &str) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Self::build_with(options, environment, &Declarations::default())
    }

    fn build_with(
        options: Options,
        environment: &str,
        variables: &Declarations,
    ) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        let settings = options.build(environment, variables)?;
        Ok(Arc::new(Factory(Arc::new(Shared {
            database: Database::open(settings.database),
            tools: settings.tools,
            max_concurrent: settings.max_concurrent,
            records: settings.call_records.then(Records::default),
        }))))
    }
}

/// What all calls share.
struct Shared {
    database: Database,
    tools: BTreeMap<String, Tool>,
    max_concurrent: usize,
    /// Where calls leave a record.
    records: Option<Records>,
}

#[async_trait]
impl Resource for Shared {
    fn figures(&self) -> Vec<Figure> {
        let mut figures = Resource::figures(&self.database);
        figures.extend(self.records.as_ref().map(Records::figure));
        figures
    }

    async fn check(&self, limit: Duration) -> Result<(), Unhealthy> {
        self.database.check(limit).await
    }
}

struct Factory(Arc<Shared>);

#[async_trait]
impl NodeFactory for Factory {
    fn create(&self) -> Box<dyn Node> {
        Box::new(Stage(Arc::clone(&self.0)))
    }

    fn tools(&self) -> Vec<ToolSpec> {
        self.0.tools.values().map(|tool| tool.spec.clone()).collect()
    }

    fn variables(&self) -> Vec<UsedVariable> {
        self.0.tools.values().flat_map(|tool| tool.variables.iter().cloned()).collect()
    }

    /// The longest that a write may take, its end included.
    fn finish_limit(&self) -> Duration {
        let writes = self.0.tools.values().filter(|tool| tool.writes());
        writes.map(|tool| tool.timeout + job::END_LIMIT).max().unwrap_or_default()
    }

    fn resource(&self) -> Option<Arc<dyn Resource>> {
        Some(Arc::<Shared>::clone(&self.0))
    }

    async fn record(&self, call: &CallRecord, connector: &Connector) -> Result<(), Unrecorded> {
        let Some(records) = &self.0.records else { return Ok(()) };
        records.keep(&self.0.database, call, connector).await
    }

    async fn verify(&self) -> Vec<Problem> {
        let Shared { database, tools, records, .. } = &*self.0;
        verify::verify(database, tools.values(), records.is_some()).await
    }
}

struct Stage(Arc<Shared>);

#[async_trait]
impl Node for Stage {
    async fn run(self: Box<Self>, mut ports: Ports, ctx: Context) -> Result<(), NodeError> {
        let mut calls = ports.input::<ToolCall>("call");
        let desk = Desk { shared: &self.0, ctx: &ctx };
        let mut running = FuturesUnordered::new();
        let mut open = true;
        while open || !running.is_empty() {
            let has_room = open && running.len() < self.0.max_concurrent;
            tokio::select! {
                biased;
                () = ctx.cancelled.cancelled() => break,
                Some(()) = running.next(), if !running.is_empty() => {}
                call = calls.recv(), if has_room => match call {
                    Some(call) => running.push(desk.serve(call)),
                    None => open = false,
                },
            }
        }
        // Reads see the cancellation for themselves; a write is finished.
        while running.next().await.is_some() {}
        Ok(())
    }
}

/// What serves one call's tools.
struct Desk<'a> {
    shared: &'a Shared,
    ctx: &'a Context,
}

impl Desk<'_> {
    /// Answers one call. A read that is stopped is not answered: nobody waits for it.
    async fn serve(&self, envelope: Envelope<ToolCall>) {
        let Envelope { scope, body: call, .. } = envelope;
        let began = Instant::now();
        let Some(tool) = self.shared.tools.get(&call.name) else {
            let message = "there is no such tool".to_owned();
            let _ = call.reply.send(Err(ToolError { failure: ToolFailure::NotFound, message }));
            return;
        };
        let working = self.work(tool, &call);
        let result = if tool.writes() {
            working.await
        } else {
            tokio::select! {
                biased;
                () = self.ctx.cancelled.cancelled() => return,
                () = cancelled(&scope) => return,
                result = working => result,
            }
        };
        self.ctx.meter.record(began.elapsed());
        // A result that nobody waits for is done all the same.
        let _ = call.reply.send(result);
    }

    async fn work(&self, tool: &Tool, call: &ToolCall) -> ToolResult {
        match self.try_work(tool, call).await {
            Ok(result) => Ok(result),
            Err(failure) => {
                let (node, name) = (&self.ctx.node, &tool.spec.name);
                tracing::warn!(node = %node, tool = %name, error = %failure, "tool failed");
                Err(failure.told(tool))
            }
        }
    }

    async fn try_work(&self, tool: &Tool, call: &ToolCall) -> Result<serde_json::Value, Failure> {
        let mut values = tool.parameters.check(&call.arguments).map_err(Failure::Arguments)?;
        let session = &*self.ctx.session_id;
        let key = Value::Text(idempotency::key(session, &tool.spec.name, &values));
        let session = Value::Text(session.to_owned());
        let caller = self.ctx.caller.as_ref();
        let caller =
            caller.map_or(Value::Null(Type::Text), |caller| Value::Text(caller.to_string()));
        let started_at = Value::DateTime(DateTime::from(self.ctx.started_at));
        for (name, value) in [
            ("session_id", session.clone()),
            ("call_started_at", started_at),
            ("idempotency_key", key.clone()),
            ("caller", caller),
        ] {
            values.insert(name.to_owned(), value);
        }
        for used in &tool.variables {
            let value = self.ctx.variables().get(&used.name).expect("an undeclared one is refused");
            values.insert(format!("{VARIABLE}{}", used.name), value.into());
        }
        let work = Work { tool, session, key, values };
        job::run(&self.shared.database, &work, &self.ctx.connector).await
    }
}

/// Waits for the end of the turn that made the call.
async fn cancelled(scope: &Scope) {
    match scope {
        Scope::Turn(turn) => turn.cancelled().await,
        Scope::Session => std::future::pending().await,
    }
}
