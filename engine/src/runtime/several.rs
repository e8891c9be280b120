//! Several pipelines in one process: a runtime for each, and one admission for all.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::{Admission, Runtime};

/// The runtimes of a process: at least one, with different names and one admission, so that the
/// number of calls is exact whichever pipeline they are for. The first is the default.
#[derive(Clone)]
pub struct Runtimes(Arc<[Arc<Runtime>]>);

/// Two pipelines have one name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two pipelines are named {name:?}: calls and figures are told apart by the name")]
pub struct RepeatedName {
    /// That name.
    pub name: String,
}

impl Runtimes {
    /// `default` and the others.
    ///
    /// # Errors
    /// [`RepeatedName`]: two of them are of pipelines with one name.
    ///
    /// # Panics
    /// Where they do not share one admission.
    pub fn new(
        default: Arc<Runtime>,
        others: impl IntoIterator<Item = Arc<Runtime>>,
    ) -> Result<Self, RepeatedName> {
        let runtimes: Vec<_> = std::iter::once(default).chain(others).collect();
        let admission = runtimes[0].admission();
        let shared = runtimes.iter().all(|one| Arc::ptr_eq(one.admission(), admission));
        assert!(shared, "runtimes of one process share its admission");
        let mut names: Vec<String> =
            runtimes.iter().map(|one| one.pipeline().graph.name().to_owned()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(RepeatedName { name: pair[0].clone() }),
            None => Ok(Self(runtimes.into())),
        }
    }

    /// The runtime for calls that ask for no pipeline.
    pub fn default_one(&self) -> &Arc<Runtime> {
        &self.0[0]
    }

    /// The runtime of the pipeline of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Runtime>> {
        self.0.iter().find(|one| one.pipeline().graph.name() == name)
    }

    /// All of them, the default first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Runtime>> {
        self.0.iter()
    }

    /// The one admission.
    pub fn admission(&self) -> &Arc<Admission> {
        self.default_one().admission()
    }

    /// Admits no more calls and waits for those in progress, whichever pipeline they are of, as
    /// [`Runtime::drain`] does.
    pub async fn drain(&self, patience: Duration) {
        join_all(self.iter().map(|one| one.drain(patience))).await;
    }
}

impl From<Arc<Runtime>> for Runtimes {
    fn from(only: Arc<Runtime>) -> Self {
        Self(Arc::new([only]))
    }
}
