//! What is left over from writing: open marks, lints switched off without a reason, `unwrap`.

use super::Finding;
use super::source::Source;
use super::tokens::find;

/// Words that promise work. Plans live in issues.
const OPEN: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Each mark in `source`.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    [open(source), switched_off(source), unwraps(source)].concat()
}

fn open(source: &Source) -> Vec<Finding> {
    let words = |line: &str| {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.find(|word| OPEN.contains(word)).map(ToOwned::to_owned)
    };
    let lines = source.text.lines().enumerate();
    let marked = lines.filter_map(|(index, line)| Some((index + 1, words(line)?)));
    let finding = |(line, word)| {
        source.finding(line, "open-mark", format!("`{word}`: do it, or write an issue"))
    };
    marked.map(finding).collect()
}

fn switched_off(source: &Source) -> Vec<Finding> {
    let patterns: [&[&str]; 2] = [&["#", "[", "allow"], &["#", "!", "[", "allow"]];
    let at = patterns.into_iter().flat_map(|pattern| find(&source.tokens, pattern));
    let advice = "write `#[expect(lint, reason = \"…\")]`, which ends with its cause";
    at.map(|at| source.finding(at[0].line(), "bare-allow", advice)).collect()
}

fn unwraps(source: &Source) -> Vec<Finding> {
    let at = find(&source.tokens, &[".", "unwrap", "(", ")"]).map(|at| at[0].line());
    let advice = "return an error, or `expect(\"why it cannot fail\")`";
    at.filter(|line| !source.is_test(*line))
        .map(|line| source.finding(line, "unwrap", advice))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        let findings = check(&Source::parse("engine/src/a.rs", text));
        findings.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn each_mark_is_found() {
        assert_eq!(rules(concat!("// TO", "DO: later")), ["open-mark"]);
        assert_eq!(rules(concat!("fn f() {} /* (FIX", "ME) */")), ["open-mark"]);
        assert_eq!(rules("#[allow(dead_code)] fn f() {}"), ["bare-allow"]);
        assert_eq!(rules("#![allow(dead_code)]"), ["bare-allow"]);
        assert_eq!(rules("fn f() { g!(a.unwrap()) }"), ["unwrap"]);
    }

    #[test]
    fn what_only_looks_alike_passes() {
        assert_eq!(rules(concat!("// XX", "XY, a_TO", "DO_b")), [] as [&str; 0]);
        assert_eq!(rules("#[expect(dead_code, reason = \"r\")] fn allow() {}"), [] as [&str; 0]);
        assert_eq!(rules("fn f() { a.unwrap_or(b); \".unwrap()\"; }"), [] as [&str; 0]);
        assert_eq!(rules("#[cfg(test)] mod tests { fn f() { a.unwrap(); } }"), [] as [&str; 0]);
    }
}
