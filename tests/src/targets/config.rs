//! A pipeline's text: a base, then, after a record separator (0x1e), an overlay. Any is compiled or
//! refused with a report that can be shown, and what was compiled can be drawn.

use voicegraph_engine::config::{Sources, compile};
use voicegraph_engine::graph::render;

/// Compiles the text.
pub fn config(bytes: &[u8]) {
    let text = super::text(bytes);
    let (base, overlay) = text.split_once('\u{1e}').unwrap_or((text, ""));
    let sources = Sources::from_text(base, Some(("dev", overlay)));
    let variable = |name: &str| name.ends_with("_KEY").then(|| "sesame".to_owned());
    let found = match compile(&sources, &variable, &voicegraph_nodes::registry()) {
        Ok(compiled) => {
            let graph = &compiled.graph;
            for draw in [render::svg, render::mermaid, render::dot, render::json] {
                assert!(!draw(graph).is_empty());
            }
            compiled.warnings
        }
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty(), "refused without a reason");
            diagnostics
        }
    };
    let (text, json) = (found.to_text(false), found.to_json());
    assert_eq!(text.is_empty(), found.is_empty());
    assert_eq!(json["diagnostics"].as_array().map(Vec::is_empty), Some(found.is_empty()));
}
