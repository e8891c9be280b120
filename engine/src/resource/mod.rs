//! What all calls of a graph share and what may run short or fail beside them: a pool of
//! connections.
//!
//! ```text
//!   NodeFactory::resource ──> Resource ──figures──> Figure, for the metrics whenever they are read
//!                                └──────check─────> Check, one at a time for all who ask
//! ```
//!
//! A node says what it has and under which names; how that is labelled, rendered and served is the
//! matter of `metrics` and `http`.

mod check;
mod figure;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;

pub use check::{CHECK_LIMIT, Check, FRESH, Resources};
pub use figure::{Figure, Measure};

/// What all calls of a graph share behind one of its nodes.
#[async_trait]
pub trait Resource: Send + Sync {
    /// Its figures at this instant. Every time the same names, or a series would come and go.
    fn figures(&self) -> Vec<Figure>;

    /// Asks it for a sign of life, within `limit`: what comes later counts as none. Dropping the
    /// question leaves nothing behind.
    ///
    /// # Errors
    /// [`Unhealthy`] where there is none.
    async fn check(&self, limit: Duration) -> Result<(), Unhealthy>;
}

/// Why there was no sign of life, in words for everybody who can reach the endpoints: no secret, no
/// address, nothing that a caller said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unhealthy(pub String);
