//! Who gets in: a permit is taken before a call is answered, so the cap is exact.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The places for calls in one process.
#[derive(Debug)]
pub struct Admission {
    places: Arc<Semaphore>,
    max: u32,
    open: watch::Sender<bool>,
}

/// A place for one call, free again when dropped.
#[derive(Debug)]
pub struct Permit {
    _place: OwnedSemaphorePermit,
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
        let places = Arc::new(Semaphore::new(max as usize));
        Self { places, max, open: watch::Sender::new(true) }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`Refused`]: full, or closed.
    pub fn admit(&self) -> Result<Permit, Refused> {
        if !*self.open.borrow() {
            return Err(Refused::Draining);
        }
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map(|place| Permit { _place: place }).map_err(|_| Refused::Full { max: self.max })
    }

    /// How many calls there may be at once.
    pub fn max(&self) -> u32 {
        self.max
    }

    /// How many calls are in progress.
    pub fn in_progress(&self) -> u32 {
        let free = u32::try_from(self.places.available_permits()).unwrap_or(u32::MAX);
        self.max.saturating_sub(free)
    }

    /// Whether calls are admitted at all.
    pub fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    /// Admits no more calls.
    pub fn close(&self) {
        self.open.send_replace(false);
    }

    /// Waits until no call is in progress. To be used once closed.
    pub async fn until_empty(&self) {
        let all = self.places.acquire_many(self.max).await;
        drop(all.expect("the semaphore is never closed"));
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
        drop(call);
        empty.await;
    }
}
