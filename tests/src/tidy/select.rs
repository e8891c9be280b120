//! Every `select!` polls in the order written: without `biased;` runs differ under a paused clock.

use super::Finding;
use super::source::Source;
use super::tokens::find;

/// The comment that excuses one, with a reason behind it.
const EXCUSE: &str = "// unbiased: ";

/// Each `select!` that neither begins with `biased;` nor says why not.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let lines: Vec<&str> = source.text.lines().collect();
    let biased = ["biased", ";"];
    find(&source.tokens, &["select", "!"])
        .filter(|at| !at[3..].iter().zip(biased).all(|(token, text)| token.is(text)))
        .map(|at| at[0].line())
        .filter(|line| !excused(&lines, *line))
        .map(|line| {
            let advice =
                "begin it with `biased;`, cancel arm first, or write `// unbiased: <why>` above";
            source.finding(line, "biased", advice)
        })
        .collect()
}

/// Whether the comment right above `line` excuses it.
fn excused(lines: &[&str], line: usize) -> bool {
    let above = lines[..line - 1].iter().rev().map(|line| line.trim());
    let reason = |line: &str| line.strip_prefix(EXCUSE).is_some_and(|why| !why.trim().is_empty());
    above.take_while(|line| line.starts_with("//")).any(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<usize> {
        let findings = check(&Source::parse("engine/src/a.rs", text));
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn an_unbiased_select_is_found() {
        assert_eq!(found("fn f() {\n tokio::select! { a = b => {} }\n}"), [2]);
        assert_eq!(found("fn f() {\n select! { a = b => {} biased; }\n}"), [2]);
        assert_eq!(found("fn f() {\n // unbiased: \n select! {}\n}"), [3]);
        assert_eq!(
            found("#[cfg(test)]\nmod tests { fn f() { g!(select! { a = b => {} }) } }"),
            [2]
        );
    }

    #[test]
    fn a_biased_or_excused_select_passes() {
        assert_eq!(found("fn f() { tokio::select! { biased; a = b => {} } }"), [] as [usize; 0]);
        assert_eq!(
            found("fn f() {\n // unbiased: fair\n // on purpose\n select! {}\n}"),
            [] as [usize; 0]
        );
    }
}
