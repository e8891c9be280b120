//! A job: LiveKit's word for "this agent is wanted in that room".
//!
//! The protocol side knows of calls only [`Answer`]: a place is taken before a job is accepted, so
//! the number of calls never exceeds what was promised.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use livekit_protocol as proto;
use tokio_util::sync::CancellationToken;

/// Whoever carries out jobs.
pub trait Answer: Send + Sync + 'static {
    /// Takes a place for `job`, or says why not. Must not block: the server waits.
    ///
    /// # Errors
    /// [`Declined`]: the server asks the next worker at once.
    fn offer(&self, job: &proto::Job) -> Result<Accepted, Declined>;

    /// Places taken and places in all.
    fn places(&self) -> (u32, u32);
}

/// A job that will be carried out once it is assigned. Dropped, its place is free again.
pub struct Accepted {
    /// How the agent appears in the room.
    pub participant: AgentParticipant,
    /// Carries it out, from joining the room to leaving it.
    pub run: Run,
}

/// Carries out one job. It holds the job's place until it is done or dropped.
pub type Run = Box<dyn FnOnce(Assignment) -> BoxFuture<'static, JobEnd> + Send>;

/// How an agent appears in its room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentParticipant {
    /// Unique within the room; left empty it is `agent-<job id>`, as with LiveKit's own workers.
    pub identity: String,
    /// For people.
    pub name: String,
    /// Free text that participants can read.
    pub metadata: String,
    /// What others in the room can read by name; `lk.agent.name` is added.
    pub attributes: BTreeMap<String, String>,
}

/// A job that is ours.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// What is wanted.
    pub job: Arc<proto::Job>,
    /// The server whose room it is.
    pub url: String,
    /// With which the agent joins. Never to be logged.
    pub token: Arc<str>,
    /// Fires when the server ends the job: its room is gone, its dispatch, or its agent.
    pub terminated: CancellationToken,
    /// Fires when the worker ends the job, since it ends itself.
    pub closed: CancellationToken,
}

/// Why a job is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Declined(pub String);

/// What became of a job, as the server is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// The call ended as calls should.
    Success,
    /// It did not; why, without content or secrets.
    Failed(String),
}
