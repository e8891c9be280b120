//! `voicegraph check`: the compiler's findings, as text or JSON.

use voicegraph_engine::config;
use voicegraph_engine::diagnostic::Diagnostics;

use crate::args::{Check, CheckFormat};
use crate::output::print;
use crate::pipeline::{self, Refused};

/// Prints every finding. An error, or a denied warning, ends with exit code 78.
pub(crate) fn run(check: &Check) -> anyhow::Result<()> {
    let sources = pipeline::sources(&check.pipeline);
    let compiled = config::compile(&sources, &pipeline::environment, &voicegraph_nodes::registry());
    let (summary, found) = match compiled {
        Ok(compiled) if check.connect => {
            let outside = pipeline::block_on(compiled.verify())?;
            let summary = (!outside.has_errors()).then(|| summary(&compiled));
            (summary, compiled.warnings.and(outside))
        }
        Ok(compiled) => (Some(summary(&compiled)), compiled.warnings),
        Err(diagnostics) => (None, diagnostics),
    };
    let refused = summary.is_none() || (check.deny_warnings && !found.is_empty());
    match check.format {
        CheckFormat::Json => print(&format!("{:#}\n", found.to_json()))?,
        CheckFormat::Text => eprint!("{}", pipeline::text(&found)),
    }
    match summary {
        _ if refused => Err(Refused(verdict(&found, check)).into()),
        Some(summary) if check.format == CheckFormat::Text => print(&format!("{summary}\n")),
        _ => Ok(()),
    }
}

fn summary(compiled: &config::Compiled) -> String {
    let graph = &compiled.graph;
    format!(
        "{} ({}): {} nodes, {} edges, fingerprint {}",
        graph.name(),
        graph.environment(),
        graph.nodes().len(),
        graph.edges().len(),
        graph.fingerprint(),
    )
}

/// The last line on standard error; nothing where a tool reads the findings.
fn verdict(found: &Diagnostics, check: &Check) -> String {
    match check.format {
        CheckFormat::Json => String::new(),
        CheckFormat::Text => format!("voicegraph: {} found, refused\n", found.iter().count()),
    }
}
