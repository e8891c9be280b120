//! A worker behind a firewall that lets no UDP pass any more.

use voicegraph_tests::livekit::LIMIT;
use voicegraph_tests::network::{Conditions, Passage};
use voicegraph_tests::workspace::say;

use super::caller::{LOST_MS, WHOLE_DB, told};
use super::wired::Wired;

/// From the middle of a call on no UDP passes: the call goes on over TCP.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn udp_is_blocked() {
    let Some(mut wired) = Wired::new("worker blocked").await else { return };
    let Some(before) = wired.warmed().await else { return };
    let Some(ada) = wired.caller("blocked").await else { return };
    wired.set(Conditions { passage: Passage::NoUdp, ..Conditions::default() });
    wired.worker.process.line_within("connection to the server broke", LIMIT).await;
    wired.worker.process.line_within("connection to the server is mended", LIMIT).await;
    ada.asks().await;
    let heard = ada.hears_it_all(ada.speaks(), async {}).await;
    say(&format!("UDP blocked: the answer is {}\n", told(&heard)));
    assert!(heard.db < WHOLE_DB && heard.lost_ms <= LOST_MS, "{heard:?}");
    assert_eq!(wired.worker.active_jobs().await, 1, "the same agent");
    ada.peer.leave().await;
    assert_eq!(wired.worker.left().await.0, "caller_left");
    before.again(&wired.worker, "UDP blocked").await;
}
