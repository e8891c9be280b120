//! The metrics as Prometheus families. Names, help and units stand here and nowhere else, save for
//! those of resources, which their nodes name.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram as Buckets, LabelPair, Metric, MetricFamily, MetricType,
};

use super::{PipelineMetrics, TurnSeries, bounds};
use crate::edge::DropReason;
use crate::resource::{Figure, Measure};

const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// Every family that has a series.
pub(super) fn families(pipelines: &[Arc<PipelineMetrics>]) -> Vec<MetricFamily> {
    let mut exposition = Exposition::default();
    for pipeline in pipelines {
        let identity = pipeline.identity();
        let labels =
            Labels(vec![("pipeline", identity.pipeline), ("environment", identity.environment)]);
        let info = labels.and("fingerprint", &identity.fingerprint);
        let info = info.and("version", &identity.version);
        exposition.gauge(
            ("voicegraph_pipeline_info", "The graph that new calls get; always 1."),
            &info,
            1,
        );
        exposition.calls(pipeline, &labels);
        exposition.turns(pipeline, &labels);
        exposition.edges(pipeline, &labels);
        exposition.nodes(pipeline, &labels);
        exposition.resources(pipeline, &labels);
    }
    exposition.families
}

#[derive(Default)]
struct Exposition {
    families: Vec<MetricFamily>,
}

/// Label names and values.
#[derive(Clone)]
struct Labels(Vec<(&'static str, String)>);

/// A family's name and help.
type Named = (&'static str, &'static str);

impl Exposition {
    fn calls(&mut self, pipeline: &PipelineMetrics, labels: &Labels) {
        let tally = pipeline.tally().clone();
        self.gauge(("voicegraph_sessions", "Calls in progress."), labels, tally.sessions);
        for (reason, count) in tally.ended {
            let named = ("voicegraph_sessions_ended_total", "Calls that ended, by reason.");
            self.counter(named, &labels.and("reason", reason), count);
        }
        for (node, count) in tally.faults {
            let named = ("voicegraph_node_faults_total", "Failures of providers, by node.");
            self.counter(named, &labels.and("node", &node), count);
        }
        for (outcome, count) in tally.turns.outcomes {
            let named = ("voicegraph_turns_total", "Turns that ended, by outcome.");
            self.counter(named, &labels.and("outcome", outcome), count);
        }
    }

    fn turns(&mut self, pipeline: &PipelineMetrics, labels: &Labels) {
        for series in TurnSeries::ALL {
            if let Some(values) = pipeline.turns_us(series) {
                let named = (series.name(), series.help());
                self.histogram(named, labels, &values, series.bounds());
            }
        }
    }

    fn edges(&mut self, pipeline: &PipelineMetrics, labels: &Labels) {
        for edge in pipeline.edges() {
            let labels = &labels.and("edge", &edge.edge);
            let named = ("voicegraph_edge_sent_total", "Messages offered to the edge.");
            self.counter(named, labels, edge.counts.sent);
            let named = ("voicegraph_edge_received_total", "Messages that a node received.");
            self.counter(named, labels, edge.counts.received);
            for reason in DropReason::ALL {
                let named = ("voicegraph_edge_dropped_total", "Messages dropped, by reason.");
                let labels = labels.and("reason", reason.name());
                self.counter(named, &labels, edge.counts.dropped(reason));
            }
            let named = ("voicegraph_edge_length", "Messages that wait on the edge now.");
            self.gauge(named, labels, edge.counts.length);
            let named = ("voicegraph_edge_queue_seconds", "How long messages waited on the edge.");
            self.histogram(named, labels, &edge.queue_us, bounds::EDGE);
            let named = (
                "voicegraph_edge_age_seconds",
                "How old messages were when received, counted from their origin.",
            );
            self.histogram(named, labels, &edge.age_us, bounds::AGE);
        }
    }

    fn nodes(&mut self, pipeline: &PipelineMetrics, labels: &Labels) {
        let nodes = pipeline.nodes();
        for node in &nodes {
            let latency = node.latency_us();
            if !latency.is_empty() {
                let named = ("voicegraph_node_latency_seconds", "Service times of the node.");
                self.histogram(named, &labels.and("node", node.name()), &latency, bounds::NODE);
            }
        }
        for node in &nodes {
            let labels = &labels.and("node", node.name());
            for (usage, amount) in node.usage() {
                let named = ("voicegraph_node_usage_total", "What providers bill, by unit.");
                self.counter(named, &labels.and("unit", usage.name()), amount);
            }
        }
        for node in &nodes {
            let named = (
                "voicegraph_node_discarded_seconds_total",
                "Sound that the node held when its turn was interrupted.",
            );
            self.seconds(named, &labels.and("node", node.name()), node.discarded_total());
        }
    }

    fn resources(&mut self, pipeline: &PipelineMetrics, labels: &Labels) {
        for (node, figures) in pipeline.resources().figures() {
            let labels = labels.and("node", node);
            for figure in figures {
                self.figure(&figure, &labels);
            }
        }
    }

    fn figure(&mut self, figure: &Figure, labels: &Labels) {
        let named = (figure.name, figure.help);
        match &figure.measure {
            Measure::Gauge(value) => self.gauge(named, labels, *value),
            Measure::Parts { label, parts } => {
                for (part, value) in parts {
                    self.gauge(named, &labels.and(label, part), *value);
                }
            }
            Measure::Counter(value) => self.counter(named, labels, *value),
            Measure::Durations(us) => self.histogram(named, labels, us, bounds::RESOURCE),
        }
    }

    fn counter(&mut self, named: Named, labels: &Labels, value: u64) {
        self.total(named, labels, value as f64);
    }

    fn seconds(&mut self, named: Named, labels: &Labels, value: Duration) {
        self.total(named, labels, value.as_secs_f64());
    }

    fn total(&mut self, named: Named, labels: &Labels, value: f64) {
        let mut counter = Counter::default();
        counter.set_value(value);
        let mut metric = labels.metric();
        metric.set_counter(counter);
        self.add(named, MetricType::COUNTER, metric);
    }

    fn gauge(&mut self, named: Named, labels: &Labels, value: u64) {
        let mut gauge = Gauge::default();
        gauge.set_value(value as f64);
        let mut metric = labels.metric();
        metric.set_gauge(gauge);
        self.add(named, MetricType::GAUGE, metric);
    }

    fn histogram(&mut self, named: Named, labels: &Labels, us: &Histogram<u64>, bounds: &[u64]) {
        let mut metric = labels.metric();
        metric.set_histogram(buckets(us, bounds));
        self.add(named, MetricType::HISTOGRAM, metric);
    }

    fn add(&mut self, (name, help): Named, kind: MetricType, metric: Metric) {
        if let Some(family) = self.families.iter_mut().find(|family| family.name() == name) {
            debug_assert_eq!(family.get_field_type(), kind, "{name} is taken");
            family.mut_metric().push(metric);
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(vec![metric]);
        self.families.push(family);
    }
}

impl Labels {
    fn and(&self, name: &'static str, value: &str) -> Self {
        let mut labels = self.0.clone();
        labels.push((name, value.to_owned()));
        Self(labels)
    }

    fn metric(&self) -> Metric {
        let pair = |(name, value): &(&str, String)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value(value.clone());
            pair
        };
        Metric::from_label(self.0.iter().map(pair).collect())
    }
}

/// The values in buckets of seconds. Each bucket counts all values up to its bound.
fn buckets(us: &Histogram<u64>, bounds: &[u64]) -> Buckets {
    let bucket = |&bound: &u64| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound as f64 / MICROS_PER_SECOND);
        bucket.set_cumulative_count(us.count_between(0, bound));
        bucket
    };
    let sum: u128 = us
        .iter_recorded()
        .map(|step| {
            u128::from(us.median_equivalent(step.value_iterated_to()))
                * u128::from(step.count_at_value())
        })
        .sum();
    let mut buckets = Buckets::default();
    buckets.set_bucket(bounds.iter().map(bucket).collect());
    buckets.set_sample_count(us.len());
    buckets.set_sample_sum(sum as f64 / MICROS_PER_SECOND);
    buckets
}
