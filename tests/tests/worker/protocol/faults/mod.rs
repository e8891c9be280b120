//! What goes wrong between a worker and its server, each against a scripted server over a real
//! socket: the rows of the reference's tables of faults and of ends of jobs.

mod connection;
mod ends;
mod jobs;

use std::time::Duration;

use voicegraph_tests::agent::{Desk, Fake, Hired, Visit, hire, settings};
use voicegraph_worker::protocol::Timing;

/// More than any job of these tests runs.
const DRAIN_LIMIT: Duration = Duration::from_secs(60);

/// A fake server, a worker that is registered there, and who carries out its jobs.
struct Scene {
    fake: Fake,
    visit: Visit,
    worker: Hired,
    desk: Desk,
}

/// A scene with so many places.
async fn scene(places: u32) -> Scene {
    scene_with(Desk::new(places), |_| {}).await
}

/// A scene with a desk and limits of time of the test's own.
async fn scene_with(desk: Desk, change: impl FnOnce(&mut Timing)) -> Scene {
    let fake = Fake::start().await;
    let mut settings = settings(fake.url(), "clinic");
    change(&mut settings.timing);
    let worker = hire(settings, &desk, DRAIN_LIMIT);
    let visit = fake.register("AW_1").await;
    worker.registered().await;
    Scene { fake, visit, worker, desk }
}
