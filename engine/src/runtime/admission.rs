//! Who gets in: a permit is taken before a call is answered, so the cap is exact.

use std::sync::Arc;

use tokio::sync::watch;

/// The places for calls in one process, of one pipeline or of several.
#[derive(Debug)]
pub struct Admission {
    max: u32,
    state: Arc<watch::Sender<State>>,
}

/// A place for one call, free again when dropped.
#[derive(Debug)]
pub struct Permit {
    state: Arc<watch::Sender<State>>,
}

/// Both change under one lock, so that no call slips in after the close.
#[derive(Clone, Copy, Debug)]
struct State {
    taken: u32,
    is_open: bool,
}

/// Why a call is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Every place is taken.
    #[error("all {max} places are taken")]
    Full {
        /// How many there are.
        max: u32,
    },
    /// The process is about to end.
    #[error("no calls are admitted any more: the process is draining")]
    Draining,
}

impl Admission {
    /// Places for `max` calls.
    pub fn new(max: u32) -> Self {
        let state = State { taken: 0, is_open: true };
        Self { max, state: Arc::new(watch::Sender::new(state)) }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`Refused`]: full, or closed.
    pub fn admit(&self) -> Result<Permit, Refused> {
        let mut outcome = Ok(());
        self.state.send_if_modified(|state| {
            outcome = match state {
                State { is_open: false, .. } => Err(Refused::Draining),
                State { taken, .. } if *taken >= self.max => Err(Refused::Full { max: self.max }),
                State { taken, .. } => {
                    *taken += 1;
                    Ok(())
                }
            };
            outcome.is_ok()
        });
        outcome.map(|()| Permit { state: Arc::clone(&self.state) })
    }

    /// How many calls there may be at once.
    pub fn max(&self) -> u32 {
        self.max
    }

    /// How many calls are in progress.
    pub fn in_progress(&self) -> u32 {
        self.state.borrow().taken
    }

    /// Whether calls are admitted at all.
    pub fn is_open(&self) -> bool {
        self.state.borrow().is_open
    }

    /// Admits no more calls.
    pub fn close(&self) {
        self.state.send_modify(|state| state.is_open = false);
    }

    /// Waits until no call is in progress. To be used once closed.
    pub async fn until_empty(&self) {
        let mut state = self.state.subscribe();
        let empty = state.wait_for(|state| state.taken == 0).await;
        drop(empty.expect("the sender is held here"));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.state.send_modify(|state| state.taken -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_cap_is_exact() {
        let admission = Admission::new(2);
        let first = admission.admit().expect("a place");
        let _second = admission.admit().expect("a place");
        assert_eq!(admission.admit().expect_err("full"), Refused::Full { max: 2 });
        assert_eq!(admission.in_progress(), 2);
        drop(first);
        assert!(admission.admit().is_ok());
    }

    #[tokio::test]
    async fn a_closed_door_lets_out_but_not_in() {
        let admission = Admission::new(1);
        let call = admission.admit().expect("a place");
        admission.close();
        assert_eq!(admission.admit().expect_err("closed"), Refused::Draining);
        let empty = admission.until_empty();
        tokio::pin!(empty);
        assert!(futures_util::poll!(&mut empty).is_pending());
        assert_eq!(admission.in_progress(), 1, "who waits takes no place");
        drop(call);
        empty.await;
        assert_eq!(admission.admit().expect_err("closed for good"), Refused::Draining);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_burst_takes_each_place_once() {
        let admission = Arc::new(Admission::new(7));
        let asking = (0..200).map(|_| {
            let admission = Arc::clone(&admission);
            tokio::spawn(async move { admission.admit() })
        });
        let mut permits = Vec::new();
        for asked in asking.collect::<Vec<_>>() {
            permits.extend(asked.await.expect("no panic"));
        }
        assert_eq!((permits.len(), admission.in_progress()), (7, 7));
        drop(permits);
        assert_eq!(admission.in_progress(), 0);
    }
}
