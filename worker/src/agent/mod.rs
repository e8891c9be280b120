//! Carries out jobs: each is a call of one of the process's pipelines, in a room.
//!
//! A place is taken when a job is offered, and given back when its call is over, or when the job is
//! not assigned. The dispatch's metadata chooses the pipeline and gives the call its variables;
//! what it lacks is taken from the caller's attributes where the pipeline says so.

pub(crate) mod dispatch;

use std::collections::BTreeMap;
use std::sync::Arc;

use livekit_protocol::Job;
use tracing::Instrument as _;
use voicegraph_engine::runtime::{Permit, Runtime, Runtimes};

use crate::job::{Accepted, AgentParticipant, Answer, Assignment, Declined, JobEnd};
use crate::room::{End, RoomCall, Settings};
use dispatch::{BadDispatch, Dispatch};

/// The attribute that tells clients which agent it is.
const NAME: &str = "lk.agent.name";

/// Carries out the jobs of a worker.
pub struct Agent {
    /// As dispatches name it; empty for automatic dispatch.
    name: String,
    runtimes: Runtimes,
    settings: Settings,
}

/// A job in a place of its own.
struct Work {
    runtime: Arc<Runtime>,
    permit: Permit,
    dispatch: Dispatch,
    settings: Settings,
}

impl Agent {
    /// An agent called `name` whose calls are of `runtimes`.
    pub fn new(name: impl Into<String>, runtimes: Runtimes, settings: Settings) -> Self {
        Self { name: name.into(), runtimes, settings }
    }

    fn runtime(&self, dispatch: &Dispatch) -> Result<&Arc<Runtime>, BadDispatch> {
        let Some(name) = &dispatch.pipeline else { return Ok(self.runtimes.default_one()) };
        self.runtimes.get(name).ok_or_else(|| {
            let names = self.runtimes.iter().map(|one| one.pipeline().graph.name().to_owned());
            BadDispatch::UnknownPipeline(names.collect::<Vec<_>>().join(", "))
        })
    }

    fn work(&self, job: &Job) -> Result<Work, Declined> {
        let declined = |error: BadDispatch| Declined(error.to_string());
        let dispatch = Dispatch::read(&job.metadata).map_err(declined)?;
        let runtime = self.runtime(&dispatch).map_err(declined)?;
        dispatch.check(runtime.pipeline().graph.variables()).map_err(declined)?;
        let permit = runtime.admit().map_err(|refused| Declined(refused.to_string()))?;
        let (runtime, settings) = (Arc::clone(runtime), self.settings.clone());
        Ok(Work { runtime, permit, dispatch, settings })
    }
}

impl Answer for Agent {
    fn offer(&self, job: &Job) -> Result<Accepted, Declined> {
        let work = self.work(job)?;
        let participant = AgentParticipant {
            identity: format!("agent-{}", job.id),
            name: self.name.clone(),
            metadata: String::new(),
            attributes: BTreeMap::from([(NAME.to_owned(), self.name.clone())]),
        };
        let run = Box::new(move |assignment: Assignment| {
            let span = tracing::info_span!("job", id = assignment.job.id);
            let working = async move { JobEnd::from(&work.carry_out(assignment).await) };
            Box::pin(working.instrument(span)) as _
        });
        Ok(Accepted { participant, run })
    }

    fn places(&self) -> (u32, u32) {
        let admission = self.runtimes.admission();
        (admission.in_progress(), admission.max())
    }
}

impl Work {
    /// From joining the room to leaving it.
    async fn carry_out(self, assignment: Assignment) -> End {
        let Self { runtime, permit, dispatch, settings } = self;
        let call = match RoomCall::join(&assignment, &settings).await {
            Ok(call) => call,
            Err(end) => return end,
        };
        let pipeline = runtime.pipeline();
        let attributes = &call.caller().attributes;
        let variables = match dispatch.complete(pipeline.graph.variables(), attributes) {
            Ok(variables) => variables,
            Err(error) => return call.leave(End::Refused(error.to_string())).await,
        };
        call.run(async move |mut transport| {
            transport.variables = variables;
            let calling = runtime.call(permit, transport, Vec::new());
            tokio::pin!(calling);
            tokio::select! {
                biased;
                // The worker ends, and so do all of its calls.
                () = assignment.closed.cancelled() => runtime.close_calls(),
                end = &mut calling => return end,
            }
            calling.await
        })
        .await
    }
}
