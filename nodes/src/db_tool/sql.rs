//! A statement's text: `:name` becomes a position, and nothing else is touched.
//!
//! ```text
//!   "… where id = :id and day = :day::date and note <> ':id'"
//!      PostgreSQL   … where id = ($1::bigint) and day = ($2::text)::date and note <> ':id'
//!      SQLite       … where id = ?1           and …
//! ```
//!
//! A tokenizer finds the names, so that strings, comments, dollar quotes, casts and slices stay
//! what they are. Values are bound to the positions and never come near the text. In PostgreSQL
//! each position carries its declared type, so that a statement means the same when it is prepared
//! at start as when it runs.

use std::collections::BTreeMap;

use sqlparser::dialect::{PostgreSqlDialect, SQLiteDialect};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};
use voicegraph_database::Dialect;

use super::settings::VARIABLE;
use super::value::Type;

/// One statement, as the database gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// The text, with positions in place of names.
    pub(super) text: String,
    /// The names, by their positions from 1.
    pub(super) names: Vec<String>,
    /// What the statement does, as far as its first word tells.
    pub(super) verb: Verb,
}

/// What a statement does, by its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// `select`, `values`, `with`: reads. A `with` may write; the database decides.
    Reads,
    /// `insert`, `update`, `delete` and the like.
    Writes,
    /// `begin`, `commit` and the like: the tool's own business.
    Transaction,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SqlError {
    #[error("is no SQL: {0}")]
    Untokenizable(String),
    #[error("is empty")]
    Empty,
    #[error("holds a second statement at {}", place(.0))]
    SecondStatement(Location),
    #[error("holds `{0}` at {at}: positions are not written by hand", at = place(.1))]
    Placeholder(String, Location),
    #[error("names `:{name}` at {at}, which is no parameter", at = place(.at))]
    Unknown { name: String, at: Location },
}

fn place(at: &Location) -> String {
    format!("line {}, column {} of the text", at.line, at.column)
}

/// The statement that `written` holds, with its names looked up in `types`.
///
/// # Errors
/// Every mistake found.
pub(super) fn parse(
    written: &str,
    dialect: Dialect,
    types: &BTreeMap<&str, Type>,
) -> Result<Statement, Vec<SqlError>> {
    let tokens = tokenize(written, dialect).map_err(|error| vec![error])?;
    let mut writer = Writer { written, dialect, types, text: String::new(), names: Vec::new() };
    let mut mistakes = misplaced(&tokens, dialect);
    mistakes.extend(writer.write(&tokens));
    let verb = tokens.iter().find(|token| !is_blank(token)).map(verb);
    match verb {
        None => Err(vec![SqlError::Empty]),
        Some(verb) if mistakes.is_empty() => {
            Ok(Statement { text: writer.text, names: writer.names, verb })
        }
        Some(_) => Err(mistakes),
    }
}

fn tokenize(text: &str, dialect: Dialect) -> Result<Vec<TokenWithSpan>, SqlError> {
    let tokens = match dialect {
        Dialect::Postgres => Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location(),
        Dialect::Sqlite => Tokenizer::new(&SQLiteDialect {}, text).tokenize_with_location(),
    };
    tokens.map_err(|error| SqlError::Untokenizable(error.to_string()))
}

/// White space, comments, and semicolons.
fn is_blank(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_) | Token::SemiColon | Token::EOF)
}

fn verb(first: &TokenWithSpan) -> Verb {
    let Token::Word(word) = &first.token else { return Verb::Reads };
    match word.keyword {
        Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE => Verb::Reads,
        Keyword::BEGIN
        | Keyword::START
        | Keyword::COMMIT
        | Keyword::END
        | Keyword::ROLLBACK
        | Keyword::ABORT
        | Keyword::SAVEPOINT
        | Keyword::RELEASE => Verb::Transaction,
        _ => Verb::Writes,
    }
}

/// What must not stand in a statement: another one, and positions.
fn misplaced(tokens: &[TokenWithSpan], dialect: Dialect) -> Vec<SqlError> {
    let first = tokens.iter().position(|token| !is_blank(token)).unwrap_or(tokens.len());
    let end = tokens[first..].iter().position(|token| token.token == Token::SemiColon);
    let rest = end.map_or(&[][..], |end| &tokens[first + end..]);
    let second = rest.iter().find(|token| !is_blank(token));
    let second = second.map(|token| SqlError::SecondStatement(token.span.start));
    let by_hand = tokens.iter().enumerate().filter_map(|(index, token)| {
        let position = position(token, tokens.get(index + 1), dialect)?;
        Some(SqlError::Placeholder(position, token.span.start))
    });
    second.into_iter().chain(by_hand).collect()
}

/// The position written by hand that begins here: `$1`, `?1`, and SQLite's `@name` and `:1`.
fn position(
    token: &TokenWithSpan,
    next: Option<&TokenWithSpan>,
    dialect: Dialect,
) -> Option<String> {
    match (&token.token, next.map(|next| &next.token)) {
        (Token::Placeholder(position), _) => Some(position.clone()),
        (Token::AtSign, _) if dialect == Dialect::Sqlite => Some("@".to_owned()),
        (Token::Colon, Some(Token::Number(number, _))) if dialect == Dialect::Sqlite => {
            Some(format!(":{number}"))
        }
        _ => None,
    }
}

struct Writer<'a> {
    written: &'a str,
    dialect: Dialect,
    types: &'a BTreeMap<&'a str, Type>,
    text: String,
    names: Vec<String>,
}

impl Writer<'_> {
    /// Copies the text with names replaced; gives the names that are unknown.
    fn write(&mut self, tokens: &[TokenWithSpan]) -> Vec<SqlError> {
        let places = Places::new(self.written);
        let mut unknown = Vec::new();
        let mut copied = 0;
        for (index, pair) in tokens.windows(2).enumerate() {
            let before = index.checked_sub(1).map(|before| &tokens[before]);
            let Some(name) = name(before, &pair[0], &pair[1], self.dialect) else { continue };
            let Some(kind) = self.kind(name) else {
                let at = pair[0].span.start;
                unknown.push(SqlError::Unknown { name: name.to_owned(), at });
                continue;
            };
            self.text.push_str(&self.written[copied..places.offset(pair[0].span.start)]);
            copied = places.offset(pair[1].span.end);
            self.position(name, kind);
        }
        self.text.push_str(&self.written[copied..]);
        let end = self.text.trim_end_matches(|c: char| c.is_whitespace() || c == ';').len();
        self.text.truncate(end);
        unknown
    }

    /// The type of what `name` stands for. A variable of the call that nobody declares is no
    /// mistake of the statement alone, and is told of where all uses are known.
    fn kind(&self, name: &str) -> Option<Type> {
        let undeclared = || name.starts_with(VARIABLE).then_some(Type::Text);
        self.types.get(name).copied().or_else(undeclared)
    }

    /// Writes the position of `name`; the parentheses keep what follows from joining the type.
    fn position(&mut self, name: &str, kind: Type) {
        let known = self.names.iter().position(|one| one == name);
        let index = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        let position = index + 1;
        self.text.push_str(&match self.dialect {
            Dialect::Postgres => format!("(${position}::{})", kind.in_postgres()),
            Dialect::Sqlite => format!("?{position}"),
        });
    }
}

/// The name, where `colon` and `word` are a parameter: both stand together, and the colon is not
/// that of a slice, `list[low:high]`, which SQLite does not have.
fn name<'t>(
    before: Option<&TokenWithSpan>,
    colon: &TokenWithSpan,
    word: &'t TokenWithSpan,
    dialect: Dialect,
) -> Option<&'t str> {
    let Token::Word(name) = &word.token else { return None };
    let joined = colon.span.end == word.span.start && name.quote_style.is_none();
    let ends = |token: &Token| {
        matches!(token, Token::Word(_) | Token::Number(..) | Token::RParen | Token::RBracket)
    };
    let slice = dialect == Dialect::Postgres && before.is_some_and(|before| ends(&before.token));
    (colon.token == Token::Colon && joined && !slice).then_some(name.value.as_str())
}

/// From lines and columns, which count characters from 1, to bytes.
struct Places<'a> {
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, lines: std::iter::once(0).chain(ends).collect() }
    }

    fn offset(&self, at: Location) -> usize {
        let line = self.lines[at.line as usize - 1];
        let chars = self.text[line..].char_indices().nth(at.column as usize - 1);
        chars.map_or(self.text.len(), |(within, _)| line + within)
    }
}

#[cfg(test)]
mod tests;
