//! A worker on a wire that loses packets.

use voicegraph_tests::network::{Conditions, Loss};
use voicegraph_tests::workspace::say;

use super::alone;
use super::wired::Wired;

/// How far the answer may be from what is said, in dB: 1.3 and 1.5 are seen.
const LOSSES: [(f64, &str, f64); 2] = [(0.05, "lossy-5", 2.0), (0.15, "lossy-15", 2.5)];

/// A spoken question is understood, and the answer is heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_are_lost() {
    let _alone = alone().await;
    let Some(mut wired) = Wired::new("worker lossy").await else { return };
    let Some(before) = wired.warmed().await else { return };
    for (loss, room, limit_db) in LOSSES {
        let Some(ada) = wired.caller(room).await else { return };
        wired.set(Conditions { loss: Loss::Random(loss), ..Conditions::default() });
        let db = ada.hears_it_all(ada.speaks(), async {}).await;
        let [there, back] = wired.near.wire().counts();
        say(&format!("{loss} lost: the answer is {db:.2} dB off; {there:?}, {back:?}\n"));
        assert!(there.lost > 0 && back.lost > 0, "{there:?}, {back:?}");
        assert!(db < limit_db, "{db} dB");
        wired.set(Conditions::default());
        ada.peer.leave().await;
        assert_eq!(wired.worker.left().await.0, "caller_left");
        before.again(&wired.worker, room).await;
    }
}
