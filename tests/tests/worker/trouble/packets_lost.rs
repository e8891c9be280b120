//! A worker on a wire that loses packets.

use voicegraph_tests::network::{Conditions, Loss};
use voicegraph_tests::workspace::say;

use super::caller::{LOST_MS, told};
use super::wired::Wired;

/// How far the answer may be from what is said, in dB: 1.3 and 1.5 are seen.
const LOSSES: [(f64, &str, f64); 2] = [(0.05, "lossy-5", 2.0), (0.15, "lossy-15", 2.5)];

/// A spoken question is understood, and the answer is heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_are_lost() {
    let Some(mut wired) = Wired::new("worker lossy").await else { return };
    let Some(before) = wired.warmed().await else { return };
    for (loss, room, limit_db) in LOSSES {
        let Some(ada) = wired.caller(room).await else { return };
        wired.set(Conditions { loss: Loss::Random(loss), ..Conditions::default() });
        let heard = ada.hears_it_all(ada.speaks(), async {}).await;
        let [there, back] = wired.near.wire().counts();
        say(&format!("{loss} lost: the answer is {}; {there:?}, {back:?}\n", told(&heard)));
        assert!(there.lost > 0 && back.lost > 0, "{there:?}, {back:?}");
        assert!(heard.db < limit_db && heard.lost_ms <= LOST_MS, "{heard:?}");
        wired.set(Conditions::default());
        ada.peer.leave().await;
        assert_eq!(wired.worker.left().await.0, "caller_left");
        before.again(&wired.worker, room).await;
    }
}
