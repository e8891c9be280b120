//! The full paths that a file names: each import, and each use resolved through the file's imports,
//! so that `use std::time; … time::Instant::now()` is seen for what it is.

use std::collections::BTreeMap;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{ItemUse, UseTree};

use super::source::Source;
use super::tokens::{Kind, Token};

/// A path and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// `std::time::Instant::now`; a macro ends with `!`.
    pub(super) path: String,
    pub(super) line: usize,
}

/// The paths that `source` names outside test code, each line's once.
pub(super) fn named(source: &Source) -> Vec<Named> {
    let mut imports = Imports { known: BTreeMap::new(), named: Vec::new(), source };
    imports.visit_file(&source.file);
    let Imports { known, mut named, .. } = imports;
    for (words, line) in rows(&source.tokens) {
        let path = resolve(&words, &known);
        named.push(Named { path: from_crate(path, source), line });
    }
    named.retain(|named| !source.is_test(named.line));
    named.sort_by(|a, b| (a.line, &a.path).cmp(&(b.line, &b.path)));
    named.dedup();
    named
}

/// Each row of words joined by `::`, with its line. A word behind a dot is a method or a field.
fn rows(tokens: &[Token]) -> Vec<(Vec<String>, usize)> {
    let mut rows = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = tokens[at].kind == Kind::Word;
        if !begins || (at > 0 && tokens[at - 1].is(".")) {
            at += 1;
            continue;
        }
        let line = tokens[at].line();
        let mut words = vec![tokens[at].text.clone()];
        while let [colon, second, word, ..] = &tokens[at + 1..]
            && colon.is(":")
            && second.is(":")
            && word.kind == Kind::Word
        {
            words.push(word.text.clone());
            at += 3;
        }
        at += 1;
        if let [sign, open, ..] = &tokens[at..]
            && sign.is("!")
            && ["(", "[", "{"].iter().any(|bracket| open.is(bracket))
        {
            words.last_mut().expect("it has a first word").push('!');
        }
        rows.push((words, line));
    }
    rows
}

/// The words with the first replaced by what was imported under its name.
fn resolve(words: &[String], known: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let first = words[0].trim_end_matches('!');
    match known.get(first) {
        Some(full) if words.len() == 1 && words[0].ends_with('!') => {
            vec![format!("{}!", full.join("::"))]
        }
        Some(full) => full.iter().chain(&words[1..]).cloned().collect(),
        None => words.to_vec(),
    }
}

/// The path with a leading `self` or `super` written from `crate`.
fn from_crate(words: Vec<String>, source: &Source) -> String {
    let climbs = words.iter().take_while(|word| *word == "super").count();
    let module = source.module();
    let base = match words[0].as_str() {
        "super" => module.get(..module.len().saturating_sub(climbs)),
        "self" => Some(&module[..]),
        _ => return words.join("::"),
    };
    let base = base.unwrap_or_default().iter().map(|part| (*part).to_owned());
    let rest = words.into_iter().skip_while(|word| word == "super" || word == "self");
    std::iter::once("crate".to_owned()).chain(base).chain(rest).collect::<Vec<_>>().join("::")
}

/// Gathers what is imported, under which name.
struct Imports<'a> {
    known: BTreeMap<String, Vec<String>>,
    named: Vec<Named>,
    source: &'a Source,
}

impl Imports<'_> {
    fn walk(&mut self, tree: &UseTree, before: &[String]) {
        match tree {
            UseTree::Path(path) => {
                self.walk(&path.tree, &[before, &[path.ident.to_string()]].concat());
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.walk(tree, before)),
            UseTree::Name(name) => self.note(before, &name.ident, &name.ident),
            UseTree::Rename(name) => self.note(before, &name.ident, &name.rename),
            UseTree::Glob(glob) => self.name(before.to_vec(), glob.span().start().line),
        }
    }

    fn note(&mut self, before: &[String], ident: &syn::Ident, name: &syn::Ident) {
        let mut path = before.to_vec();
        if ident != "self" {
            path.push(ident.to_string());
        }
        let line = ident.span().start().line;
        if !self.source.is_test(line) && path.len() > 1 {
            let known = if ident == "self" { path.last().cloned() } else { Some(name.to_string()) };
            self.known.insert(known.unwrap_or_default(), path.clone());
        }
        self.name(path, line);
    }

    fn name(&mut self, path: Vec<String>, line: usize) {
        if !path.is_empty() {
            self.named.push(Named { path: from_crate(path, self.source), line });
        }
    }
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.walk(&item.tree, &[]);
        visit::visit_item_use(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let named = named(&Source::parse("engine/src/edge/queue.rs", text));
        let paths: Vec<_> = named.iter().map(|named| named.path.as_str()).collect();
        assert!(paths.contains(&expected), "{expected} is not in {paths:?}");
    }

    #[test]
    fn imports_are_spelt_out() {
        check("use std::time::{Duration, Instant};", "std::time::Instant");
        check("use std::{time::Instant as Clock};", "std::time::Instant");
        check("use crate::graph::*;", "crate::graph");
    }

    #[test]
    fn uses_go_through_imports() {
        check("use std::time; fn f() { time::Instant::now(); }", "std::time::Instant::now");
        check("use std::time::{self}; fn f() { time::Instant::now(); }", "std::time::Instant::now");
        check("use std::time::Instant as C; fn f() { C::now(); }", "std::time::Instant::now");
        check("fn f() { g!(tokio::spawn(a)); }", "tokio::spawn");
        check("use tokio::select; fn f() { select! { } }", "tokio::select!");
    }

    #[test]
    fn relative_paths_begin_at_the_crate() {
        check("use super::super::graph::Graph;", "crate::graph::Graph");
        check("fn f() { super::meter::a(); }", "crate::edge::meter::a");
    }

    #[test]
    fn methods_and_test_code_are_no_paths() {
        let text = "fn f() { a.spawn(); }\n#[cfg(test)]\nmod tests { use std::thread; }";
        let named = named(&Source::parse("engine/src/a.rs", text));
        assert!(named.iter().all(|named| !named.path.contains("spawn")));
        assert!(named.iter().all(|named| !named.path.contains("thread")));
    }
}
