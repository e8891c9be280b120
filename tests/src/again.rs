//! Second tries, counted. What measures sound in real time may find that the machine stood still
//! meanwhile, which says nothing about what it measures. It may go again then, but not unseen: each
//! second try is said with its reason, and more than [`MOST`] of a kind in a run fail.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::workspace::say;

/// The second tries of a kind that a run may have.
pub const MOST: usize = 2;

/// The second tries of one kind: those of all tests of a file.
#[derive(Debug)]
pub struct Tries(AtomicUsize);

impl Tries {
    /// None was taken yet.
    pub const fn none() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Takes a second try of `what`, since `why` says that the first one does not count.
    ///
    /// # Panics
    /// Where all are taken.
    pub fn again(&self, what: &str, why: &str) {
        say(&self.take(what, why).unwrap_or_else(|refusal| panic!("{refusal}")));
    }

    /// Takes one, and gives what is to be said.
    fn take(&self, what: &str, why: &str) -> Result<String, String> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        if number > MOST {
            return Err(format!(
                "{what}: {why}; and {MOST} like it have gone a second time already"
            ));
        }
        Ok(format!("second try, {number} of at most {MOST}: {what}: {why}\n"))
    }
}

#[test]
fn a_third_one_is_refused_with_its_reason() {
    let tries = Tries::none();
    for number in 1..=MOST {
        let said = tries.take("loss", "it stood still").unwrap();
        assert!(said.contains(&format!("{number} of at most {MOST}: loss: it stood")), "{said}");
    }
    for _ in 0..2 {
        let refused = tries.take("loss", "it stood still").unwrap_err();
        assert!(refused.starts_with("loss: it stood still; and 2 like it"), "{refused}");
    }
}
