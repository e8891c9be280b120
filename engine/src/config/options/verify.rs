//! Checks a table of options against a rule, value by value.
//!
//! A string made of one variable alone is turned into the number or boolean that the rule asks for;
//! nothing else changes. Secrets that stand in the file are handed back to be masked.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::{Rule, Subject, TableRule, is_secret};
use crate::config::scrub::sounds_secret;
use crate::config::suggest;
use crate::config::tree::{Entry, Table, Text, Tree, Value};
use crate::diagnostic::{Diagnostic, Span, codes};

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    /// The mistakes.
    pub(crate) found: Vec<Diagnostic>,
    /// Secrets that stand in the file.
    pub(crate) masks: Vec<Span>,
    /// Variables that secrets come from.
    pub(crate) secret: Vec<String>,
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

struct Verifier<'a> {
    subject: Subject<'a>,
    verified: Verified,
}

impl Verifier<'_> {
    fn tell(&mut self, found: Diagnostic) {
        self.verified.found.push(found);
    }

    fn table(&mut self, table: &mut Table, rule: &TableRule, path: &str, place: Span) {
        let mut meant = BTreeSet::new();
        for (key, entry) in table.iter_mut() {
            let below = join(path, key);
            match (rule.fields.get(key), &rule.others) {
                (Some(field), _) => self.value(&mut entry.tree, &field.rule, &below),
                (None, Some(others)) => self.value(&mut entry.tree, others, &below),
                (None, None) => meant.extend(self.unknown(key, &below, entry, rule)),
            }
        }
        for (name, field) in &rule.fields {
            // What is misspelt is not missing too.
            let given = table.contains_key(name) || meant.contains(name.as_str());
            if field.required && !given {
                self.tell(self.subject.missing(&join(path, name), name, field, place));
            }
        }
    }

    /// Tells of an unknown option, and gives the one that was meant.
    fn unknown<'r>(
        &mut self,
        key: &str,
        path: &str,
        entry: &Entry,
        rule: &'r TableRule,
    ) -> Option<&'r str> {
        let meant = suggest::closest(key, rule.fields.keys().map(String::as_str));
        let secret = meant.is_some_and(|name| is_secret(&rule.fields[name].rule));
        let written = entry.tree.as_text().is_none_or(|text| text.variables.is_empty());
        if written && (secret || sounds_secret(key)) {
            self.verified.masks.push(entry.tree.span);
        }
        self.tell(self.subject.unknown(key, path, entry.key, rule));
        meant
    }

    fn value(&mut self, tree: &mut Tree, rule: &Rule, path: &str) {
        if tree.as_text().is_some_and(|text| text.unknown) {
            self.verified.unsure = true;
            return;
        }
        self.convert(tree, rule, path);
        let span = tree.span;
        match (rule, &mut tree.value) {
            (Rule::Any, _) | (Rule::Boolean, Value::Boolean(_)) => {}
            (Rule::Integer { min, max }, Value::Integer(integer)) => {
                self.bounds(span, rule, path, *integer, (*min, *max));
            }
            (Rule::Number { min, max }, Value::Integer(integer)) => {
                self.bounds(span, rule, path, *integer as f64, (*min, *max));
            }
            (Rule::Number { min, max }, Value::Float(number)) => {
                self.bounds(span, rule, path, *number, (*min, *max));
            }
            (Rule::Text { secret, min, max }, Value::String(text)) => {
                if *secret {
                    self.secret(span, text, path);
                }
                let length = text.text.chars().count();
                self.length(span, "character", length, (*min, *max), path);
            }
            (Rule::Choice(words), Value::String(text)) if !words.contains(&text.text) => {
                self.tell(self.subject.unknown_choice(path, &text.text, words, span));
            }
            (Rule::Choice(_), Value::String(_)) => {}
            (Rule::List { items, min, max }, Value::Array(list)) => {
                self.length(span, "item", list.len(), (*min, *max), path);
                for (index, item) in list.iter_mut().enumerate() {
                    self.value(item, items, &format!("{path}[{index}]"));
                }
            }
            (Rule::Table(rule), Value::Table(table)) => self.table(table, rule, path, span),
            (Rule::OneOf(rules), _) => self.one_of(tree, rules, path),
            _ => self.wrong_type(tree, rule, path),
        }
    }

    /// Turns a variable's text into the number or boolean that is asked for.
    fn convert(&mut self, tree: &mut Tree, rule: &Rule, path: &str) {
        let Some(text) = tree.as_text().filter(|text| text.alone) else { return };
        let written = text.text.trim();
        let converted = match rule {
            Rule::Boolean => written.parse().ok().map(Value::Boolean),
            Rule::Integer { .. } => written.parse().ok().map(Value::Integer),
            Rule::Number { .. } => written.parse().ok().map(Value::Float),
            _ => return,
        };
        tree.value = match converted {
            Some(value) => value,
            None => {
                let variable = text.variables.first().map_or("", String::as_str);
                let unfit = self.subject.unfit(path, rule, variable, written, tree.span);
                self.tell(unfit);
                harmless(rule)
            }
        };
    }

    fn bounds<T: PartialOrd + Display + Copy>(
        &mut self,
        span: Span,
        rule: &Rule,
        path: &str,
        value: T,
        (min, max): (Option<T>, Option<T>),
    ) {
        let is_number = value.partial_cmp(&value).is_some();
        let wrong = match (min, max) {
            (Some(min), _) if value < min => format!("below the minimum of {min}"),
            (_, Some(max)) if value > max => format!("above the maximum of {max}"),
            (None, None) => return,
            _ if !is_number => "not a number".to_owned(),
            _ => return,
        };
        self.tell(self.subject.out_of_range(path, &value.to_string(), &wrong, rule, span));
    }

    fn secret(&mut self, span: Span, text: &Text, path: &str) {
        self.verified.secret.extend(text.variables.iter().cloned());
        if text.variables.is_empty() && !text.text.is_empty() {
            self.verified.masks.push(span);
            self.tell(self.subject.written_secret(path, span));
        }
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
        self.tell(self.subject.wrong_length(path, &counted(length), &bound, span));
    }

    /// Takes the first alternative without a mistake, or else the one with the fewest among those
    /// of the right type.
    fn one_of(&mut self, tree: &mut Tree, rules: &[Rule], path: &str) {
        let mut best: Option<(Tree, Verified)> = None;
        for rule in rules {
            let mut attempt = Verifier { subject: self.subject, verified: Verified::default() };
            let mut changed = tree.clone();
            attempt.value(&mut changed, rule, path);
            let fewer = |best: &(Tree, Verified)| attempt.verified.found.len() < best.1.found.len();
            if !attempt.is_out_of_place(tree.span) && best.as_ref().is_none_or(fewer) {
                best = Some((changed, attempt.verified));
            }
        }
        match best {
            Some((changed, verified)) => {
                *tree = changed;
                self.verified.found.extend(verified.found);
                self.verified.masks.extend(verified.masks);
                self.verified.secret.extend(verified.secret);
                self.verified.unsure |= verified.unsure;
            }
            None => self.wrong_type(tree, &Rule::OneOf(rules.to_vec()), path),
        }
    }

    /// Whether the value as a whole has the wrong type.
    fn is_out_of_place(&self, span: Span) -> bool {
        self.verified.found.iter().any(|one| {
            let whole = one.labels.first().is_some_and(|label| label.span == span);
            whole && (one.code == &codes::WRONG_TYPE || one.code == &codes::UNFIT_VARIABLE)
        })
    }

    fn wrong_type(&mut self, tree: &Tree, rule: &Rule, path: &str) {
        if is_secret(rule) {
            self.verified.masks.push(tree.span);
        }
        self.tell(self.subject.wrong_type(path, tree, rule));
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A value that raises no further mistake in place of one that was told of.
fn harmless(rule: &Rule) -> Value {
    match rule {
        Rule::Integer { min, max } => Value::Integer(min.or(*max).unwrap_or(0)),
        Rule::Number { min, max } => Value::Float(min.or(*max).unwrap_or(0.0)),
        _ => Value::Boolean(false),
    }
}
