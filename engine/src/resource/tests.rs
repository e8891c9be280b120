//! Questions to a resource, by many probes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::poll;
use tokio::time::{Instant, advance};

use super::testing::{Answer, Fake};
use super::{CHECK_LIMIT, Check, FRESH, Resources};

const MS: Duration = Duration::from_millis(1);

fn resources(fake: &Arc<Fake>) -> Resources {
    Resources::new([("booking".into(), Arc::clone(fake) as _)])
}

async fn check(resources: &Resources) -> Check {
    resources.check().await.remove("booking").unwrap()
}

fn error(check: &Check) -> String {
    check.result.as_ref().unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_probes_asks_once() {
    let fake = Fake::new(Answer::After(300 * MS));
    let resources = resources(&fake);
    let checks = join_all((0..100).map(|_| check(&resources))).await;
    let expected = Check { latency: 300 * MS, result: Ok(()) };
    assert!(checks.iter().all(|check| *check == expected), "{checks:?}");
    assert_eq!(fake.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_result_serves_until_it_is_old() {
    let fake = Fake::new(Answer::Refusal);
    let resources = resources(&fake);
    assert_eq!(error(&check(&resources).await), "the line is cut");
    fake.set(Answer::After(MS));
    advance(FRESH - MS).await;
    assert_eq!(error(&check(&resources).await), "the line is cut");
    advance(MS).await;
    assert_eq!(check(&resources).await.result, Ok(()));
    assert_eq!(fake.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_answer_in_time_is_a_failure_for_all_who_wait() {
    let fake = Fake::new(Answer::Never);
    let resources = resources(&fake);
    let began = Instant::now();
    let early = join_all((0..10).map(|_| check(&resources)));
    let late = async {
        tokio::time::sleep(CHECK_LIMIT / 2).await;
        check(&resources).await
    };
    let (mut checks, late) = tokio::join!(early, late);
    checks.push(late);
    assert!(began.elapsed() <= CHECK_LIMIT + CHECK_LIMIT / 2, "{:?}", began.elapsed());
    assert!(checks.iter().all(|check| error(check) == "no answer within 800 ms"), "{checks:?}");
    assert!(fake.asked() <= 2, "{}", fake.asked());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_goes_away_leaves_the_question_to_the_next() {
    let fake = Fake::new(Answer::After(100 * MS));
    let resources = resources(&fake);
    let (mut first, mut second) = (Box::pin(check(&resources)), Box::pin(check(&resources)));
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    assert_eq!(fake.asked(), 1);
    drop(first);
    assert_eq!(second.await, Check { latency: 100 * MS, result: Ok(()) });
    assert_eq!(fake.asked(), 2);
}

#[test]
fn debug_output_names_the_nodes() {
    let resources = resources(&Fake::new(Answer::Never));
    assert_eq!(format!("{resources:?}"), "{\"booking\"}");
}
