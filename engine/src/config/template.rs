//! The little language of variables in strings.
//!
//! `${NAME}` is a variable, `${NAME:-default}` one with a default, `${NAME:?message}` one that must
//! not be empty, and `$$` is a dollar. A dollar before anything but `{`, `$`, a letter or `_`
//! stands for itself, so prices need no care; `$NAME` is refused, since it looks like a variable
//! and would be none.

use std::ops::Range;

/// A piece of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Text that stands for itself.
    Literal(&'a str),
    /// A variable.
    Variable(Variable<'a>),
}

/// A variable in a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// What an unset or empty one means.
    pub(crate) otherwise: Otherwise<'a>,
    /// Where it stands in the string.
    pub(crate) range: Range<usize>,
}

/// What an unset variable means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Otherwise<'a> {
    /// `${NAME}`: a mistake, though an empty one is none.
    Missing,
    /// `${NAME:?message}`: a mistake, and an empty one too.
    Refused(&'a str),
    /// `${NAME:-default}`: this text, for an empty one too.
    Default(&'a str),
}

/// Why a string is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// `${` without `}`.
    #[error("`${{` has no `}}`")]
    Unclosed,
    /// What stands in braces begins with no name.
    #[error("`${{{0}}}` names no variable")]
    BadName(String),
    /// After the name comes none of what may come.
    #[error("after the name of a variable comes `:-` and a default, `:?` and a message, or `}}`")]
    BadTail,
    /// A variable in the default of another.
    #[error("a variable cannot stand inside another")]
    Nested,
    /// A dollar and a name without braces.
    #[error("`${0}` is no variable: names stand in braces")]
    Braceless(String),
}

impl TemplateError {
    /// What to write instead.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Braceless(name) => {
                format!("write `${{{name}}}` for the variable, or `$${name}` for the text")
            }
            _ => "write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`, and `$$` for a dollar"
                .to_owned(),
        }
    }
}

/// The pieces of `text`, or the first mistake.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find('$') {
        let dollar = at + offset;
        if dollar > at {
            pieces.push(Piece::Literal(&text[at..dollar]));
        }
        let after = &text[dollar + 1..];
        let piece = match after.chars().next() {
            Some('{') => Piece::Variable(variable(text, dollar)?),
            Some('$') => Piece::Literal("$"),
            Some(first) if first.is_ascii_alphabetic() || first == '_' => {
                return Err(TemplateError::Braceless(after[..name_end(after)].to_owned()));
            }
            _ => Piece::Literal("$"),
        };
        at = match &piece {
            Piece::Variable(variable) => variable.range.end,
            Piece::Literal(_) if after.starts_with('$') => dollar + 2,
            Piece::Literal(_) => dollar + 1,
        };
        pieces.push(piece);
    }
    if at < text.len() {
        pieces.push(Piece::Literal(&text[at..]));
    }
    Ok(pieces)
}

/// The variable whose dollar is at `dollar`.
fn variable(text: &str, dollar: usize) -> Result<Variable<'_>, TemplateError> {
    let inside = &text[dollar + 2..];
    let length = inside.find('}').ok_or(TemplateError::Unclosed)?;
    let inside = &inside[..length];
    if inside.contains("${") {
        return Err(TemplateError::Nested);
    }
    let (name, tail) = inside.split_at(name_end(inside));
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(TemplateError::BadName(inside.to_owned()));
    }
    let otherwise = match (tail.strip_prefix(":-"), tail.strip_prefix(":?")) {
        (Some(default), _) => Otherwise::Default(default),
        (_, Some(message)) => Otherwise::Refused(message),
        _ if tail.is_empty() => Otherwise::Missing,
        _ => return Err(TemplateError::BadTail),
    };
    Ok(Variable { name, otherwise, range: dollar..dollar + 2 + length + 1 })
}

fn name_end(text: &str) -> usize {
    text.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let pieces = match pieces(text) {
            Ok(pieces) => pieces,
            Err(error) => return format!("error: {error}"),
        };
        let show = |piece: &Piece<'_>| match piece {
            Piece::Literal(text) => format!("[{text}]"),
            Piece::Variable(Variable { name, otherwise, .. }) => match otherwise {
                Otherwise::Missing => format!("<{name}>"),
                Otherwise::Refused(message) => format!("<{name}?{message}>"),
                Otherwise::Default(default) => format!("<{name}-{default}>"),
            },
        };
        pieces.iter().map(show).collect()
    }

    #[test]
    fn pieces_are_told_apart() {
        for (text, expected) in [
            ("", ""),
            ("plain", "[plain]"),
            ("${A}", "<A>"),
            ("a${A}b${B_2}", "[a]<A>[b]<B_2>"),
            ("${A:-}", "<A->"),
            ("${A:-wss://x:1/y?z}", "<A-wss://x:1/y?z>"),
            ("${A:?set the key}", "<A?set the key>"),
            ("$$", "[$]"),
            ("$${A}", "[$][{A}]"),
            ("costs $5 or 5$", "[costs ][$][5 or 5][$]"),
            ("ü${A}ü", "[ü]<A>[ü]"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("${A", "has no `}`"),
            ("${}", "names no variable"),
            ("${1A}", "names no variable"),
            ("${A-x}", "after the name"),
            ("${A:x}", "after the name"),
            ("${A:-${B}}", "inside another"),
            ("$HOME/x", "`$HOME` is no variable"),
        ] {
            let shown = shown(text);
            assert!(shown.starts_with("error") && shown.contains(expected), "{text}: {shown}");
        }
    }
}
