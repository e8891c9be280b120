//! How jobs come to a worker, and how they end.

use std::time::Duration;

use voicegraph_tests::agent::{Desk, Hired, hire, settings};
use voicegraph_tests::livekit::Version;
use voicegraph_tests::poll::poll;
use voicegraph_worker::job::JobEnd;
use voicegraph_worker::protocol::Steady;

use crate::site::{DRAIN_LIMIT, Site, against_both};

against_both!(
    explicit_dispatch_reaches_its_worker,
    a_dispatch_that_came_too_early_is_lost,
    automatic_dispatch_reaches_a_nameless_worker,
    taking_a_dispatch_back_ends_its_job,
    a_declined_job_goes_to_the_second_worker,
    a_loaded_worker_is_not_asked,
    a_drained_worker_leaves_new_jobs_to_the_other,
);

/// A server books jobs every 5 s; only a failing test waits as long.
const BOOKED: Duration = Duration::from_secs(30);

async fn explicit_dispatch_reaches_its_worker(site: Site) {
    let (worker, desk) = site.worker(1).await;
    let dispatch = site.api().dispatch(site.name, site.name, "{\"pipeline\":\"clinic\"}").await;
    let book = desk.until("the job", |book| book.running.len() == 1).await;
    let assignment = book.running.values().next().unwrap();
    let job = &assignment.job;
    assert_eq!((job.agent_name.as_str(), &job.dispatch_id), (site.name, &dispatch));
    assert_eq!(job.metadata, "{\"pipeline\":\"clinic\"}");
    assert_eq!(job.room.as_ref().unwrap().name, site.name);
    assert_eq!(assignment.url, site.server.url());
    desk.end(&job.id, JobEnd::Success);
    let status = worker.until("its end", |status| status.counts.finished == 1).await;
    assert_eq!((status.active_jobs, status.counts.declined_total()), (0, 0));
}

/// A server does not keep a job for a worker that registers later: whoever dispatches waits first.
async fn a_dispatch_that_came_too_early_is_lost(site: Site) {
    site.api().dispatch(site.name, &format!("{}-early", site.name), "").await;
    let (_worker, desk) = site.worker(2).await;
    let room = format!("{}-late", site.name);
    site.api().dispatch(site.name, &room, "").await;
    let book = desk.until("the second job", |book| book.running.len() == 1).await;
    assert_eq!((book.offered.len(), book.rooms.contains(&room)), (1, true));
}

/// A nameless worker gets a job for each new room of the server, those of other tests too.
async fn automatic_dispatch_reaches_a_nameless_worker(site: Site) {
    let desk = Desk::with_short_jobs(100);
    let worker = hire(settings(&site.server.url(), ""), &desk, DRAIN_LIMIT);
    worker.ready().await;
    assert!(!desk.book().rooms.contains(site.name));
    site.api().create_room(site.name, 20).await;
    desk.until("the room's job", |book| book.rooms.contains(site.name)).await;
}

async fn taking_a_dispatch_back_ends_its_job(site: Site) {
    let (worker, desk) = site.worker(1).await;
    let dispatch = site.api().dispatch(site.name, site.name, "").await;
    desk.until("the job", |book| book.running.len() == 1).await;
    until_booked(&site).await;
    site.api().delete_dispatch(&dispatch, site.name).await;
    desk.until("its end", |book| book.terminated.len() == 1).await;
    worker.until("it to be told", |status| status.counts.finished == 1).await;
    assert_eq!(worker.status().counts.terminated, 1);
}

/// Waits until the server's list of the room's dispatches shows the job.
pub(super) async fn until_booked(site: &Site) {
    let booked = async || {
        let list = site.api().dispatches(site.name).await;
        let dispatches = list["agent_dispatches"].as_array().unwrap().iter();
        let ours = dispatches.filter(|it| it["agent_name"] == site.name);
        let jobs = ours.filter_map(|it| it["state"]["jobs"].as_array());
        (jobs.flatten().count() > 0).then_some(())
    };
    poll(BOOKED, booked).await.expect("the server books the job");
}

/// Whoever is asked first, the job ends up where there is a place.
async fn a_declined_job_goes_to_the_second_worker(site: Site) {
    let (first, full) = site.worker(1).await;
    site.api().dispatch(site.name, &format!("{}-1", site.name), "").await;
    full.until("the first job", |book| book.running.len() == 1).await;
    let (second, free) = site.worker(3).await;
    for room in 2..5 {
        site.api().dispatch(site.name, &format!("{}-{room}", site.name), "").await;
    }
    free.until("all others", |book| book.running.len() == 3).await;
    let (first, second) = (first.status(), second.status());
    assert_eq!((first.active_jobs, second.active_jobs), (1, 3));
    assert!(first.full && second.full);
}

/// 1.8.4 asks a worker whose load is below 0.65, whatever it says of itself; 1.11.0 below 0.7.
async fn a_loaded_worker_is_not_asked(site: Site) {
    let (below, above) = match site.server.version() {
        Version::New => (0.69, 0.71),
        Version::Old => (0.64, 0.66),
    };
    let names = [format!("{}-below", site.name), format!("{}-above", site.name)];
    let mut desks = Vec::new();
    for (name, load) in names.iter().zip([below, above]) {
        let desk = Desk::new(100);
        let settings = settings(&site.server.url(), name);
        let answer = std::sync::Arc::new(desk.clone());
        let worker = Hired::new(settings, answer, Box::new(Steady(load)), DRAIN_LIMIT);
        worker.ready().await;
        worker.until("its load", |status| status.load > 0.6).await;
        desks.push((worker, desk));
    }
    for room in 0..5 {
        for name in &names {
            site.api().dispatch(name, &format!("{}-{room}", site.name), "").await;
        }
    }
    let (_, below) = &desks[0];
    below.until("five jobs", |book| book.running.len() == 5).await;
    let (_, above) = &desks[1];
    assert_eq!(above.book().offered, Vec::<String>::new());
}

async fn a_drained_worker_leaves_new_jobs_to_the_other(site: Site) {
    let (first, draining) = site.worker(10).await;
    site.api().dispatch(site.name, &format!("{}-0", site.name), "").await;
    let book = draining.until("a job", |book| book.running.len() == 1).await;
    let (second, taking) = site.worker(10).await;
    first.drain.cancel();
    first.until("the drain", |status| status.draining).await;
    for room in 1..6 {
        site.api().dispatch(site.name, &format!("{}-{room}", site.name), "").await;
    }
    taking.until("all of them", |book| book.running.len() == 5).await;
    let job = book.running.keys().next().unwrap();
    assert!(draining.book().running.contains_key(job), "no job is cut");
    draining.end(job, JobEnd::Success);
    let goodbye = first.ended().await;
    assert_eq!((goodbye.finished, goodbye.cut, goodbye.untold), (1, 0, 0));
    assert_eq!(second.status().active_jobs, 5);
}
