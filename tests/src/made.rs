//! A factory that is a function, for kinds of the tests' own that share nothing between calls.

use voicegraph_engine::node::{Node, NodeFactory};

/// Makes each call's stage by the function.
pub struct Made<F>(pub F);

impl<N: Node + 'static, F: Fn() -> N + Send + Sync> NodeFactory for Made<F> {
    fn create(&self) -> Box<dyn Node> {
        Box::new((self.0)())
    }
}
