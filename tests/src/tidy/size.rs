//! Sizes that fit one look: files, functions, lines.

use super::Finding;
use super::functions::functions;
use super::source::Source;
use super::tokens::Kind;

/// A file longer than this holds more than one idea. Most should have about 150 lines.
const FILE_LINES: usize = 500;

/// A function longer than this is not read in one look. Most should have about 8 lines.
const FUNCTION_LINES: usize = 70;

/// What stands beside a diff without wrapping.
const COLUMNS: usize = 100;

/// Files that may be longer, each with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Files outside tests that are too long.
pub(super) fn check_file(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().count();
    let excused = LONG_FILES.iter().any(|(path, _)| *path == source.path);
    if lines <= FILE_LINES || source.all_test || excused {
        return Vec::new();
    }
    let advice = format!("{lines} lines; split it by idea to at most {FILE_LINES}");
    vec![source.finding(FILE_LINES + 1, "file-size", advice)]
}

/// Exceptions that nothing needs any more.
pub(super) fn check_exceptions(sources: &[Source]) -> Vec<Finding> {
    let needed = |path: &str| {
        let file = sources.iter().find(|source| source.path == path);
        file.is_some_and(|source| source.text.lines().count() > FILE_LINES)
    };
    let stale = LONG_FILES.iter().filter(|(path, _)| !needed(path));
    let finding = |(path, _): &(&str, &str)| Finding {
        file: (*path).to_owned(),
        line: 1,
        rule: "file-size",
        advice: "is short or gone: take it out of LONG_FILES".to_owned(),
    };
    stale.map(finding).collect()
}

/// Functions that are too long, tests included.
pub(super) fn check_functions(source: &Source) -> Vec<Finding> {
    let long = functions(source).into_iter().filter(|function| function.lines > FUNCTION_LINES);
    let finding = |function: super::functions::Function| {
        let (name, lines) = (function.name, function.lines);
        let advice = format!("`{name}` has {lines} lines; split it to at most {FUNCTION_LINES}");
        source.finding(function.line, "function-size", advice)
    };
    long.map(finding).collect()
}

/// Lines that are too wide. Literals and addresses do not break.
pub(super) fn check_lines(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let wide = lines.filter(|(_, line)| line.chars().count() > COLUMNS);
    let may_break =
        wide.filter(|(number, line)| !line.contains("://") && !is_literal(source, *number));
    let finding = |(number, line): (usize, &str)| {
        let advice = format!("{} columns; break it at {COLUMNS}", line.chars().count());
        source.finding(number, "line-width", advice)
    };
    may_break.map(finding).collect()
}

/// Whether a literal reaches over the last column of `line`. Doc comments are literals to the
/// parser, and break all the same.
fn is_literal(source: &Source, line: usize) -> bool {
    let tokens = &source.tokens;
    let is_doc = |at: usize| at > 1 && tokens[at - 2].is("doc") && tokens[at - 1].is("=");
    let literals = tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Literal);
    literals.filter(|(at, _)| !is_doc(*at)).any(|(_, token)| {
        let reaches = token.last_line() > line || token.end_column() > COLUMNS;
        token.line() <= line && line <= token.last_line() && reaches
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::parse("engine/src/a.rs", text)
    }

    #[test]
    fn long_files_are_found_outside_tests() {
        let text = "// one\n".repeat(FILE_LINES + 1);
        assert_eq!(check_file(&source(&text)).len(), 1);
        assert_eq!(check_file(&source(&text[7..])), []);
        assert_eq!(check_file(&Source::parse("engine/src/edge/tests.rs", &text)), []);
    }

    #[test]
    fn long_functions_are_found_in_tests_too() {
        let body = |lines: usize| format!("fn f() {{\n{}}}", "a();\n".repeat(lines));
        let in_test = format!("#[cfg(test)]\nmod tests {{\n{}}}", body(FUNCTION_LINES));
        assert_eq!(check_functions(&source(&body(FUNCTION_LINES - 2))), []);
        assert_eq!(check_functions(&source(&body(FUNCTION_LINES - 1)))[0].line, 1);
        assert_eq!(check_functions(&source(&in_test))[0].line, 3);
    }

    #[test]
    fn wide_comments_and_code_are_found() {
        let wide = "x".repeat(COLUMNS);
        for text in
            [format!("// {wide}"), format!("/// {wide}\nfn f() {{}}"), format!("fn {wide}() {{}}")]
        {
            assert_eq!(check_lines(&source(&text)).len(), 1, "{text}");
        }
        assert_eq!(check_lines(&source(&format!("// {}", &wide[3..]))), []);
    }

    #[test]
    fn literals_and_addresses_may_be_wide() {
        let wide = "x".repeat(COLUMNS);
        for text in [format!("fn f() {{ g(\"{wide}\"); }}"), format!("// https://{wide}")] {
            assert_eq!(check_lines(&source(&text)), [], "{text}");
        }
        let rows = format!("fn f() {{ let a = \"\n{wide}x\n\"; }}");
        assert_eq!(check_lines(&source(&rows)), []);
    }
}
