//! The pace of retries: exponential, capped, with jitter, and a limit.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use super::{Failure, Verdict};

/// How often and how fast a provider is tried again. A success starts it anew.
#[derive(Debug)]
pub struct Backoff {
    max_retries: u32,
    failures: u32,
    rng: StdRng,
}

/// The delay before the second attempt; it doubles from then on. Short, since a caller is waiting.
const FIRST: Duration = Duration::from_millis(100);

/// The longest delay of our own choosing.
const LONGEST: Duration = Duration::from_secs(2);

/// The longest delay that a provider may ask for before a call is better ended: no caller holds the
/// line in silence for longer.
const LONGEST_ASKED: Duration = Duration::from_secs(10);

impl Backoff {
    /// At most `max_retries` attempts after the first.
    pub fn new(max_retries: u32, rng: StdRng) -> Self {
        Self { max_retries, failures: 0, rng }
    }

    /// Starts anew: the provider works.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The delay before the next attempt; `None` where there is none to be made.
    pub fn after(&mut self, failure: &Failure) -> Option<Duration> {
        if self.failures >= self.max_retries {
            return None;
        }
        self.failures += 1;
        match failure.verdict {
            Verdict::Fatal => None,
            Verdict::RetryAfter(asked) => (asked <= LONGEST_ASKED).then_some(asked),
            Verdict::Retry => Some(self.own_delay()),
        }
    }

    /// 75 to 100 % of the exponential delay.
    fn own_delay(&mut self) -> Duration {
        let doublings = (self.failures - 1).min(16);
        let delay = FIRST.saturating_mul(1 << doublings).min(LONGEST);
        delay.mul_f64(1.0 - 0.25 * self.rng.random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn backoff(max_retries: u32) -> Backoff {
        Backoff::new(max_retries, StdRng::seed_from_u64(1))
    }

    #[test]
    fn delays_double_to_the_cap() {
        let mut backoff = backoff(8);
        let failure = Failure::retry("reset");
        let delays: Vec<u128> =
            std::iter::from_fn(|| backoff.after(&failure)).map(|d| d.as_millis()).collect();
        assert_eq!(delays.len(), 8);
        for (delay, full) in delays.iter().zip([100, 200, 400, 800, 1600, 2000, 2000, 2000]) {
            assert!((full * 3 / 4..=full).contains(delay), "{delays:?}");
        }
    }

    #[test]
    fn a_success_starts_anew() {
        let mut backoff = backoff(1);
        let failure = Failure::retry("reset");
        assert!(backoff.after(&failure).is_some());
        assert!(backoff.after(&failure).is_none());
        backoff.succeeded();
        assert!(backoff.after(&failure).is_some());
    }

    #[test]
    fn fatal_is_fatal_and_a_long_wait_is_none() {
        assert_eq!(backoff(3).after(&Failure::fatal("bad key")), None);
        let asked = |seconds| Failure {
            what: "busy".to_owned(),
            verdict: Verdict::RetryAfter(Duration::from_secs(seconds)),
        };
        assert_eq!(backoff(3).after(&asked(2)), Some(Duration::from_secs(2)));
        assert_eq!(backoff(3).after(&asked(60)), None);
    }
}
