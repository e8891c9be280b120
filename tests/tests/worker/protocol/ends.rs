//! Servers that refuse, restart and come back.

use voicegraph_engine::secret::Secret;
use voicegraph_tests::agent::{Api, Desk, hire, settings};
use voicegraph_tests::livekit::{Server, Version};

use crate::site::{DRAIN_LIMIT, Site, against_both};

against_both!(a_wrong_secret_is_refused);

async fn a_wrong_secret_is_refused(site: Site) {
    let mut settings = settings(&site.server.url(), site.name);
    settings.keys.secret = Secret::new("some other secret, as long as a good one");
    let worker = hire(settings, &Desk::new(1), DRAIN_LIMIT);
    let status = worker.until("a failure", |status| status.failures > 0).await;
    assert_eq!((status.worker_id, status.counts.connect_failures), (None, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_outlive_a_new_server_that_restarts() {
    jobs_outlive_a_server_that_restarts(Version::New).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_outlive_an_old_server_that_restarts() {
    jobs_outlive_a_server_that_restarts(Version::Old).await;
}

async fn jobs_outlive_a_server_that_restarts(version: Version) {
    let Some(server) = Server::start("worker restart", version) else { return };
    let desk = Desk::new(2);
    let worker = hire(settings(&server.url(), "restart"), &desk, DRAIN_LIMIT);
    let before = worker.ready().await.worker_id;
    Api(&server).dispatch("restart", "before", "").await;
    desk.until("a job", |book| book.running.len() == 1).await;
    server.kill();
    worker.until("the loss", |status| status.worker_id.is_none()).await;
    assert_eq!(worker.status().active_jobs, 1, "it goes on");
    server.restart();
    let after = worker.ready().await;
    assert_ne!(after.worker_id, before);
    assert_eq!((after.active_jobs, after.counts.reconnects), (1, 1));
    Api(&server).dispatch("restart", "after", "").await;
    desk.until("a second job", |book| book.running.len() == 2).await;
}
