//! What a node kind declares: its ports and its part in the call.

use std::num::NonZeroU32;

use crate::edge::{Limit, Overflow};
use crate::message::{Payload, PayloadKind};

/// The ports of a kind, and its part in the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// What it reads.
    pub inputs: Vec<PortSpec>,
    /// What it makes.
    pub outputs: Vec<PortSpec>,
    /// Its part in the call.
    pub role: Role,
}

/// What a node is to the call besides a stage. A graph has exactly one node of each role but
/// `Stage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// One stage among others.
    Stage,
    /// Takes the caller's audio from the transport.
    Source,
    /// Gives the agent's audio to the transport.
    Sink,
    /// Begins and interrupts turns.
    TurnControl,
}

/// How many edges a port takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// One edge, as every input takes unless it says otherwise.
    One,
    /// One or more.
    Many,
}

/// One port. On an input, `limit` and `overflow` are the defaults of the edges that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortSpec {
    /// The part after the dot in an edge.
    pub name: &'static str,
    /// What it carries.
    pub payload: PayloadKind,
    /// How many edges it takes. Outputs take many: each edge gets every message.
    pub arity: Arity,
    /// Whether a graph that leaves the port without an edge is refused.
    pub required: bool,
    /// How much an edge to this port holds by default.
    pub limit: Limit,
    /// What such an edge does when it is full, by default.
    pub overflow: Overflow,
    /// What the port is for.
    pub doc: &'static str,
}

impl Signature {
    /// A stage with these ports.
    pub fn new(inputs: Vec<PortSpec>, outputs: Vec<PortSpec>) -> Self {
        Self { inputs, outputs, role: Role::Stage }
    }

    /// The same, with a part in the call.
    #[must_use]
    pub fn role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// The input of that name.
    pub fn input(&self, name: &str) -> Option<&PortSpec> {
        self.inputs.iter().find(|port| port.name == name)
    }

    /// The output of that name.
    pub fn output(&self, name: &str) -> Option<&PortSpec> {
        self.outputs.iter().find(|port| port.name == name)
    }
}

impl PortSpec {
    /// A required input for one edge.
    pub fn input<T: Payload>(
        name: &'static str,
        limit: Limit,
        overflow: Overflow,
        doc: &'static str,
    ) -> Self {
        Self { name, payload: T::KIND, arity: Arity::One, required: true, limit, overflow, doc }
    }

    /// A required output. Its edges take their limits from the inputs that they lead to.
    pub fn output<T: Payload>(name: &'static str, doc: &'static str) -> Self {
        let limit = Limit::Count(NonZeroU32::MIN);
        let (arity, overflow) = (Arity::Many, Overflow::Block);
        Self { name, payload: T::KIND, arity, required: true, limit, overflow, doc }
    }

    /// The same, but a graph may leave it without an edge.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// The same, for any number of edges.
    #[must_use]
    pub fn many(self) -> Self {
        Self { arity: Arity::Many, ..self }
    }
}

impl Limit {
    /// A limit of so many messages.
    ///
    /// # Panics
    /// Where `count` is 0, which is a mistake in a kind's declaration.
    pub const fn count(count: u32) -> Self {
        Self::Count(NonZeroU32::new(count).expect("a limit is at least 1"))
    }

    /// A limit of so many milliseconds.
    ///
    /// # Panics
    /// Where `millis` is 0, which is a mistake in a kind's declaration.
    pub const fn millis(millis: u32) -> Self {
        Self::Millis(NonZeroU32::new(millis).expect("a limit is at least 1"))
    }
}
