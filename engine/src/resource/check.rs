//! Asks the resources of a graph for a sign of life: never twice at the same time, however many
//! probes come.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::{Figure, Resource, Unhealthy};

/// The longest wait for a sign of life. A probe of Kubernetes gives up after 1 s where nothing else
/// is configured, and must have its answer by then: else a database that hangs would have the
/// process started anew, which helps nobody.
pub const CHECK_LIMIT: Duration = Duration::from_millis(800);

/// How long a result serves those who ask next: probes that come in seconds find a new one, a storm
/// of them asks once.
pub const FRESH: Duration = Duration::from_secs(1);

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// How long the answer took, or the wait for it.
    pub latency: Duration,
    /// Whether there was a sign of life.
    pub result: Result<(), Unhealthy>,
}

/// The resources of a graph, by the names of their nodes. Clones share them, and the checks.
#[derive(Clone, Default)]
pub struct Resources(Arc<[Shared]>);

struct Shared {
    node: Arc<str>,
    resource: Arc<dyn Resource>,
    /// The last result. Whoever asks the resource holds it meanwhile.
    last: Mutex<Option<Last>>,
}

struct Last {
    at: Instant,
    check: Check,
}

impl Resources {
    /// Those of the nodes of that name, in the order of the graph.
    pub fn new(owned: impl IntoIterator<Item = (Arc<str>, Arc<dyn Resource>)>) -> Self {
        let shared = |(node, resource)| Shared { node, resource, last: Mutex::new(None) };
        Self(owned.into_iter().map(shared).collect())
    }

    /// The figures of each, under its node's name.
    pub fn figures(&self) -> impl Iterator<Item = (&str, Vec<Figure>)> {
        self.0.iter().map(|shared| (&*shared.node, shared.resource.figures()))
    }

    /// Whether each shows a sign of life, within [`CHECK_LIMIT`]; the answer may be as old as
    /// [`FRESH`].
    pub async fn check(&self) -> BTreeMap<String, Check> {
        let checks = self.0.iter().map(async |shared| {
            let check = shared.check().await;
            (shared.node.to_string(), check)
        });
        join_all(checks).await.into_iter().collect()
    }
}

impl Shared {
    async fn check(&self) -> Check {
        let until = Instant::now() + CHECK_LIMIT;
        timeout_at(until, self.check_in_turn(until)).await.unwrap_or_else(|_| Check::late())
    }

    /// The last result while it is fresh, else a new one. Who waits here for another's question
    /// gets its answer; if that one goes away first, the next in line asks.
    async fn check_in_turn(&self, until: Instant) -> Check {
        let mut last = self.last.lock().await;
        if let Some(known) = last.as_ref().filter(|known| known.at.elapsed() < FRESH) {
            return known.check.clone();
        }
        let check = self.ask(until).await;
        self.tell(last.as_ref().map(|last| &last.check), &check);
        *last = Some(Last { at: Instant::now(), check: check.clone() });
        check
    }

    async fn ask(&self, until: Instant) -> Check {
        let began = Instant::now();
        let asked = timeout_at(until, self.resource.check(until - began)).await;
        asked.map_or_else(|_| Check::late(), |result| Check { latency: began.elapsed(), result })
    }

    /// Logs what has changed.
    fn tell(&self, before: Option<&Check>, check: &Check) {
        let was_ok = before.is_none_or(|before| before.result.is_ok());
        match &check.result {
            Err(error) if was_ok => tracing::warn!(node = %self.node, %error, "check fails"),
            Ok(()) if !was_ok => tracing::info!(node = %self.node, "check passes again"),
            _ => {}
        }
    }
}

impl Check {
    fn late() -> Self {
        let error = format!("no answer within {} ms", CHECK_LIMIT.as_millis());
        Self { latency: CHECK_LIMIT, result: Err(Unhealthy(error)) }
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|shared| &shared.node)).finish()
    }
}
