//! What a node is given for one call: its ports and its context.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio_util::sync::CancellationToken;

use crate::connect::Connector;
use crate::edge::{Input, Output};
use crate::event::{Event, Observers};
use crate::message::{Payload, ToolSpec};
use crate::metrics::NodeMeter;
use crate::transport::{Sink, Source};
use crate::turn::TurnControl;
use crate::variables::Variables;

/// The ports of one node in one call. Each is taken once; those never taken close when this is
/// dropped.
#[derive(Debug, Default)]
pub struct Ports {
    inputs: BTreeMap<&'static str, Box<dyn Any + Send>>,
    outputs: BTreeMap<&'static str, Box<dyn Any + Send>>,
}

impl Ports {
    /// Connects an input.
    pub fn add_input<T: Payload>(&mut self, name: &'static str, more: Input<T>) {
        let joined = match take(&mut self.inputs, name) {
            Some(port) => Input::and(port, more),
            None => more,
        };
        self.inputs.insert(name, Box::new(joined));
    }

    /// Connects an output.
    pub fn add_output<T: Payload>(&mut self, name: &'static str, more: Output<T>) {
        let joined = match take(&mut self.outputs, name) {
            Some(port) => Output::and(port, more),
            None => more,
        };
        self.outputs.insert(name, Box::new(joined));
    }

    /// Takes the input `name`; an unconnected one where the graph has no edge to it.
    ///
    /// # Panics
    /// Where the port carries something else: the kind's signature and its code disagree.
    pub fn input<T: Payload>(&mut self, name: &str) -> Input<T> {
        take(&mut self.inputs, name).unwrap_or_else(Input::unconnected)
    }

    /// Takes the output `name`; an unconnected one where the graph has no edge from it.
    ///
    /// # Panics
    /// Where the port carries something else: the kind's signature and its code disagree.
    pub fn output<T: Payload>(&mut self, name: &str) -> Output<T> {
        take(&mut self.outputs, name).unwrap_or_else(Output::unconnected)
    }

    /// Whether the graph has an edge to the input `name`, and it was not taken yet.
    pub fn has_input(&self, name: &str) -> bool {
        self.inputs.contains_key(name)
    }
}

fn take<P: 'static>(
    ports: &mut BTreeMap<&'static str, Box<dyn Any + Send>>,
    name: &str,
) -> Option<P> {
    let port = ports.remove(name)?;
    Some(*port.downcast().expect("the signature names the payload that the code asks for"))
}

/// A tool that the node can call, and the edge of its output `call` that leads there.
#[derive(Clone, Debug)]
pub struct Tool {
    /// What the model is told.
    pub spec: ToolSpec,
    /// For [`Output::send_to`].
    pub edge: usize,
}

/// What a node knows of its call.
pub struct Context {
    /// The call's id: unique, and never a metric's label.
    pub session_id: Arc<str>,
    /// Who calls, where the transport knows it: a phone number in E.164 or an identity.
    pub caller: Option<Arc<str>>,
    /// When the call began, by the wall clock.
    pub started_at: SystemTime,
    /// The node's name in the graph.
    pub node: Arc<str>,
    /// The one door to providers.
    pub connector: Connector,
    /// Fires when the call must end at once. Draining is told by inputs that end.
    pub cancelled: CancellationToken,
    /// Fires when the sources are to close, so that the call drains.
    pub closing: CancellationToken,
    /// Tools that can be called, where the node has an output of kind `tool_call`.
    pub tools: Vec<Tool>,
    /// The service times of the node.
    pub meter: Arc<NodeMeter>,
    pub(crate) variables: Variables,
    pub(crate) observers: Observers,
    pub(crate) seed: u64,
    /// In a lock only so that a context can be shared between the futures that a node joins: a
    /// source or sink need not be `Sync`.
    pub(crate) source: Mutex<Option<Box<dyn Source>>>,
    /// The same.
    pub(crate) sink: Mutex<Option<Box<dyn Sink>>>,
    pub(crate) control: Option<TurnControl>,
}

impl Context {
    /// A context with nothing but a connector, for a node's own tests.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_test(connector: Connector, observers: Observers) -> Self {
        Self {
            session_id: "test".into(),
            caller: None,
            started_at: SystemTime::UNIX_EPOCH,
            node: "node".into(),
            connector,
            cancelled: CancellationToken::new(),
            closing: CancellationToken::new(),
            tools: Vec::new(),
            meter: NodeMeter::new("node"),
            variables: Variables::default(),
            observers,
            seed: 0,
            source: Mutex::default(),
            sink: Mutex::default(),
            control: None,
        }
    }

    /// The same, with the call's source, sink and turn control.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn with_parts(
        self,
        source: Option<Box<dyn Source>>,
        sink: Option<Box<dyn Sink>>,
        control: Option<TurnControl>,
    ) -> Self {
        Self { source: Mutex::new(source), sink: Mutex::new(sink), control, ..self }
    }

    /// The same, given these variables.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn with_variables(self, variables: Variables) -> Self {
        Self { variables, ..self }
    }

    /// What the call was given: a value for each variable that the pipeline declares. Values may be
    /// private: they are not for logs.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// The caller's audio; for the one node with [`Role::Source`](crate::signature::Role).
    pub fn take_source(&mut self) -> Option<Box<dyn Source>> {
        self.source.get_mut().expect("no panic holds this lock").take()
    }

    /// The way to the caller's ear; for the one node with [`Role::Sink`](crate::signature::Role).
    pub fn take_sink(&mut self) -> Option<Box<dyn Sink>> {
        self.sink.get_mut().expect("no panic holds this lock").take()
    }

    /// The right to begin and interrupt turns; for the one node with
    /// [`Role::TurnControl`](crate::signature::Role).
    pub fn take_turn_control(&mut self) -> Option<TurnControl> {
        self.control.take()
    }

    /// Tells the call's observers.
    pub fn tell(&self, event: &Event) {
        self.observers.tell(event);
    }

    /// Tells the call's observers, and the log, of a provider's failure.
    pub fn tell_fault(&self, what: &str, retry_in: Option<Duration>) {
        let retry_in_ms = retry_in.map(|delay| delay.as_millis());
        tracing::warn!(node = %self.node, what, ?retry_in_ms, "provider failed");
        let node = self.node.to_string();
        self.tell(&Event::Fault { node, what: what.to_owned(), retry_in });
    }

    /// The node's own source of randomness, seeded by the session and the node's name.
    pub fn rng(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }
}
