//! What the nodes' own tests share: a context without providers, edges as the signatures say, and
//! observers that remember.

use std::sync::{Arc, Mutex};

use serde_json::Value as Json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_engine::edge::{EdgeMeter, Input, Limit, Output, Overflow, edge};
use voicegraph_engine::event::{Event, Observer, Observers};
use voicegraph_engine::message::Payload;
use voicegraph_engine::node::{Context, Signature};
use voicegraph_engine::turn::{Anchor, Beginning};
use voicegraph_engine::variables::{
    DEFAULT_LENGTH, Declaration, Declarations, VariableType, Variables,
};

/// A context that reaches no provider.
pub(crate) fn context() -> Context {
    context_told(Observers::default())
}

/// The same, with observers.
pub(crate) fn context_told(observers: Observers) -> Context {
    Context::for_test(Connector::new(&Roots::default()), observers)
}

/// An edge to the input `port`, with the limits that the kind gives it.
pub(crate) fn edge_to<T: Payload>(signature: &Signature, port: &str) -> (Output<T>, Input<T>) {
    let spec = signature.input(port).expect("the kind has this input");
    edge_with(spec.limit, spec.overflow)
}

/// An edge with these limits.
pub(crate) fn edge_with<T: Payload>(limit: Limit, overflow: Overflow) -> (Output<T>, Input<T>) {
    edge(&EdgeMeter::new("a.out -> b.in", limit, overflow), CancellationToken::new())
}

/// A turn that answers `text`, said just now.
pub(crate) fn beginning(text: &str) -> Beginning {
    let now = Instant::now();
    let text = text.to_owned();
    Beginning { text, origin: now, anchor: Anchor::Vad, transcript: Some(now), settled: now }
}

/// Variables of a call, whose types are those of the values.
pub(crate) fn variables(given: &[(&str, Json)]) -> Variables {
    let declared = declared(given);
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Variables::parse(&declared, &given).expect("the values are of their types")
}

/// Their declarations.
pub(crate) fn declared(given: &[(&str, Json)]) -> Declarations {
    Declarations::for_test(given.iter().map(|(name, value)| Declaration {
        name: (*name).into(),
        kind: match value {
            Json::Bool(_) => VariableType::Boolean,
            Json::Number(number) if number.is_f64() => VariableType::Number,
            Json::Number(_) => VariableType::Integer,
            _ => VariableType::String,
        },
        default: None,
        description: None,
        max_length: DEFAULT_LENGTH,
        attribute: None,
    }))
}

/// Remembers every event with its time.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Vec<(Instant, Event)>>);

impl Seen {
    /// A memory, and the observers that fill it.
    pub(crate) fn new() -> (Arc<Self>, Observers) {
        let seen = Arc::new(Self::default());
        let observers = Observers::new(vec![Arc::clone(&seen) as Arc<dyn Observer>]);
        (seen, observers)
    }

    /// What was told so far.
    pub(crate) fn events(&self) -> Vec<(Instant, Event)> {
        self.0.lock().expect("no panic holds this lock").clone()
    }
}

impl Observer for Seen {
    fn on(&self, at: Instant, event: &Event) {
        self.0.lock().expect("no panic holds this lock").push((at, event.clone()));
    }
}
