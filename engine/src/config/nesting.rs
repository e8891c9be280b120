//! How deep a text nests, told before it is parsed.
//!
//! The parser bounds brackets and dotted keys, each for itself. Together they still multiply, and a
//! tree that deep would exhaust the stack of whoever walks it. So brackets and the dots of the keys
//! around them are counted together here, token by token.

use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// How many tables and arrays may stand inside each other, in brackets or by dots.
pub const MAX_NESTING: usize = 32;

/// The first place that is nested deeper than [`MAX_NESTING`].
pub(crate) fn find_excess(text: &str) -> Option<Range<usize>> {
    let mut around: Vec<usize> = Vec::new();
    let mut dots = 0;
    for token in Source::new(text).lex() {
        let depth = around.last().copied().unwrap_or(0);
        match token.kind() {
            TokenKind::Dot => dots += 1,
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                around.push(depth + dots + 1);
                dots = 0;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                around.pop();
                dots = 0;
            }
            TokenKind::Comma | TokenKind::Newline => dots = 0,
            _ => {}
        }
        if around.last().copied().unwrap_or(0) + dots > MAX_NESTING {
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_dots_count_together() {
        let dots = |count: usize| format!("a{}", ".a".repeat(count));
        for (text, excess) in [
            (format!("x = {}1{}", "[".repeat(32), "]".repeat(32)), false),
            (format!("x = {}1{}", "[".repeat(33), "]".repeat(33)), true),
            (format!("{} = 1", dots(32)), false),
            (format!("{} = 1", dots(33)), true),
            (format!("{} = {{ {} = 1 }}", dots(20), dots(20)), true),
            (format!("{} = 1\n{} = 1", dots(20), dots(20)), false),
            ("x = \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"".to_owned(), false),
        ] {
            assert_eq!(find_excess(&text).is_some(), excess, "{text}");
        }
    }
}
