//! The bucket bounds of the exposed histograms, in µs.
//!
//! Behind each stands a histogram of three digits, so bounds can be moved without losing anything
//! but the continuity of dashboards.

/// Waits on edges, and what the engine adds to a turn: 10 µs to 1 s.
pub(super) const EDGE: &[u64] = &[
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000,
    500_000, 1_000_000,
];

/// Ages on edges. On the edges of an answer that is the response latency so far, so these go on to
/// 10 s.
pub(super) const AGE: &[u64] = &[
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 2_000_000, 5_000_000, 10_000_000,
];

/// Service times of nodes, from a computation to a provider's answer: as ages.
pub(super) const NODE: &[u64] = AGE;

/// What resources take, such as the wait for a connection: as nodes, whose work that is part of.
pub(super) const RESOURCE: &[u64] = NODE;

/// Latencies of turns, dense where callers begin to notice.
pub(super) const TURN: &[u64] = &[
    50_000, 100_000, 200_000, 300_000, 400_000, 500_000, 650_000, 800_000, 1_000_000, 1_250_000,
    1_500_000, 2_000_000, 3_000_000, 5_000_000, 10_000_000,
];
