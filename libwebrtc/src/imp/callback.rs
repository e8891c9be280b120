//! One slot for a user's function. A function may change its own slot while it runs.

use parking_lot::Mutex;

/// A slot for a function of type `F`, called from one task at a time.
pub(crate) struct Callback<F> {
    slot: Mutex<Slot<F>>,
}

struct Slot<F> {
    function: Option<F>,
    /// How often it was set, so that a call does not put back what was replaced meanwhile.
    generation: u64,
}

impl<F> Default for Callback<F> {
    fn default() -> Self {
        Self { slot: Mutex::new(Slot { function: None, generation: 0 }) }
    }
}

impl<F> Callback<F> {
    /// Replaces the function.
    pub(crate) fn set(&self, function: Option<F>) {
        let mut slot = self.slot.lock();
        slot.generation += 1;
        let old = std::mem::replace(&mut slot.function, function);
        drop(slot);
        // Outside of the lock: what the old function held may end here, and call back.
        drop(old);
    }

    /// Whether there is a function.
    pub(crate) fn is_set(&self) -> bool {
        self.slot.lock().function.is_some()
    }

    /// Has `call` call the function, without the lock. Returns whether there was one.
    pub(crate) fn call(&self, call: impl FnOnce(&mut F)) -> bool {
        let mut slot = self.slot.lock();
        let (Some(mut function), generation) = (slot.function.take(), slot.generation) else {
            return false;
        };
        drop(slot);
        call(&mut function);
        let mut slot = self.slot.lock();
        if slot.generation == generation {
            slot.function = Some(function);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    type Function = Box<dyn FnMut(u32) + Send>;

    #[test]
    fn a_function_may_take_itself_away() {
        let callback: Arc<Callback<Function>> = Arc::default();
        let own = callback.clone();
        callback.set(Some(Box::new(move |_| own.set(None))));
        assert!(callback.call(|function| function(1)));
        assert!(!callback.is_set());
    }

    #[test]
    fn a_function_is_called_again() {
        let callback: Callback<Function> = Callback::default();
        let (sum, total) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let seen = sum.clone();
        callback.set(Some(Box::new(move |number| *seen.lock() += number)));
        for number in [1, 2] {
            assert!(callback.call(|function| function(number)));
            *total.lock() += number;
        }
        assert_eq!(*sum.lock(), *total.lock());
    }
}
