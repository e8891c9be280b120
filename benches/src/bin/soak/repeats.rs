//! Question: does a call depend on anything but its script?
//!
//! Budget: every scenario of the clinic gives the same timeline, to the byte, each time.

use anyhow::ensure;
use voicegraph_tests::scenario::{Scenario, folders};

/// Runs each scenario so often.
pub(crate) fn run(times: u32) -> anyhow::Result<()> {
    let folders = folders();
    for folder in &folders {
        let scenario = Scenario::read(folder);
        let first = scenario.run();
        for time in 2..=times {
            let name = folder.display();
            ensure!(scenario.run() == first, "{name}: run {time} differs from the first");
        }
    }
    println!("{} scenarios, {times} times each: the same bytes", folders.len());
    Ok(())
}
