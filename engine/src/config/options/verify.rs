//! Checks a table of options against a rule, value by value.
//!
//! A string made of one variable alone is turned into the number or boolean that the rule asks for;
//! nothing else changes. Values of secret options are never printed, and those that stand in the file
//! are handed back to be masked.

use super::{Field, Rule, TableRule, describe, example};
use crate::config::suggest;
use crate::config::tree::{Table, Text, Tree, Value};
use crate::diagnostic::{Code, Diagnostic, Span, codes};

/// Whose options are checked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    /// A node's.
    Node {
        /// Its name.
        name: &'a str,
        /// Its kind.
        kind: &'a str,
    },
    /// An edge's.
    Edge {
        /// Its written form.
        name: &'a str,
    },
}

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    /// The mistakes.
    pub(crate) found: Vec<Diagnostic>,
    /// Secrets that stand in the file.
    pub(crate) masks: Vec<Span>,
    /// Whether some value is unknown, because a variable in it is not set.
    pub(crate) unsure: bool,
}

/// Checks `options`, which belong to what is named at `place`.
pub(crate) fn verify(
    options: &mut Table,
    rule: &TableRule,
    subject: Subject<'_>,
    place: Span,
) -> Verified {
    let mut verifier = Verifier { subject, verified: Verified::default() };
    verifier.table(options, rule, "", place);
    verifier.verified
}

impl Subject<'_> {
    /// "node `stt`".
    fn described(self) -> String {
        match self {
            Self::Node { name, .. } => format!("node `{name}`"),
            Self::Edge { name } => format!("edge `{name}`"),
        }
    }

    fn unknown(self) -> &'static Code {
        match self {
            Self::Node { .. } => &codes::UNKNOWN_OPTION,
            Self::Edge { .. } => &codes::UNKNOWN_EDGE_OPTION,
        }
    }

    fn out_of_range(self) -> &'static Code {
        match self {
            Self::Node { .. } => &codes::OUT_OF_RANGE,
            Self::Edge { .. } => &codes::LIMIT_OUT_OF_BOUNDS,
        }
    }

    fn unknown_choice(self) -> &'static Code {
        match self {
            Self::Node { .. } => &codes::UNKNOWN_CHOICE,
            Self::Edge { .. } => &codes::UNKNOWN_OVERFLOW,
        }
    }
}

struct Verifier<'a> {
    subject: Subject<'a>,
    verified: Verified,
}

impl Verifier<'_> {
    fn tell(
        &mut self,
        code: &'static Code,
        message: String,
        span: Span,
        label: &str,
        help: String,
    ) {
        let found = Diagnostic::new(code, message).label(span, label).help(help);
        self.verified.found.push(found);
    }

    fn table(&mut self, table: &mut Table, rule: &TableRule, path: &str, place: Span) {
        for (key, entry) in table.iter_mut() {
            let below = join(path, key);
            match (rule.fields.get(key), &rule.others) {
                (Some(field), _) => self.value(&mut entry.tree, &field.rule, &below),
                (None, Some(others)) => self.value(&mut entry.tree, others, &below),
                (None, None) => self.unknown(&below, key, entry.key, &entry.tree, rule),
            }
        }
        for (name, field) in &rule.fields {
            if field.required && !table.contains_key(name) {
                self.missing(&join(path, name), name, field, place);
            }
        }
    }

    fn unknown(&mut self, path: &str, key: &str, span: Span, tree: &Tree, rule: &TableRule) {
        let names = rule.fields.keys().map(String::as_str);
        let meant = suggest::closest(key, names.clone()).and_then(|name| rule.fields.get(name));
        if meant.is_some_and(|field| is_secret(&field.rule)) || sounds_secret(key) {
            self.verified.masks.push(tree.span);
        }
        let message = match self.subject {
            Subject::Node { name, kind } => {
                format!("`{path}` is no option of kind `{kind}` (node `{name}`)")
            }
            Subject::Edge { name } => format!("`{path}` is no option of an edge (`{name}`)"),
        };
        let help = suggest::help(key, "the options are", names);
        self.tell(self.subject.unknown(), message, span, "unknown option", help);
    }

    fn missing(&mut self, path: &str, name: &str, field: &Field, place: Span) {
        let message = format!("{} lacks the option `{path}`", self.subject.described());
        let help = format!("add `{name} = {}`{}", example(&field.rule, name), gloss(&field.doc));
        self.tell(&codes::MISSING_OPTION, message, place, "an option is missing", help);
    }

    fn value(&mut self, tree: &mut Tree, rule: &Rule, path: &str) {
        if tree.as_text().is_some_and(|text| text.unknown) {
            self.verified.unsure = true;
            return;
        }
        self.convert(tree, rule, path);
        match (rule, &mut tree.value) {
            (Rule::Any, _) | (Rule::Boolean, Value::Boolean(_)) => {}
            (Rule::Integer { min, max }, Value::Integer(integer)) => {
                let integer = *integer;
                self.bounds(tree.span, rule, path, integer, *min, *max);
            }
            (Rule::Number { min, max }, Value::Integer(integer)) => {
                let number = *integer as f64;
                self.bounds(tree.span, rule, path, number, *min, *max);
            }
            (Rule::Number { min, max }, Value::Float(number)) => {
                let number = *number;
                self.bounds(tree.span, rule, path, number, *min, *max);
            }
            (Rule::Text { .. }, Value::String(text)) => self.text(tree.span, text, rule, path),
            (Rule::Choice(words), Value::String(text)) => {
                self.choice(tree.span, text, words, path);
            }
            (Rule::List { items, min, max }, Value::Array(list)) => {
                self.length(tree.span, "item", list.len(), (*min, *max), path);
                for (index, item) in list.iter_mut().enumerate() {
                    self.value(item, items, &format!("{path}[{index}]"));
                }
            }
            (Rule::Table(rule), Value::Table(table)) => self.table(table, rule, path, tree.span),
            (Rule::OneOf(rules), _) => self.one_of(tree, rules, path),
            _ => self.wrong_type(tree, rule, path),
        }
    }

    /// Turns a variable's text into the number or boolean that is asked for.
    fn convert(&mut self, tree: &mut Tree, rule: &Rule, path: &str) {
        let Value::String(text) = &tree.value else { return };
        if !text.alone {
            return;
        }
        let written = text.text.trim();
        let converted = match rule {
            Rule::Boolean => written.parse().ok().map(Value::Boolean),
            Rule::Integer { .. } => written.parse().ok().map(Value::Integer),
            Rule::Number { .. } => written.parse().ok().map(Value::Float),
            _ => return,
        };
        let variable = text.variables.first().cloned().unwrap_or_default();
        let (value, message) = match converted {
            Some(value) => (value, None),
            None => {
                let found = format!(
                    "`{path}` of {} must be {}, but the variable {variable} gives {written:?}",
                    self.subject.described(),
                    describe(rule),
                );
                (harmless(rule), Some(found))
            }
        };
        tree.value = value;
        if let Some(message) = message {
            let help = format!("set {variable} to {}", describe(rule));
            self.tell(&codes::UNFIT_VARIABLE, message, tree.span, "from this variable", help);
        }
    }

    fn bounds<T: PartialOrd + std::fmt::Display>(
        &mut self,
        span: Span,
        rule: &Rule,
        path: &str,
        value: T,
        min: Option<T>,
        max: Option<T>,
    ) {
        let wrong = match (min, max) {
            (Some(min), _) if value < min => format!("below the minimum of {min}"),
            (_, Some(max)) if value > max => format!("above the maximum of {max}"),
            // No comparison holds for what is not a number.
            (min, max)
                if value.partial_cmp(&value).is_none() && (min.is_some() || max.is_some()) =>
            {
                "not a number".to_owned()
            }
            _ => return,
        };
        let message = format!("`{path}` of {} is {value}: {wrong}", self.subject.described());
        let help = format!("write {}", describe(rule));
        self.tell(self.subject.out_of_range(), message, span, &wrong, help);
    }

    fn text(&mut self, span: Span, text: &Text, rule: &Rule, path: &str) {
        let Rule::Text { secret, min, max } = rule else { return };
        if *secret && text.variables.is_empty() && !text.text.is_empty() {
            self.verified.masks.push(span);
            let message = format!(
                "a secret, `{path}` of {}, is written in the file",
                self.subject.described()
            );
            let variable = path.rsplit('.').next().unwrap_or(path).to_uppercase();
            let help = format!("name a variable in its place: `\"${{{variable}:?}}\"`");
            self.tell(&codes::WRITTEN_SECRET, message, span, "a secret in plain text", help);
        }
        self.length(span, "character", text.text.chars().count(), (*min, *max), path);
    }

    fn length(
        &mut self,
        span: Span,
        unit: &str,
        length: usize,
        (min, max): (Option<usize>, Option<usize>),
        path: &str,
    ) {
        let counted = |count: usize| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
        let bound = match (min, max) {
            (Some(min), _) if length < min => format!("at least {}", counted(min)),
            (_, Some(max)) if length > max => format!("at most {}", counted(max)),
            _ => return,
        };
        let described = self.subject.described();
        let message = format!("`{path}` of {described} has {}, not {bound}", counted(length));
        let help = format!("write {bound}");
        self.tell(self.subject.out_of_range(), message, span, &format!("{bound}, please"), help);
    }

    fn choice(&mut self, span: Span, text: &Text, words: &[String], path: &str) {
        if words.contains(&text.text) {
            return;
        }
        let described = self.subject.described();
        let message = format!("`{path}` of {described} has no value {:?}", text.text);
        let help = suggest::help(&text.text, "the values are", words.iter().map(String::as_str));
        self.tell(self.subject.unknown_choice(), message, span, "unknown value", help);
    }

    /// Takes the first alternative without a mistake, or else the one with the fewest among those of
    /// the right type.
    fn one_of(&mut self, tree: &mut Tree, rules: &[Rule], path: &str) {
        let mut best: Option<(Tree, Verified)> = None;
        for rule in rules {
            let mut attempt = Verifier { subject: self.subject, verified: Verified::default() };
            let mut changed = tree.clone();
            attempt.value(&mut changed, rule, path);
            let mistakes = &attempt.verified.found;
            if mistakes
                .iter()
                .any(|one| one.code == &codes::WRONG_TYPE && one.labels[0].span == tree.span)
            {
                continue;
            }
            let fewer = best.as_ref().is_none_or(|(_, best)| mistakes.len() < best.found.len());
            if fewer {
                best = Some((changed, attempt.verified));
            }
        }
        match best {
            Some((changed, verified)) => {
                *tree = changed;
                self.verified.found.extend(verified.found);
                self.verified.masks.extend(verified.masks);
                self.verified.unsure |= verified.unsure;
            }
            None => self.wrong_type(tree, &Rule::OneOf(rules.to_vec()), path),
        }
    }

    fn wrong_type(&mut self, tree: &Tree, rule: &Rule, path: &str) {
        if is_secret(rule) {
            self.verified.masks.push(tree.span);
        }
        let expected = describe(rule);
        let described = self.subject.described();
        let message = format!("`{path}` of {described} is {}, not {expected}", tree.described());
        let help = match (rule, tree.as_text()) {
            (Rule::Integer { .. } | Rule::Number { .. } | Rule::Boolean, Some(text))
                if !text.text.contains('$') =>
            {
                "write it without quotes".to_owned()
            }
            (Rule::Text { .. }, _) => "write it in quotes".to_owned(),
            _ => format!("write {expected}"),
        };
        self.tell(&codes::WRONG_TYPE, message, tree.span, &format!("expected {expected}"), help);
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn is_secret(rule: &Rule) -> bool {
    match rule {
        Rule::Text { secret, .. } => *secret,
        Rule::OneOf(rules) => rules.iter().any(is_secret),
        _ => false,
    }
}

/// Whether a value under such a key had better not be printed, though no kind says that it is secret.
fn sounds_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["key", "secret", "token", "password", "credential"].iter().any(|word| key.contains(word))
}

/// A value that raises no further mistake in place of one that was told of.
fn harmless(rule: &Rule) -> Value {
    match rule {
        Rule::Boolean => Value::Boolean(false),
        Rule::Integer { min, max } => Value::Integer(min.or(*max).unwrap_or(0)),
        Rule::Number { min, max } => Value::Float(min.or(*max).unwrap_or(0.0)),
        _ => Value::Boolean(false),
    }
}

/// The first sentence of an option's manual entry, to follow its example.
fn gloss(doc: &str) -> String {
    let sentence = doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let sentence = sentence.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned();
    if sentence.is_empty() { sentence } else { format!(": {sentence}") }
}
