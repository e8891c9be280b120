//! Several workers on one server: who gets how many jobs, and that none is lost while there is
//! room.

use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use voicegraph_tests::agent::{Desk, Hired, settings};
use voicegraph_worker::protocol::Steady;

use crate::site::{DRAIN_LIMIT, Site, against_both};

against_both!(
    jobs_go_to_the_idle_worker_more_often,
    a_burst_fills_each_place_once,
    two_hundred_jobs_find_their_places,
);

/// A worker whose load stays as it is.
async fn worker_with_load(site: &Site, desk: &Desk, load: f32) -> Hired {
    let settings = settings(&site.server.url(), site.name);
    let worker = Hired::new(settings, Arc::new(desk.clone()), Box::new(Steady(load)), DRAIN_LIMIT);
    worker.ready().await;
    worker.until("its load", |status| (status.load - load).abs() < 1e-3).await;
    worker
}

/// Weighted by 1 − load: 0.95 against 0.4, so 70 of 100 are to be expected, with a spread of 4.6.
async fn jobs_go_to_the_idle_worker_more_often(site: Site) {
    let (idle, busy) = (Desk::new(200), Desk::new(200));
    let _idle = worker_with_load(&site, &idle, 0.05).await;
    let _busy = worker_with_load(&site, &busy, 0.6).await;
    for room in 0..100 {
        site.api().dispatch(site.name, &format!("{}-{room}", site.name), "").await;
    }
    let all = || idle.book().running.len() + busy.book().running.len() == 100;
    idle.until_with(&busy, "all jobs", all).await;
    let (idle, busy) = (idle.book().running.len(), busy.book().running.len());
    assert!(busy > 0 && idle > busy, "{idle} and {busy}");
}

/// Two workers with eight places each, and two hundred dispatches at once: sixteen jobs run, and
/// never more than eight at one worker.
async fn a_burst_fills_each_place_once(site: Site) {
    let desks = [Desk::new(8), Desk::new(8)];
    let mut workers = Vec::new();
    for desk in &desks {
        workers.push(worker_with_load(&site, desk, 0.0).await);
    }
    let api = site.api();
    let dispatch = async |room: usize| {
        api.dispatch(site.name, &format!("{}-{room}", site.name), "").await;
    };
    join_all((0..200).map(dispatch)).await;
    for desk in &desks {
        desk.until("eight jobs", |book| book.running.len() == 8).await;
    }
    for (desk, worker) in desks.iter().zip(&workers) {
        assert_eq!((desk.book().peak, worker.status().active_jobs), (8, 8));
        assert!(worker.status().full);
    }
}

/// Two hundred jobs, and always a few places more than there are jobs under way, since a server
/// hears of a free place a little later than the test: each of them is carried out.
async fn two_hundred_jobs_find_their_places(site: Site) {
    let desks = [Desk::with_short_jobs(8), Desk::with_short_jobs(8)];
    let mut workers = Vec::new();
    for desk in &desks {
        workers.push(worker_with_load(&site, desk, 0.0).await);
    }
    let api = site.api();
    let carried_out = async |room: usize| {
        let name = format!("{}-{room}", site.name);
        api.dispatch(site.name, &name, "").await;
        let [first, second] = &desks;
        let has_ended = || desks.iter().any(|desk| desk.book().left.contains(&name));
        first.until_with(second, "the job's end", has_ended).await;
    };
    let all: Vec<()> = stream::iter(0..200).map(carried_out).buffer_unordered(12).collect().await;
    assert_eq!(all.len(), 200);
    let books = desks.each_ref().map(Desk::book);
    assert_eq!(books.iter().map(|book| book.ended.len()).sum::<usize>(), 200);
    assert!(books.iter().all(|book| book.peak <= 8 && book.ended.len() > 50), "{books:?}");
}
