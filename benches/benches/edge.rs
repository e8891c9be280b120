//! Question: what does an edge cost beside a bare channel?
//!
//! Budget: one hop with stale check, counts and both histograms takes at most 1.5 times a bare
//! tokio mpsc hop, and allocates nothing. The gate (`cargo run -p voicegraph-benches --bin gate`)
//! holds it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Builder;
use voicegraph_benches::hop;

const HOPS: u64 = 1_000;

fn bench(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let mut group = criterion.benchmark_group("edge");
    group.throughput(Throughput::Elements(HOPS));
    let message = runtime.block_on(async { hop::message() });
    group.bench_function("hop", |bencher| {
        bencher.iter(|| runtime.block_on(hop::over_edge(HOPS, message.clone())));
    });
    group.bench_function("mpsc", |bencher| {
        bencher.iter(|| runtime.block_on(hop::over_mpsc(HOPS, message.clone())));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
