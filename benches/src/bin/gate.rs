//! Holds the budgets: measures both sides in turn within one run, and fails where a ratio is above
//! its budget or a hop allocates.

use std::alloc::System;
use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use voicegraph_benches::hop;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// An edge's hop may take so many times a bare channel's.
const HOP_RATIO: f64 = 1.5;

/// Pairs of measurements. The median of their ratios is compared, so a disturbed pair does not
/// count.
const ROUNDS: usize = 41;

/// Hops in one measurement: about 10 ms.
const HOPS: u64 = 50_000;

fn main() -> ExitCode {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let ratio = hop_ratio(&runtime);
    let allocations = hop_allocations(&runtime);
    println!("edge: hop / mpsc hop = {ratio:.2} (budget {HOP_RATIO})");
    println!("edge: allocations per hop = {allocations} (budget 0)");
    let held = ratio <= HOP_RATIO && allocations == 0;
    println!("{} passed, {} failed", u8::from(held), u8::from(!held));
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The median ratio of an edge's hop to a bare channel's.
fn hop_ratio(runtime: &Runtime) -> f64 {
    let message = runtime.block_on(async { hop::message() });
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let edge = time(runtime, hop::over_edge(HOPS, message.clone()));
            let mpsc = time(runtime, hop::over_mpsc(HOPS, message.clone()));
            edge / mpsc
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ROUNDS / 2]
}

fn time(runtime: &Runtime, hops: impl Future<Output = ()>) -> f64 {
    let start = Instant::now();
    runtime.block_on(hops);
    start.elapsed().as_secs_f64()
}

/// What ten thousand more hops allocate beyond what ten do, per hop: set-up cancels out.
fn hop_allocations(runtime: &Runtime) -> u64 {
    let message = runtime.block_on(async { hop::message() });
    let count = |hops| {
        let region = Region::new(ALLOCATOR);
        runtime.block_on(hop::over_edge(hops, message.clone()));
        region.change().allocations as u64
    };
    count(10);
    (count(10_010).saturating_sub(count(10))).div_ceil(10_000)
}
