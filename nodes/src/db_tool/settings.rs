//! From options as written to tools that can run, with every mistake told at its place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use voicegraph_database::Dialect;
use voicegraph_engine::message::{Effect, ToolFailure, ToolSpec};
use voicegraph_engine::node::{Problem, UsedVariable};
use voicegraph_engine::variables::Declarations;

use super::config::{EffectOption, Options, ParameterOptions, ToolOptions, TypeOption};
use super::schema::Parameters;
use super::sql::{self, SqlError, Statement, Verb};
use super::value::Type;
use super::written::Sql;

/// What is known of a call without the model: names that no parameter may take.
pub(super) const BUILT_IN: [(&str, Type); 4] = [
    ("session_id", Type::Text),
    ("call_started_at", Type::DateTime),
    ("idempotency_key", Type::Text),
    ("caller", Type::Text),
];

/// What a variable of the call is called in SQL: this, and its name.
pub(super) const VARIABLE: &str = "variable_";

/// The types of what is known of a call, variables included, by their names in SQL.
struct Known(BTreeMap<String, Type>);

impl Known {
    fn new(variables: &Declarations) -> Self {
        let built_in = BUILT_IN.map(|(name, kind)| (name.to_owned(), kind));
        let declared =
            variables.iter().map(|one| (format!("{VARIABLE}{}", one.name), one.kind.into()));
        Self(built_in.into_iter().chain(declared).collect())
    }

    fn iter(&self) -> impl Iterator<Item = (&str, Type)> {
        self.0.iter().map(|(name, kind)| (name.as_str(), *kind))
    }
}

const DIALECTS: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

/// Options that fit together.
pub(super) struct Settings {
    pub(super) database: voicegraph_database::Settings,
    pub(super) tools: BTreeMap<String, Tool>,
    pub(super) max_concurrent: usize,
    pub(super) call_records: bool,
}

/// A tool that can run.
#[derive(Debug)]
pub(super) struct Tool {
    /// Its path among the options: `tools[2]`.
    pub(super) path: String,
    pub(super) spec: ToolSpec,
    pub(super) parameters: Parameters,
    pub(super) statements: Vec<Statement>,
    /// The path of each statement: `tools[2].sql[1]`.
    pub(super) paths: Vec<String>,
    /// The variables of the call that the texts of any dialect name.
    pub(super) variables: Vec<UsedVariable>,
    pub(super) timeout: Duration,
    pub(super) limits: Limits,
    /// The column that says by whose clock times are told.
    pub(super) time_zone: Option<String>,
    /// By the constraint's name.
    pub(super) errors: BTreeMap<String, ToolFailure>,
    /// Where nothing was found or changed.
    pub(super) none: Option<ToolFailure>,
}

/// How much the model is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Options {
    /// Checks what the schema cannot express.
    ///
    /// # Errors
    /// Every mistake found.
    pub(super) fn build(
        self,
        environment: &str,
        variables: &Declarations,
    ) -> Result<Settings, Vec<Problem>> {
        let known = Known::new(variables);
        let mut problems = Vec::new();
        let database = match self.database.build(environment) {
            Ok(database) => Some(database),
            Err(found) => {
                let below =
                    |one: Problem| Problem { path: format!("database.{}", one.path), ..one };
                problems.extend(found.into_iter().map(below));
                None
            }
        };
        let dialect = database.as_ref().map(voicegraph_database::Settings::dialect);
        let mut tools = BTreeMap::new();
        for (index, options) in self.tools.into_iter().enumerate() {
            let path = format!("tools[{index}]");
            let (tool, found) = build(options, path, dialect, &known);
            problems.extend(found);
            let name = tool.spec.name.clone();
            let path = format!("{}.name", tool.path);
            if tools.insert(name.clone(), tool).is_some() {
                let what = format!("another tool is named {name:?} too");
                problems.push(Problem::new(path, what).help("give each tool a name of its own"));
            }
        }
        match database {
            Some(database) if problems.is_empty() => {
                let max_concurrent = self.max_concurrent as usize;
                Ok(Settings { database, tools, max_concurrent, call_records: self.call_records })
            }
            _ => Err(problems),
        }
    }
}

/// The tool, as far as it can be made, and every mistake in its options. Without a dialect, the URL
/// being wrong, all is checked but that there is a text for it.
fn build(
    options: ToolOptions,
    path: String,
    dialect: Option<Dialect>,
    known: &Known,
) -> (Tool, Vec<Problem>) {
    let mut problems = Vec::new();
    problems.extend(name(&options.name, &path));
    for (name, parameter) in &options.parameters {
        problems.extend(parameter_mistakes(name, parameter, &path, known));
    }
    let parameters = Parameters::new(&options.parameters);
    let types: BTreeMap<&str, Type> = parameters.types().chain(known.iter()).collect();
    let (statements, variables, found) = statements(&options, &types, &path, dialect);
    problems.extend(found);
    let mut failure = |written: &str, path: String| {
        problems.extend(failure_name(written, path));
        to_failure(written)
    };
    let errors = options.errors.iter().map(|(constraint, written)| {
        (constraint.clone(), failure(written, format!("{path}.errors.{constraint}")))
    });
    let errors = errors.collect();
    let none = options.none.as_ref().map(|written| failure(written, format!("{path}.none")));
    let (paths, statements) = statements.into_iter().unzip();
    let spec = ToolSpec {
        name: options.name,
        description: options.description,
        parameters: parameters.schema().clone(),
        effect: options.effect.into(),
    };
    let timeout = Duration::from_millis(options.timeout_ms.into());
    let time_zone = options.time_zone;
    let limits = Limits { rows: options.max_rows as usize, bytes: options.max_bytes as usize };
    (
        Tool {
            path,
            spec,
            parameters,
            statements,
            paths,
            variables,
            timeout,
            limits,
            time_zone,
            errors,
            none,
        },
        problems,
    )
}

/// A name that models take: `[A-Za-z0-9_-]`.
fn name(name: &str, path: &str) -> Option<Problem> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let what = || Problem::new(format!("{path}.name"), format!("{name:?} cannot name a tool"));
    (!name.chars().all(fits)).then(|| what().help("write letters, digits, `_` and `-`"))
}

/// What is wrong with a parameter beyond its schema.
fn parameter_mistakes(
    name: &str,
    options: &ParameterOptions,
    path: &str,
    known: &Known,
) -> Vec<Problem> {
    let path = format!("{path}.parameters.{name}");
    let mut found = Vec::new();
    let mut tell = |below: &str, what: String, help: &str| {
        found.push(Problem::new(format!("{path}{below}"), what).help(help));
    };
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !begins || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        tell("", format!("`:{name}` cannot stand in SQL"), "write letters, digits and `_`");
    }
    if known.0.contains_key(name) {
        let what = format!("`:{name}` is known of every call and needs no parameter");
        tell("", what, "remove the parameter, or give it another name");
    }
    let is_text = options.kind == TypeOption::String;
    let is_number = matches!(options.kind, TypeOption::Integer | TypeOption::Number);
    let only = |kinds: &str| format!("only {kinds} can have it");
    let plain = is_text && options.format.is_none();
    for (below, given, fits, kinds) in [
        (".format", options.format.is_some(), is_text, "a string"),
        (".enum", options.choices.is_some(), plain, "a string without `format`"),
        (".max_length", options.max_length.is_some(), plain, "a string without `format`"),
        (".minimum", options.minimum.is_some(), is_number, "a number"),
        (".maximum", options.maximum.is_some(), is_number, "a number"),
    ] {
        if given && !fits {
            tell(below, only(kinds), "remove it, or change `type`");
        }
    }
    if let (Some(minimum), Some(maximum)) = (options.minimum, options.maximum)
        && minimum > maximum
    {
        tell(".minimum", format!("{minimum} is above the maximum of {maximum}"), "swap the two");
    }
    found
}

type Statements = (Vec<(String, Statement)>, Vec<UsedVariable>, Vec<Problem>);

/// The statements for `dialect` with their paths, and the variables and mistakes in those for every
/// dialect.
fn statements(
    options: &ToolOptions,
    types: &BTreeMap<&str, Type>,
    path: &str,
    dialect: Option<Dialect>,
) -> Statements {
    let mut wanted = Vec::new();
    let mut variables = Vec::new();
    let mut problems = Vec::new();
    for one in DIALECTS {
        // A text without a dialect is checked against that of the database alone.
        let is_wanted = dialect.is_none_or(|dialect| dialect == one);
        if matches!(options.sql, Sql::Common(_)) && !is_wanted {
            continue;
        }
        let (statements, found) = in_dialect(options, types, path, one);
        problems
            .extend(found.into_iter().filter(|new| !problems.contains(new)).collect::<Vec<_>>());
        variables.extend(statements.iter().flatten().flat_map(|(path, one)| used(path, one)));
        match statements {
            Some(statements) if is_wanted => wanted = statements,
            None if dialect == Some(one) => problems.push(missing(path, one)),
            _ => {}
        }
    }
    (wanted, variables, problems)
}

/// The variables of the call that a statement names.
fn used<'a>(path: &'a str, statement: &'a Statement) -> impl Iterator<Item = UsedVariable> + 'a {
    statement.names.iter().filter_map(move |written| {
        let name = written.strip_prefix(VARIABLE)?.to_owned();
        Some(UsedVariable { path: path.to_owned(), name, written: format!(":{written}") })
    })
}

fn missing(path: &str, dialect: Dialect) -> Problem {
    let dialect = dialect.name();
    Problem::new(format!("{path}.sql"), format!("has no text for {dialect}, which the URL names"))
        .help(format!("add `sql.{dialect} = \"…\"`"))
}

type InDialect = (Option<Vec<(String, Statement)>>, Vec<Problem>);

/// The statements written for one dialect; `None` where there are none.
fn in_dialect(
    options: &ToolOptions,
    types: &BTreeMap<&str, Type>,
    path: &str,
    dialect: Dialect,
) -> InDialect {
    let Some(texts) = options.sql.texts(dialect) else { return (None, Vec::new()) };
    let mut statements = Vec::new();
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for (below, text) in texts {
        let path = format!("{path}.sql{below}");
        match sql::parse(text, dialect, types) {
            Ok(statement) => {
                used.extend(statement.names.iter().cloned());
                problems.extend(verb(&statement, options.effect, &path));
                statements.push((path, statement));
            }
            Err(mistakes) => problems.extend(mistakes.iter().map(|one| refused(one, &path, types))),
        }
    }
    if problems.is_empty() {
        problems.extend(unused(options, &used, path, dialect));
    }
    (Some(statements), problems)
}

fn refused(mistake: &SqlError, path: &str, types: &BTreeMap<&str, Type>) -> Problem {
    let help = match mistake {
        SqlError::Unknown { .. } => {
            let names: Vec<String> = types.keys().map(|name| format!("`:{name}`")).collect();
            format!("declare it under `parameters`; known are {}", names.join(", "))
        }
        SqlError::Placeholder(..) => "write `:name` for the parameter `name`".to_owned(),
        SqlError::SecondStatement(_) => {
            "write an array of statements, one in each string: they run in one transaction"
                .to_owned()
        }
        SqlError::Untokenizable(_) | SqlError::Empty => "write one SQL statement".to_owned(),
    };
    Problem::new(path, mistake.to_string()).help(help)
}

fn verb(statement: &Statement, effect: EffectOption, path: &str) -> Option<Problem> {
    let (what, help) = match (statement.verb, effect) {
        (Verb::Transaction, _) => (
            "begins or ends a transaction, which is the tool's own business",
            "remove the statement: all of a tool's statements run in one transaction",
        ),
        (Verb::Writes, EffectOption::Read) => {
            ("changes something, but the tool's effect is `read`", "write `effect = \"write\"`")
        }
        _ => return None,
    };
    Some(Problem::new(path, what).help(help))
}

/// Parameters that the statements never name.
fn unused(
    options: &ToolOptions,
    used: &BTreeSet<String>,
    path: &str,
    dialect: Dialect,
) -> Vec<Problem> {
    let place = match &options.sql {
        Sql::Common(_) => String::new(),
        Sql::ByDialect { .. } => format!(" for {}", dialect.name()),
    };
    let names = options.parameters.keys().filter(|name| !used.contains(*name));
    names
        .map(|name| {
            let what = format!("is named by no statement{place}");
            Problem::new(format!("{path}.parameters.{name}"), what)
                .help(format!("write `:{name}` where its value belongs, or remove it"))
        })
        .collect()
}

fn failure_name(written: &str, path: String) -> Option<Problem> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_name = (1..=64).contains(&written.len()) && written.chars().all(fits);
    let what = || format!("{written:?} cannot name an error");
    (!is_name).then(|| Problem::new(path, what()).help("write one like `slot_taken`"))
}

fn to_failure(written: &str) -> ToolFailure {
    match written {
        "invalid_argument" => ToolFailure::InvalidArgument,
        "not_found" => ToolFailure::NotFound,
        "unavailable" => ToolFailure::Unavailable,
        named => ToolFailure::Named(named.to_owned()),
    }
}

impl Tool {
    /// Whether the tool changes anything.
    pub(super) fn writes(&self) -> bool {
        self.spec.effect == Effect::Write
    }
}

#[cfg(test)]
mod tests;
