//! The key of a call: the same for the same tool with the same arguments in the same session.
//!
//! It is made of values, not of JSON text: the order of names, `3` or `3.0`, another offset for the
//! same instant, null or nothing make no difference.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::value::{Value, instant};

/// The key, 64 hexadecimal digits.
pub(super) fn key(session: &str, tool: &str, values: &BTreeMap<String, Value>) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        // With its length before it, no part can be taken for two.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    add(session);
    add(tool);
    for (name, value) in values {
        if let Some(text) = canonical(value) {
            add(name);
            add(&text);
        }
    }
    let digest = hash.finalize();
    digest.iter().fold(String::with_capacity(64), |mut key, byte| {
        write!(key, "{byte:02x}").expect("a string takes all that is written");
        key
    })
}

/// The value as text; `None` for null. Within one parameter all values are of one type.
fn canonical(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null(_) => return None,
        Value::Text(text) => text.clone(),
        Value::Integer(integer) => integer.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Date(date) => date.to_string(),
        Value::DateTime(at) => instant(at),
        Value::Time(time) => time.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop, prop_assert_eq, proptest};

    use super::super::value::Type;
    use super::*;

    fn keyed(session: &str, tool: &str, values: &[(&str, Value)]) -> String {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        key(session, tool, &values.collect())
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn the_same_call_has_the_same_key() {
        let at = |text| Type::DateTime.read(&serde_json::json!(text)).unwrap();
        let one = [("at", at("2026-11-24T09:30:00+01:00")), ("note", Value::Null(Type::Text))];
        let other = [("at", at("2026-11-24T08:30:00Z"))];
        assert_eq!(keyed("s", "book", &one), keyed("s", "book", &other));
        assert_eq!(keyed("s", "book", &one).len(), 64);
    }

    #[test]
    fn parts_cannot_be_shifted() {
        let a = keyed("s", "t", &[("a", text("bc"))]);
        for other in [
            keyed("st", "", &[("a", text("bc"))]),
            keyed("s", "t", &[("ab", text("c"))]),
            keyed("s", "t", &[("a", text("b")), ("c", text(""))]),
            keyed("s", "t", &[("a", text(""))]),
            keyed("s", "t", &[]),
        ] {
            assert_ne!(a, other);
        }
    }

    fn call() -> impl Strategy<Value = (String, String, BTreeMap<String, String>)> {
        let values = prop::collection::btree_map("[a-c]{1,2}", "[a-c]{0,3}", 0..4);
        ("[a-c]{0,2}", "[a-c]{0,2}", values)
    }

    proptest! {
        #[test]
        fn different_calls_have_different_keys(
            a in call(),
            b in call(),
        ) {
            let keyed = |(session, tool, values): &(String, String, BTreeMap<String, String>)| {
                let values = values.iter().map(|(name, one)| (name.clone(), text(one)));
                key(session, tool, &values.collect())
            };
            prop_assert_eq!(keyed(&a) == keyed(&b), a == b);
        }
    }
}
