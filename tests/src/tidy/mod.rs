//! The rules of the house that a compiler does not know, held against the sources and the
//! manifests.
//!
//! In come the files of the workspace ([`Tree`]), out go findings, each with its place, its rule
//! and what to do. A rule is one function in one file, pure, and tested there with text that breaks
//! it.
//!
//! ```text
//!  manifests ──► arrows (who may depend on whom) · manifest (versions and lints stand once)
//!  sources ──► tokens, paths ──► bans · layers · select · marks · size · front (lib.rs, mod.rs)
//! ```

mod arrows;
mod bans;
mod front;
mod functions;
mod layers;
mod manifest;
mod marks;
mod paths;
mod select;
mod size;
mod source;
mod tokens;
mod tree;

use std::fmt;
use std::path::Path;

use manifest::Manifest;
use source::Source;
pub use tree::Tree;

/// A rule that looks at one source file.
type SourceRule = fn(&Source) -> Vec<Finding>;

/// A rule that looks at one member's manifest.
type ManifestRule = fn(&Manifest) -> Vec<Finding>;

const SOURCE_RULES: &[SourceRule] = &[
    layers::check,
    size::check_file,
    size::check_functions,
    size::check_lines,
    select::check,
    bans::check,
    marks::check,
    front::check_head,
    front::check_logic,
];

const MANIFEST_RULES: &[ManifestRule] = &[arrows::check, manifest::check];

/// A place where a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, from the workspace's folder.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The rule's name.
    pub rule: &'static str,
    /// What to do about it.
    pub advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.rule, self.advice)
    }
}

/// All that breaks a rule in the workspace at `root`, in order of file and line.
///
/// # Panics
/// Where the workspace cannot be read or a file is no Rust.
pub fn check(root: &Path) -> Vec<Finding> {
    let tree = Tree::read(root);
    let sources =
        tree.sources.iter().flat_map(|source| SOURCE_RULES.iter().map(|rule| rule(source)));
    let manifests =
        tree.manifests.iter().flat_map(|manifest| MANIFEST_RULES.iter().map(|rule| rule(manifest)));
    let mut findings: Vec<Finding> = sources.chain(manifests).flatten().collect();
    findings.extend(size::check_exceptions(&tree.sources));
    findings.sort();
    findings
}
