//! The written form of an edge, `llm.text -> tts.text`: its only name.
//!
//! TOML keys, metric labels, log fields and timelines all carry this text. Blanks around the arrow
//! and the dots are not part of the name: what is parsed is written back with one blank on each
//! side of the arrow.

use std::fmt;
use std::str::FromStr;

/// The longest name of a node or a port, in characters.
pub const MAX_NAME: usize = 64;

/// Both ends of an edge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeName {
    /// The output that the edge begins in.
    pub from: PortName,
    /// The input that the edge ends in.
    pub to: PortName,
}

/// A port of a node: `llm.text`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortName {
    /// The node's name.
    pub node: String,
    /// The port's name.
    pub port: String,
}

/// Why a text is no edge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EdgeNameError {
    /// Nothing leads from one end to the other.
    #[error("it has no arrow `->`")]
    NoArrow,
    /// An edge has two ends.
    #[error("it has more than one arrow: an edge leads from one port to one other")]
    ManyArrows,
    /// An end names no port.
    #[error("`{end}` names no port: write `node.port`")]
    NoPort {
        /// The end as written.
        end: String,
    },
    /// An end has too many dots.
    #[error("`{end}` has more than one dot: write `node.port`")]
    ManyDots {
        /// The end as written.
        end: String,
    },
    /// A part is no name.
    #[error("`{part}` is not a name: letters, digits, `_` and `-`, a letter first")]
    BadName {
        /// The part as written.
        part: String,
    },
}

/// Whether `text` can name a node: a letter, then letters, digits, `_` and `-`, with no `-` at the
/// end, [`MAX_NAME`] characters at most.
pub fn is_name(text: &str) -> bool {
    let inner = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    text.len() <= MAX_NAME
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(inner)
        && !text.ends_with('-')
}

impl FromStr for EdgeName {
    type Err = EdgeNameError;

    fn from_str(text: &str) -> Result<Self, EdgeNameError> {
        let (from, to) = text.split_once("->").ok_or(EdgeNameError::NoArrow)?;
        if to.contains("->") {
            return Err(EdgeNameError::ManyArrows);
        }
        Ok(Self { from: from.parse()?, to: to.parse()? })
    }
}

impl FromStr for PortName {
    type Err = EdgeNameError;

    fn from_str(text: &str) -> Result<Self, EdgeNameError> {
        let end = text.trim();
        let parts = end.split_once('.');
        let (node, port) = parts.ok_or_else(|| EdgeNameError::NoPort { end: end.to_owned() })?;
        if port.contains('.') {
            return Err(EdgeNameError::ManyDots { end: end.to_owned() });
        }
        Ok(Self { node: part(node)?, port: part(port)? })
    }
}

fn part(text: &str) -> Result<String, EdgeNameError> {
    let part = text.trim().to_owned();
    if is_name(&part) { Ok(part) } else { Err(EdgeNameError::BadName { part }) }
}

impl fmt::Display for EdgeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)
    }
}

impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.node, self.port)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blanks_make_no_difference() {
        for text in ["a.x->b.y", " a.x  ->\tb.y ", "a . x -> b. y"] {
            assert_eq!(text.parse::<EdgeName>().expect(text).to_string(), "a.x -> b.y");
        }
    }

    #[test]
    fn refuses_with_a_reason() {
        for (text, reason) in [
            ("a.x b.y", "no arrow"),
            ("a.x -> b.y -> c.z", "more than one arrow"),
            ("a -> b.y", "`a` names no port"),
            ("a.x -> b", "`b` names no port"),
            ("a.x.z -> b.y", "more than one dot"),
            ("a.x -> .y", "`` is not a name"),
            ("ä.x -> b.y", "`ä` is not a name"),
            ("a-.x -> b.y", "`a-` is not a name"),
        ] {
            let error = text.parse::<EdgeName>().expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    const NAME: &str = "[a-zA-Z]([a-zA-Z0-9_-]{0,20}[a-zA-Z0-9_])?";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_written_is_read_back(parts in prop::array::uniform4(NAME)) {
            let [node, port, to_node, to_port] = parts;
            let from = PortName { node, port };
            let to = PortName { node: to_node, port: to_port };
            let name = EdgeName { from, to };
            prop_assert_eq!(name.to_string().parse::<EdgeName>(), Ok(name));
        }

        #[test]
        fn any_text_is_refused_or_stable(text in "[a-z. >-]{0,20}|\\PC{0,30}") {
            if let Ok(name) = text.parse::<EdgeName>() {
                prop_assert_eq!(name.to_string().parse::<EdgeName>(), Ok(name));
            }
        }
    }
}
