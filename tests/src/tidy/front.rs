//! The front of a module: a `//!` that says what it is for, and a `lib.rs` or `mod.rs` that shows
//! the way instead of doing the work.

use syn::AttrStyle;

use super::Finding;
use super::functions::functions;
use super::source::Source;

/// In `lib.rs` and `mod.rs` a function longer than this is logic that has no file of its own. Small
/// types with their constructors may stand there.
const FRONT_FUNCTION_LINES: usize = 30;

/// The file, if it does not begin with a module comment. A `tests.rs` is about the module beside
/// it.
pub(super) fn check_head(source: &Source) -> Vec<Finding> {
    let inner = |attr: &syn::Attribute| matches!(attr.style, AttrStyle::Inner(_));
    if source.file.attrs.iter().any(|attr| inner(attr) && attr.path().is_ident("doc"))
        || source.name() == "tests.rs"
    {
        return Vec::new();
    }
    let advice =
        "begin with `//!`: what it is for, what comes in and out, what it leaves to others";
    vec![source.finding(1, "module-comment", advice)]
}

/// Functions of a `lib.rs` or `mod.rs` that belong into a file with their name.
pub(super) fn check_logic(source: &Source) -> Vec<Finding> {
    if !matches!(source.name(), "lib.rs" | "mod.rs") {
        return Vec::new();
    }
    let logic = functions(source)
        .into_iter()
        .filter(|function| function.lines > FRONT_FUNCTION_LINES && !source.is_test(function.line));
    let finding = |function: super::functions::Function| {
        let advice = format!(
            "`{}` has {} lines: move it to a file named for what it does",
            function.name, function.lines
        );
        source.finding(function.line, "front", advice)
    };
    logic.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_module_comment_is_found() {
        let found = |text| check_head(&Source::parse("engine/src/a.rs", text)).len();
        assert_eq!(found("/// Not the module's.\nfn f() {}"), 1);
        assert_eq!(found("#![forbid(unsafe_code)]\nfn f() {}"), 1);
        assert_eq!(found("//! The module's.\nfn f() {}"), 0);
        assert_eq!(check_head(&Source::parse("engine/src/edge/tests.rs", "fn f() {}")), []);
    }

    #[test]
    fn logic_in_front_files_is_found() {
        let text = |lines: usize| format!("fn f() {{\n{}}}", "a();\n".repeat(lines));
        let found = |path, lines| check_logic(&Source::parse(path, &text(lines))).len();
        assert_eq!(found("engine/src/edge/mod.rs", FRONT_FUNCTION_LINES - 1), 1);
        assert_eq!(found("engine/src/lib.rs", FRONT_FUNCTION_LINES - 1), 1);
        assert_eq!(found("engine/src/edge/mod.rs", FRONT_FUNCTION_LINES - 2), 0);
        assert_eq!(found("engine/src/edge/queue.rs", FRONT_FUNCTION_LINES), 0);
    }
}
