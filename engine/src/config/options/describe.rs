//! Rules in words, for help and manuals.

use std::fmt::Display;

use serde_json::Value as Json;

use super::Rule;
use crate::config::suggest;

/// What the rule allows, with its article: "an integer from 10 to 10000".
pub(crate) fn describe(rule: &Rule) -> String {
    match rule {
        Rule::Any => "any value".to_owned(),
        Rule::Boolean => "a boolean".to_owned(),
        Rule::Integer { min, max } => format!("an integer{}", range(min.as_ref(), max.as_ref())),
        Rule::Number { min, max } => format!("a number{}", range(min.as_ref(), max.as_ref())),
        Rule::Text { secret: true, .. } => "a secret string".to_owned(),
        Rule::Text { .. } => "a string".to_owned(),
        Rule::Choice(words) => match words.as_slice() {
            [word] => format!("`{word}`"),
            words => format!("one of {}", suggest::list(words.iter().map(String::as_str))),
        },
        Rule::List { items, .. } => match items.as_ref() {
            Rule::Any => "an array".to_owned(),
            items => format!("an array, each item {}", describe(items)),
        },
        Rule::Table(_) => "a table".to_owned(),
        Rule::OneOf(rules) => rules.iter().map(describe).collect::<Vec<_>>().join(" or "),
    }
}

/// " from 1 to 5", as far as the bounds are known.
fn range<T: Display>(min: Option<&T>, max: Option<&T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" of at least {min}"),
        (None, Some(max)) => format!(" of at most {max}"),
        (None, None) => String::new(),
    }
}

/// What an option could look like.
pub(crate) fn example(rule: &Rule, name: &str) -> String {
    match rule {
        Rule::Boolean => "true".to_owned(),
        Rule::Integer { min, max } => min.or(*max).unwrap_or(1).to_string(),
        Rule::Number { min, max } => format!("{:?}", min.or(*max).unwrap_or(1.0)),
        Rule::Text { secret: true, .. } => format!("\"${{{}:?}}\"", name.to_uppercase()),
        Rule::Choice(words) => format!("{:?}", words[0]),
        Rule::List { .. } => "[…]".to_owned(),
        Rule::Table(_) => "{ … }".to_owned(),
        Rule::OneOf(rules) => rules.first().map_or("…".to_owned(), |rule| example(rule, name)),
        Rule::Text { .. } | Rule::Any => "\"…\"".to_owned(),
    }
}

/// A default or bound as it was meant: schemas write 32-bit floats with the digits of 64 bits.
pub(crate) fn shorten(number: &Json) -> Json {
    let short = number.as_f64().filter(|&long| number.is_f64() && f64::from(long as f32) == long);
    let digits = short.map(|long| (long as f32).to_string());
    digits.and_then(|digits| digits.parse::<f64>().ok()).map_or(number.clone(), Json::from)
}
