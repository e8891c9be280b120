//! The functions of a file with their lengths.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, Signature, TraitItemFn};

use super::source::Source;

/// A function with a body.
pub(super) struct Function {
    pub(super) name: String,
    /// The line of its signature.
    pub(super) line: usize,
    /// From the signature to the closing brace, both counted.
    pub(super) lines: usize,
}

/// All functions of `source`, methods and nested ones too.
pub(super) fn functions(source: &Source) -> Vec<Function> {
    let mut found = Functions(Vec::new());
    found.visit_file(&source.file);
    found.0
}

struct Functions(Vec<Function>);

impl Functions {
    fn note(&mut self, signature: &Signature, body: &Block) {
        let line = signature.span().start().line;
        let lines = body.span().end().line - line + 1;
        self.0.push(Function { name: signature.ident.to_string(), line, lines });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(body) = &item.default {
            self.note(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_is_measured_without_its_comments_above() {
        let text = "/// One.\nfn one() {\n}\ntrait T {\n fn two() { fn three() {} }\n fn four();\n}\n\
                    impl A {\n fn five(\n  a: u8,\n ) {\n }\n}";
        let functions = functions(&Source::parse("engine/src/a.rs", text));
        let found: Vec<_> = functions.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(found, [("one", 2, 2), ("two", 5, 1), ("three", 5, 1), ("five", 9, 4)]);
    }
}
