//! One Rust file: its text, its syntax, its tokens, and which of its lines are test code.

use std::ops::RangeInclusive;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemFn, ItemMod};

use super::Finding;
use super::tokens::{Token, flatten};

/// A parsed file.
pub(super) struct Source {
    /// From the workspace's folder: `engine/src/edge/queue.rs`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) file: syn::File,
    pub(super) tokens: Vec<Token>,
    /// The whole file is test code.
    pub(super) all_test: bool,
    test_lines: Vec<RangeInclusive<usize>>,
}

impl Source {
    /// Parses `text`; a syntax error is a panic, since the file has been compiled before.
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let stream = text.parse().expect("what parses as a file is tokens");
        let mut tests = Tests::default();
        tests.visit_file(&file);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            file,
            tokens: flatten(stream),
            all_test: is_test_file(path),
            test_lines: tests.lines,
        }
    }

    /// The file's name.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether `line` is compiled for tests only.
    pub(super) fn is_test(&self, line: usize) -> bool {
        self.all_test || self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    /// The module's path below the crate: `["edge", "queue"]` for `engine/src/edge/queue.rs`.
    pub(super) fn module(&self) -> Vec<&str> {
        let below = self.path.split_once("/src/").map_or("", |(_, below)| below);
        let mut parts: Vec<_> = below.trim_end_matches(".rs").split('/').collect();
        if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
            parts.pop();
        }
        parts
    }

    /// The modules that this file declares under `#[cfg(test)]` in files of their own, as paths
    /// without `.rs`.
    pub(super) fn test_modules(&self) -> Vec<String> {
        let folder = match self.name() {
            "mod.rs" | "lib.rs" | "main.rs" => self.path.trim_end_matches(self.name()).to_owned(),
            _ => format!("{}/", self.path.trim_end_matches(".rs")),
        };
        let test_module = |item: &Item| match item {
            Item::Mod(module) if module.content.is_none() && is_test(&module.attrs) => {
                Some(format!("{folder}{}", module.ident))
            }
            _ => None,
        };
        self.file.items.iter().filter_map(test_module).collect()
    }

    /// A finding in this file.
    pub(super) fn finding(
        &self,
        line: usize,
        rule: &'static str,
        advice: impl Into<String>,
    ) -> Finding {
        Finding { file: self.path.clone(), line, rule, advice: advice.into() }
    }
}

/// Whether a whole file is test code by its place.
fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/") || path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// Gathers the lines of test code.
#[derive(Default)]
struct Tests {
    lines: Vec<RangeInclusive<usize>>,
}

impl Tests {
    fn note(&mut self, attrs: &[Attribute], item: &impl Spanned) {
        if is_test(attrs) {
            let span = item.span();
            self.lines.push(span.start().line..=span.end().line);
        }
    }
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.note(&item.attrs, item);
        visit::visit_item_mod(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.note(&item.attrs, item);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note(&item.attrs, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.note(&item.attrs, item);
        visit::visit_item_impl(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.attrs, item);
        visit::visit_impl_item_fn(self, item);
    }
}

/// Whether an attribute says `#[cfg(test)]`, `#[test]` or `#[tokio::test]`.
fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let named_test = attr.path().segments.last().is_some_and(|last| last.ident == "test");
        let list = attr.meta.require_list();
        let cfg_test =
            attr.path().is_ident("cfg") && list.is_ok_and(|list| list.tokens.to_string() == "test");
        named_test || cfg_test
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_code_is_told_by_attribute_and_place() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\n#[tokio::test(x = 1)]\n\
                    async fn c() {}\n#[cfg(any(test, feature = \"testing\"))]\nmod testing {}";
        let source = Source::parse("engine/src/a.rs", text);
        let lines: Vec<usize> = (1..=9).filter(|&line| source.is_test(line)).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7]);
        assert!(Source::parse("engine/src/edge/tests.rs", "").is_test(1));
        assert!(Source::parse("tests/src/lib.rs", "").is_test(1));
    }

    #[test]
    fn modules_behind_cfg_test_are_named() {
        let text = "#[cfg(test)]\nmod frames;\nmod wire;\n#[cfg(test)]\nmod inline {}";
        let of = |path| Source::parse(path, text).test_modules();
        assert_eq!(of("nodes/src/mic/mod.rs"), ["nodes/src/mic/frames"]);
        assert_eq!(of("nodes/src/mic.rs"), ["nodes/src/mic/frames"]);
    }

    #[test]
    fn a_file_knows_its_module() {
        let module = |path| Source::parse(path, "").module().join("::");
        assert_eq!(module("engine/src/edge/queue.rs"), "edge::queue");
        assert_eq!(module("engine/src/edge/mod.rs"), "edge");
        assert_eq!(module("engine/src/lib.rs"), "");
    }
}
