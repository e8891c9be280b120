//! Waits for what nothing tells of: it is looked at again and again.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};

/// The pause between two looks. It begins where one has ended: looks that take long come less
/// often, and never in a burst.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until there is something, and gives it; `None` where that takes longer than `limit`.
pub async fn poll<T>(limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            sleep(PAUSE).await;
        }
    };
    timeout(limit, looking).await.ok()
}

/// The times to look at something that goes on. One that is late puts off those that follow.
pub fn every(period: Duration) -> Interval {
    let mut times = interval(period);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    times
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_look_that_takes_long_is_followed_by_a_pause_all_the_same() {
        let begin = Instant::now();
        let mut looks = 0;
        let found = poll(Duration::from_secs(10), async || {
            looks += 1;
            sleep(Duration::from_secs(1)).await;
            (looks == 3).then_some(looks)
        });
        assert_eq!(found.await, Some(3));
        assert_eq!(begin.elapsed(), Duration::from_secs(3) + 2 * PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_comes_is_given_up_in_time() {
        let begin = Instant::now();
        assert_eq!(poll(Duration::from_secs(10), async || None::<()>).await, None);
        assert_eq!(begin.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn times_that_were_missed_do_not_come_at_once() {
        let mut times = every(Duration::from_secs(1));
        times.tick().await;
        sleep(Duration::from_secs(5)).await;
        times.tick().await;
        let begin = Instant::now();
        times.tick().await;
        assert_eq!(begin.elapsed(), Duration::from_secs(1));
    }
}
