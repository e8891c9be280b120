//! The layers inside the engine: a module uses its own layer and those below, never one above.
//!
//! The design names `message, turn, event, connect, diagnostic` ← `edge, metrics` ← `node,
//! registry` ← `config, graph` ← `session` ← `runtime` ← `http`. Where the table says more or
//! bends:
//! - `message`, `turn` and `event` know one another (an envelope carries its turn, a turn tells
//!   events), so within a layer the order is free;
//! - `variables` is what a call is given, read by all above;
//! - `resource` is what a node's calls share; `metrics` reads its figures;
//! - `signature`, `ports`, `secret`, `transport` and `call` are what a node is handed: they stand
//!   beside `node`;
//! - `testing` watches everything, so it stands on top, and nothing uses it.

use super::Finding;
use super::paths::{Named, named};
use super::source::Source;

/// From the bottom up.
const LAYERS: &[&[&str]] = &[
    &["message", "turn", "event", "connect", "diagnostic", "variables"],
    &["edge", "metrics", "resource"],
    &["call", "node", "signature", "ports", "secret", "registry", "transport"],
    &["config", "graph"],
    &["session"],
    &["runtime"],
    &["http"],
    &["testing"],
];

/// Each use of a higher layer in a file of the engine, tests aside.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let module = source.module();
    let (true, Some(own)) = (source.path.starts_with("engine/src/"), module.first()) else {
        return Vec::new();
    };
    let Some(layer) = layer(own) else {
        let advice =
            format!("`{own}` has no layer: add it to the table in tests/src/tidy/layers.rs");
        return vec![source.finding(1, "layers", advice)];
    };
    let upward = |named: Named| {
        let used = named.path.strip_prefix("crate::")?.split("::").next()?.to_owned();
        let above = self::layer(&used).is_some_and(|used| used > layer);
        let advice =
            format!("`{own}` lies below `{used}`: move what both need into the lower layer");
        above.then(|| source.finding(named.line, "layers", advice))
    };
    named(source).into_iter().filter_map(upward).collect()
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Source::parse(path, text)).len()
    }

    #[test]
    fn an_arrow_upwards_is_found_however_it_is_written() {
        assert_eq!(found("engine/src/edge/queue.rs", "use crate::graph::Graph;"), 1);
        assert_eq!(
            found("engine/src/edge/queue.rs", "use crate::{message::Text, graph::Graph};"),
            1
        );
        assert_eq!(found("engine/src/edge/queue.rs", "use super::super::graph;"), 1);
        assert_eq!(found("engine/src/node.rs", "use super::session::Session;"), 1);
        assert_eq!(found("engine/src/edge/queue.rs", "fn f() { crate::runtime::g(); }"), 1);
    }

    #[test]
    fn downwards_sideways_and_tests_pass() {
        assert_eq!(found("engine/src/graph/mod.rs", "use crate::edge::Limit;"), 0);
        assert_eq!(found("engine/src/message/envelope.rs", "use crate::turn::Turn;"), 0);
        let text = "#[cfg(test)]\nmod tests {\n use crate::testing::Timeline;\n}";
        assert_eq!(found("engine/src/edge/queue.rs", text), 0);
        assert_eq!(found("nodes/src/mic/mod.rs", "use crate::graph::Graph;"), 0);
    }

    #[test]
    fn a_module_without_a_layer_is_found() {
        assert_eq!(found("engine/src/novel/mod.rs", ""), 1);
        assert_eq!(found("engine/src/lib.rs", ""), 0);
    }
}
