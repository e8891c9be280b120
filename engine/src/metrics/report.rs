//! The figures of an edge as percentiles, for `/edges` and tables.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::edge::{DropReason, EdgeFigures, Limit, Overflow};

/// One edge at one instant: `sent = received + dropped + length`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EdgeReport {
    /// The edge's written form.
    pub edge: String,
    /// Messages offered to the edge.
    pub sent: u64,
    /// Messages that a node received.
    pub received: u64,
    /// Messages dropped, by reason; each reason is named, also at 0.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Messages that wait now, in all calls.
    pub length: u64,
    /// How much one call may hold: `{"count": 64}` or `{"millis": 400}`.
    pub limit: Limit,
    /// What happens when that is reached.
    pub overflow: Overflow,
    /// How long messages waited on the edge, in µs.
    pub queue_us: Percentiles,
    /// How old messages were when received, counted from their origin, in µs.
    pub age_us: Percentiles,
}

/// A distribution. Without values there are no percentiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// How many values.
    pub count: u64,
    /// Half of the values are at most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<u64>,
    /// 90 % are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90: Option<u64>,
    /// 99 % are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<u64>,
    /// 99.9 % are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999: Option<u64>,
    /// All are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

impl From<&EdgeFigures> for EdgeReport {
    fn from(figures: &EdgeFigures) -> Self {
        let counts = &figures.counts;
        let dropped = DropReason::ALL.map(|reason| (reason.name(), counts.dropped(reason)));
        Self {
            edge: figures.edge.clone(),
            sent: counts.sent,
            received: counts.received,
            dropped: dropped.into(),
            length: counts.length,
            limit: figures.limit,
            overflow: figures.overflow,
            queue_us: Percentiles::from(&figures.queue_us),
            age_us: Percentiles::from(&figures.age_us),
        }
    }
}

impl From<&Histogram<u64>> for Percentiles {
    fn from(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        let at = |quantile| Some(histogram.value_at_quantile(quantile));
        Self {
            count: histogram.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: Some(histogram.max()),
        }
    }
}
