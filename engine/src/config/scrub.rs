//! Keeps the values of secret variables out of what is told.
//!
//! No pass prints the value of a secret option. But a secret can be put where none belongs, as in
//! `model = "${API_KEY}"`, and a kind may repeat what it refuses. So all that was found is gone
//! through once more before anyone sees it.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;

/// The shortest value that is taken out: a shorter one is no secret, and would be found in any
/// text.
const SHORTEST: usize = 4;

/// The variables of a pipeline that have values, by name.
pub(crate) type Values = BTreeMap<String, String>;

/// Puts `***` in place of every secret value in messages, labels and help. Secret are the variables
/// named in `secret`, and those that sound so.
pub(crate) fn scrub(found: &mut [Diagnostic], values: &Values, secret: &[String]) {
    let is_secret = |name: &String| secret.contains(name) || sounds_secret(name);
    let values = values.iter().filter(|(name, value)| value.len() >= SHORTEST && is_secret(name));
    // The longest first: one secret may be a part of another.
    let mut forms: Vec<String> = values.flat_map(|(_, value)| forms(value)).collect();
    forms.sort_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
    for text in found.iter_mut().flat_map(texts) {
        for form in forms.iter().filter(|form| !form.is_empty()) {
            if text.contains(form) {
                *text = text.replace(form, "***");
            }
        }
    }
}

/// Whether a key or variable of that name had better not be printed with its value.
pub(crate) fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["key", "secret", "token", "password", "credential"].iter().any(|word| name.contains(word))
}

/// The value as it is, and as it is written in quotes.
fn forms(value: &str) -> [String; 2] {
    let quoted = format!("{value:?}");
    [value.to_owned(), quoted[1..quoted.len() - 1].to_owned()]
}

fn texts(found: &mut Diagnostic) -> impl Iterator<Item = &mut String> {
    let labels = found.labels.iter_mut().map(|label| &mut label.text);
    [&mut found.message].into_iter().chain(labels).chain(found.help.as_mut())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::codes;

    #[test]
    fn secret_values_are_taken_out_and_others_stay() {
        let value = |text: &str| text.to_owned();
        let values = Values::from([
            (value("API_KEY"), value("sesame")),
            (value("OTHER_KEY"), value("sesame\"2")),
            (value("USER"), value("alibaba")),
            (value("HOST"), value("cave")),
            (value("PIN_TOKEN"), value("1")),
        ]);
        for (message, expected) in [
            ("no kind \"sesame\"", "no kind \"***\""),
            ("no kind \"xsesame\\\"2\"", "no kind \"x***\""),
            ("alibaba at cave, 1", "*** at cave, 1"),
        ] {
            let mut found = vec![Diagnostic::new(&codes::UNKNOWN_KIND, message).help(message)];
            scrub(&mut found, &values, &[value("USER")]);
            assert_eq!(found[0].message, expected);
            assert_eq!(found[0].help.as_deref(), Some(expected));
        }
    }
}
