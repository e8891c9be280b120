//! The list of node kinds that a pipeline may name.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::node::{Adapter, Kind, NodeKind};

/// Kind names and what they stand for, in alphabetical order.
#[derive(Default)]
pub struct Registry {
    kinds: BTreeMap<&'static str, Box<dyn NodeKind>>,
}

impl Registry {
    /// A registry without kinds.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same registry with one kind more.
    ///
    /// # Panics
    /// Where the name is taken: two kinds of one name are a mistake of the program.
    #[must_use]
    pub fn with<K: Kind>(mut self) -> Self {
        let former = self.kinds.insert(K::NAME, Box::new(Adapter::<K>(PhantomData)));
        assert!(former.is_none(), "two node kinds are named {:?}", K::NAME);
        self
    }

    /// The kind of that name.
    pub fn get(&self, name: &str) -> Option<&dyn NodeKind> {
        self.kinds.get(name).map(AsRef::as_ref)
    }

    /// Every kind.
    pub fn kinds(&self) -> impl Iterator<Item = &dyn NodeKind> {
        self.kinds.values().map(AsRef::as_ref)
    }
}
