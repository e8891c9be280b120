//! The numbers of one process, keyed by pipeline and environment, then by edge or node.
//!
//! ```text
//!   Metrics ── PipelineMetrics ── EdgeMeter  (queue, age, counts)     one per edge, for all calls
//!                     │        ── NodeMeter  (service times)          one per node
//!                     └─────────── turns, calls, faults               told as an observer
//!   read as  EdgeReport (JSON, percentiles)  and  exposition (Prometheus text)
//! ```
//!
//! There is no global registry: whoever serves or tests makes one. Nothing here is labelled with a
//! call's id, so memory does not grow with calls.

mod bounds;
mod exposition;
mod node;
mod pipeline;
mod process;
mod report;
#[cfg(test)]
mod tests;
mod turns;

pub use node::{NodeMeter, Usage};
pub use pipeline::{CallGuard, Identity, PipelineMetrics};
pub use process::Metrics;
pub use report::{EdgeReport, Percentiles};
pub use turns::{EndedTurn, MAX_RECENT_TURNS, TurnSeries};
