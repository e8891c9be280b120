//! Guesses what was meant, and writes lists.

/// The name that `written` most likely was meant to be. The first in order among equals.
pub(crate) fn closest<'a>(
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = names.into_iter().filter_map(|name| {
        let distance = strsim::damerau_levenshtein(&fold(written), &fold(name));
        let longest = written.chars().count().max(name.chars().count());
        (distance <= allowed(longest)).then_some((distance, name))
    });
    near.min_by_key(|&(distance, _)| distance).map(|(_, name)| name)
}

/// The longest name that is compared: comparing costs the product of both lengths.
const MAX_COMPARED: usize = 64;

fn fold(name: &str) -> String {
    name.chars().take(MAX_COMPARED).collect::<String>().to_lowercase().replace('-', "_")
}

/// A third of the letters may be wrong, as rustc has it.
fn allowed(length: usize) -> usize {
    if length > MAX_COMPARED { 0 } else { (length / 3).max(1) }
}

/// `a`, `b` and `c`, each in backticks.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// "did you mean", or else what there is.
pub(crate) fn help<'a>(
    written: &str,
    what: &str,
    names: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    match closest(written, names.clone()) {
        Some(closest) => format!("did you mean `{closest}`?"),
        None => format!("{what}: {}", list(names)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["interim_results", "endpointing_ms", "model"];
        for (written, meant) in [
            ("interim_result", Some("interim_results")),
            ("interim-results", Some("interim_results")),
            ("Model", Some("model")),
            ("modle", Some("model")),
            ("endpointing", Some("endpointing_ms")),
            ("x", None),
            ("something_else", None),
        ] {
            assert_eq!(closest(written, names), meant, "{written}");
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(list([]), "none");
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
