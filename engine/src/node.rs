//! What a node is: described once, configured once per graph, run once per call.
//!
//! ```text
//!   Kind (options, signature) ──build──> NodeFactory ──create──> Node ──run(ports, ctx)──> ends
//!   known to the registry                one per graph           one per call
//! ```
//!
//! A node knows its ports, not its neighbours. It spawns no task: what it does at once, it joins in
//! `run`. It reaches providers through [`Context::connector`] alone.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;

use crate::call::{CallRecord, Unrecorded};
use crate::connect::{Connector, Endpoint};
use crate::edge::SendError;
use crate::message::ToolSpec;
pub use crate::ports::{Context, Ports, Tool};
use crate::resource::Resource;
pub use crate::signature::{Arity, PortSpec, Role, Signature};
use crate::variables::Declarations;
pub use crate::variables::UsedVariable;

/// One call's instance of a stage.
#[async_trait]
pub trait Node: Send {
    /// Runs until the inputs are at their end or `ctx` says that the call is over.
    ///
    /// # Errors
    /// [`NodeError`] ends this call with a reason. A panic does so too, and never ends the process.
    async fn run(self: Box<Self>, ports: Ports, ctx: Context) -> Result<(), NodeError>;
}

/// A configured node of a graph: it holds what calls share and makes one [`Node`] per call.
#[async_trait]
pub trait NodeFactory: Send + Sync {
    /// The stage for one call.
    fn create(&self) -> Box<dyn Node>;

    /// The providers that the node reaches, for those who must know before a call is made: whether
    /// all are simulated, or which hosts a firewall must let through.
    fn endpoints(&self) -> Vec<Endpoint> {
        Vec::new()
    }

    /// The tools that the node answers to on its input of kind `tool_call`.
    fn tools(&self) -> Vec<ToolSpec> {
        Vec::new()
    }

    /// The variables of calls that the node reads, so that one that nobody declares is a mistake
    /// at a line of the file. Naming one twice does no harm.
    fn variables(&self) -> Vec<UsedVariable> {
        Vec::new()
    }

    /// How long a stage may need, once its call was cancelled, to finish what it has begun and must
    /// not leave half-way. The call's end waits that long for it.
    fn finish_limit(&self) -> Duration {
        Duration::ZERO
    }

    /// What calls share that has figures and a health of its own.
    fn resource(&self) -> Option<Arc<dyn Resource>> {
        None
    }

    /// Keeps the record of a call of the graph, if the node is for that: once per call, after its
    /// last stage has ended, however it ended. After
    /// [`RECORD_LIMIT`](crate::call::RECORD_LIMIT) it is dropped. What is lost so or otherwise
    /// is to be counted among the figures of [`resource`](Self::resource).
    ///
    /// # Errors
    /// [`Unrecorded`], for the log: the call is over.
    async fn record(&self, _call: &CallRecord, _connector: &Connector) -> Result<(), Unrecorded> {
        Ok(())
    }

    /// Asks the outside whether the options fit it, before a call is made: a statement names a
    /// table that is not there. What it finds is told like a mistake in the options.
    async fn verify(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// A kind of node as its author writes it. Put into a [`Registry`](crate::registry::Registry), it
/// serves as a [`NodeKind`].
pub trait Kind: Send + Sync + 'static {
    /// The options as written in TOML: `deny_unknown_fields`, a doc comment on each field, ranges
    /// as schema attributes. The schema is what `check`, `nodes` and editors read.
    type Options: DeserializeOwned + JsonSchema;

    /// The value of `kind` in TOML.
    const NAME: &'static str;

    /// One sentence on what the node does.
    const SUMMARY: &'static str;

    /// The ports.
    fn signature() -> Signature;

    /// Checks the options and makes the factory. What is right in `dev` may be a mistake in another
    /// `environment`.
    ///
    /// # Errors
    /// Every mistake that the schema cannot express, all at once.
    fn build(
        options: Self::Options,
        environment: &str,
    ) -> Result<Arc<dyn NodeFactory>, Vec<Problem>>;

    /// The same, for a kind that must know which variables calls have, and of which types.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    fn build_with(
        options: Self::Options,
        environment: &str,
        _variables: &Declarations,
    ) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        Self::build(options, environment)
    }
}

/// A kind of node as the engine sees it.
pub trait NodeKind: Send + Sync {
    /// The value of `kind` in TOML.
    fn name(&self) -> &'static str;

    /// One sentence on what the node does.
    fn summary(&self) -> &'static str;

    /// The ports.
    fn signature(&self) -> Signature;

    /// The JSON Schema of the options.
    fn options(&self) -> Schema;

    /// Reads the options and makes the factory.
    ///
    /// # Errors
    /// Every mistake found.
    fn configure(
        &self,
        options: toml::Table,
        environment: &str,
        variables: &Declarations,
    ) -> Result<Arc<dyn NodeFactory>, Vec<Problem>>;
}

/// A mistake in a node's options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The option: `voice`, `tools[2].sql`; empty for the node as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// A mistake in the option at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), help: None }
    }

    /// The same, with what to write instead.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Adapts a [`Kind`] to what the engine sees.
pub(crate) struct Adapter<K>(pub(crate) std::marker::PhantomData<fn() -> K>);

impl<K: Kind> NodeKind for Adapter<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn summary(&self) -> &'static str {
        K::SUMMARY
    }

    fn signature(&self) -> Signature {
        K::signature()
    }

    fn options(&self) -> Schema {
        schemars::SchemaGenerator::default().into_root_schema_for::<K::Options>()
    }

    fn configure(
        &self,
        options: toml::Table,
        environment: &str,
        variables: &Declarations,
    ) -> Result<Arc<dyn NodeFactory>, Vec<Problem>> {
        let options = serde_path_to_error::deserialize(toml::Value::Table(options));
        let options = options.map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { path };
            vec![Problem::new(path, error.into_inner().message())]
        })?;
        K::build_with(options, environment, variables)
    }
}

/// Why a node could not go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Nobody reads what the node makes: its work is over, and the call's end is in progress.
    #[error("nobody reads this node's output any more")]
    Closed,
    /// An edge that must not overflow did.
    #[error("{0}")]
    Overflowed(SendError),
    /// A provider refused for good, or failed more often than is tried.
    #[error("{provider}: {reason}")]
    Provider {
        /// The provider's name.
        provider: &'static str,
        /// What it said, without content or secrets.
        reason: String,
    },
    /// An input got what the node cannot work with.
    #[error("input {port:?} {reason}")]
    BadInput {
        /// The input's name.
        port: &'static str,
        /// What came, and what the node needs.
        reason: String,
    },
    /// The caller is gone: nobody listens any more.
    #[error("the caller hung up")]
    HungUp,
}

impl From<SendError> for NodeError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed => Self::Closed,
            overflowed @ SendError::Overflowed { .. } => Self::Overflowed(overflowed),
        }
    }
}
