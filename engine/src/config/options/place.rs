//! From an option's path, as a kind gives it, to its place in the file.

use crate::config::tree::{Table, Value};
use crate::diagnostic::Span;

/// The place of `tools[2].sql` among the options; of the deepest part of the path that exists,
/// where not all of it does; `None` where nothing of it does.
pub(crate) fn find(options: &Table, path: &str) -> Option<Span> {
    let mut steps = path.split(['.', '[', ']']).filter(|step| !step.is_empty());
    let entry = options.get(steps.next()?)?;
    let mut tree = &entry.tree;
    let mut place = entry.key;
    for step in steps {
        let next = match &tree.value {
            Value::Table(table) => table.get(step).map(|entry| (entry.key, &entry.tree)),
            Value::Array(items) => {
                step.parse().ok().and_then(|index: usize| items.get(index)).map(|t| (t.span, t))
            }
            _ => None,
        };
        let Some((span, below)) = next else { break };
        (place, tree) = (span, below);
    }
    // A value shows the mistake better than its key; a table's header is no better than its name.
    match &tree.value {
        Value::Table(_) | Value::Array(_) => Some(place),
        _ => Some(tree.span),
    }
}
