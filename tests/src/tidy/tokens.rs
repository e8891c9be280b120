//! A file as one flat row of tokens, macro bodies included: a syntax tree ends where a macro
//! begins.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// One token: a word, a sign, a bracket, or a literal.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) kind: Kind,
    span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Sign,
    Literal,
}

impl Token {
    fn new(text: impl Into<String>, kind: Kind, span: Span) -> Self {
        Self { text: text.into(), kind, span }
    }

    /// Its first line, from 1.
    pub(super) fn line(&self) -> usize {
        self.span.start().line
    }

    /// Its last line: a literal may span several.
    pub(super) fn last_line(&self) -> usize {
        self.span.end().line
    }

    /// The column behind its last character, from 0.
    pub(super) fn end_column(&self) -> usize {
        self.span.end().column
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Literal && self.text == text
    }
}

/// All tokens of `stream` in order, brackets as signs.
pub(super) fn flatten(stream: TokenStream) -> Vec<Token> {
    let mut tokens = Vec::new();
    push(stream, &mut tokens);
    tokens
}

fn push(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        match tree {
            TokenTree::Ident(word) => {
                tokens.push(Token::new(word.to_string(), Kind::Word, word.span()));
            }
            TokenTree::Punct(sign) => {
                tokens.push(Token::new(sign.as_char(), Kind::Sign, sign.span()));
            }
            TokenTree::Literal(literal) => {
                tokens.push(Token::new(literal.to_string(), Kind::Literal, literal.span()));
            }
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                tokens.push(Token::new(open, Kind::Sign, group.span_open()));
                push(group.stream(), tokens);
                tokens.push(Token::new(close, Kind::Sign, group.span_close()));
            }
        }
    }
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// The places in `tokens` where exactly `pattern` stands, as what begins there.
pub(super) fn find<'a>(
    tokens: &'a [Token],
    pattern: &'a [&str],
) -> impl Iterator<Item = &'a [Token]> {
    let fits = move |row: &&[Token]| {
        row.len() >= pattern.len() && row.iter().zip(pattern).all(|(token, text)| token.is(text))
    };
    (0..tokens.len()).map(|start| &tokens[start..]).filter(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macro_bodies_are_seen_and_strings_are_not() {
        let stream = "f!{ a.unwrap() }\n\"b.unwrap()\"\n/* c.unwrap() */".parse().unwrap();
        let tokens = flatten(stream);
        let lines: Vec<_> =
            find(&tokens, &[".", "unwrap", "(", ")"]).map(|at| at[0].line()).collect();
        assert_eq!(lines, [1]);
    }
}
