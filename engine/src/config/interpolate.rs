//! Pass 5, `interpolate`: variables put into strings.
//!
//! Runs on values that were parsed already, so a variable's value can hold quotes, newlines or TOML
//! and still is a part of one string. Keys are never touched. All variables that are not set are
//! told of at once, each with every place that needs it. The values go on to `scrub`.

use super::parse::Draft;
use super::scrub::Values;
use super::template::{self, Otherwise, Piece, Variable};
use super::tree::{Table, Text, Tree, Value};
use crate::diagnostic::{Diagnostic, Files, Span, codes};

/// Where the values of variables come from.
pub type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// How many bytes all variables of a pipeline may add together.
pub const MAX_EXPANDED_BYTES: usize = 4 * 1024 * 1024;

/// Puts variables into every string of the draft.
pub(crate) fn interpolate(
    mut draft: Draft,
    files: &Files,
    lookup: &Lookup<'_>,
) -> (Draft, Values, Vec<Diagnostic>) {
    let mut interpolation = Interpolation {
        files,
        lookup,
        room: MAX_EXPANDED_BYTES,
        values: Values::new(),
        missing: Vec::new(),
        found: Vec::new(),
    };
    draft.name.iter_mut().for_each(|name| interpolation.tree(name));
    for node in &mut draft.nodes {
        node.kind.iter_mut().for_each(|kind| interpolation.tree(kind));
        interpolation.table(&mut node.options);
    }
    for edge in &mut draft.edges {
        interpolation.table(&mut edge.options);
    }
    for variable in &mut draft.variables {
        interpolation.table(&mut variable.options);
    }
    let Interpolation { values, missing, mut found, .. } = interpolation;
    found.extend(all_missing(&missing));
    (draft, values, found)
}

struct Interpolation<'a> {
    files: &'a Files,
    lookup: &'a Lookup<'a>,
    room: usize,
    values: Values,
    missing: Vec<Missing>,
    found: Vec<Diagnostic>,
}

struct Missing {
    name: String,
    span: Span,
    text: String,
}

impl Interpolation<'_> {
    fn table(&mut self, table: &mut Table) {
        for entry in table.values_mut() {
            self.tree(&mut entry.tree);
        }
    }

    fn tree(&mut self, tree: &mut Tree) {
        match &mut tree.value {
            Value::Table(table) => self.table(table),
            Value::Array(items) => items.iter_mut().for_each(|item| self.tree(item)),
            Value::String(text) => self.text(tree.span, text),
            _ => {}
        }
    }

    fn text(&mut self, span: Span, text: &mut Text) {
        if !text.text.contains('$') {
            return;
        }
        let written = std::mem::take(&mut text.text);
        let pieces = match template::pieces(&written) {
            Ok(pieces) => pieces,
            Err(error) => {
                let found = Diagnostic::new(&codes::MALFORMED_VARIABLE, error.to_string())
                    .label(span, "in this string")
                    .help(error.help());
                self.found.push(found);
                text.unknown = true;
                return;
            }
        };
        text.alone = matches!(pieces.as_slice(), [Piece::Variable(_)]);
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => text.text.push_str(literal),
                Piece::Variable(variable) => {
                    let place = self.place(span, &written[variable.range.clone()]);
                    match self.value(&variable, place) {
                        Some(value) => text.text.push_str(&value),
                        None => text.unknown = true,
                    }
                    text.variables.push(variable.name.to_owned());
                }
            }
        }
    }

    /// Where in the string's text the variable is written; the string, where escapes hide it.
    fn place(&self, span: Span, variable: &str) -> Span {
        match self.files.slice(span).find(variable) {
            Some(offset) => {
                let start = span.start + offset;
                Span::new(span.source, start..start + variable.len())
            }
            None => span,
        }
    }

    /// What stands for the variable; `None` where nothing does, which is told of.
    fn value(&mut self, variable: &Variable<'_>, place: Span) -> Option<String> {
        let set = (self.lookup)(variable.name);
        self.values.extend(set.iter().map(|value| (variable.name.to_owned(), value.clone())));
        let value = match (variable.otherwise, set) {
            (Otherwise::Missing, Some(value)) => value,
            (_, Some(value)) if !value.is_empty() => value,
            (Otherwise::Default(default), _) => default.to_owned(),
            (Otherwise::Refused(""), Some(_)) => return self.miss(variable.name, place, "empty"),
            (Otherwise::Refused(message), _) if !message.is_empty() => {
                return self.miss(variable.name, place, message);
            }
            _ => return self.miss(variable.name, place, "not set"),
        };
        self.spend(value, place)
    }

    /// The value, where there is room for it.
    fn spend(&mut self, value: String, place: Span) -> Option<String> {
        if let Some(room) = self.room.checked_sub(value.len()) {
            self.room = room;
            return Some(value);
        }
        let message = format!("variables make more than {MAX_EXPANDED_BYTES} bytes of text");
        let found = Diagnostic::new(&codes::TOO_MUCH_TEXT, message)
            .label(place, "no room for this one")
            .help("give long texts to fewer options");
        // What comes later finds no room either; the first is enough to say.
        if !self.found.iter().any(|one| one.code == &codes::TOO_MUCH_TEXT) {
            self.found.push(found);
        }
        None
    }

    fn miss(&mut self, name: &str, span: Span, text: &str) -> Option<String> {
        self.missing.push(Missing { name: name.to_owned(), span, text: text.to_owned() });
        None
    }
}

/// One diagnostic for all variables that are not set.
fn all_missing(missing: &[Missing]) -> Option<Diagnostic> {
    let mut names: Vec<&str> = missing.iter().map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let message = match names.as_slice() {
        [] => return None,
        [name] => format!("the variable {name} is not set"),
        names => format!("{} variables are not set: {}", names.len(), names.join(", ")),
    };
    let assignments: Vec<String> = names.iter().map(|name| format!("{name}=…")).collect();
    let help = format!(
        "set {} in the environment, or write a default: `${{{}:-default}}`",
        assignments.join(" "),
        names[0],
    );
    let found = Diagnostic::new(&codes::MISSING_VARIABLE, message).help(help);
    let labelled = missing.iter().fold(found, |found, one| found.label(one.span, one.text.clone()));
    Some(labelled)
}
