//! A database as its node's resource: what `/metrics`, `/health` and `/ready` show of it.

use std::time::Duration;

use async_trait::async_trait;
use voicegraph_engine::resource::{Figure, Measure, Resource, Unhealthy};

use crate::pool::{Database, Figures};

#[async_trait]
impl Resource for Database {
    fn figures(&self) -> Vec<Figure> {
        named(self.figures())
    }

    async fn check(&self, limit: Duration) -> Result<(), Unhealthy> {
        let asked = self.health(limit).await;
        asked.map(drop).map_err(|error| Unhealthy(error.to_string()))
    }
}

/// The pool's figures under their names. Those above the kept number are a gauge of their own:
/// which of the connections they are is not said, and states must add up.
fn named(figures: Figures) -> Vec<Figure> {
    let Figures { in_use, idle, overflow, waiting, timeouts, replaced, acquire_us, .. } = figures;
    let count = |count: usize| count as u64;
    let states = vec![("in_use", count(in_use)), ("idle", count(idle))];
    let figure = |name, help, measure| Figure { name, help, measure };
    vec![
        figure(
            "voicegraph_database_connections",
            "Open connections of the pool, by state.",
            Measure::Parts { label: "state", parts: states },
        ),
        figure(
            "voicegraph_database_connections_overflow",
            "Open connections above the number that is kept.",
            Measure::Gauge(count(overflow)),
        ),
        figure(
            "voicegraph_database_acquires_waiting",
            "Tools that wait now since every connection is in use.",
            Measure::Gauge(count(waiting)),
        ),
        figure(
            "voicegraph_database_acquire_seconds",
            "Time from asking for a connection to having it.",
            Measure::Durations(acquire_us),
        ),
        figure(
            "voicegraph_database_acquire_timeouts_total",
            "How often no connection was had in time.",
            Measure::Counter(timeouts),
        ),
        figure(
            "voicegraph_database_replaced_total",
            "Idle connections that were found dead and replaced.",
            Measure::Counter(replaced),
        ),
    ]
}
