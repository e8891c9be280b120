//! The files of the workspace, read and parsed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use super::source::Source;

/// The members' manifests and sources.
pub struct Tree {
    pub(super) manifests: Vec<Manifest>,
    pub(super) sources: Vec<Source>,
}

/// Folders of a member that hold no source of it: builds, and the fuzz targets, a workspace of
/// their own.
const SKIPPED: &[&str] = &["target", "fuzz", "sdk"];

impl Tree {
    /// Reads the members that the manifest in `root` names.
    pub(super) fn read(root: &Path) -> Self {
        let workspace: toml::Table =
            read(&root.join("Cargo.toml")).parse().expect("cargo has read the manifest");
        let members = workspace["workspace"]["members"].as_array().expect("members are a list");
        let mut tree = Self { manifests: Vec::new(), sources: Vec::new() };
        for member in members.iter().filter_map(toml::Value::as_str) {
            let path = format!("{member}/Cargo.toml");
            tree.manifests.push(Manifest::parse(member, &path, &read(&root.join(&path))));
            for file in rust_files(&root.join(member)) {
                let path = file.strip_prefix(root).expect("the file was found below the root");
                tree.sources.push(Source::parse(&name(path), &read(&file)));
            }
        }
        tree.tell_tests();
        tree
    }

    /// Tells the files behind `#[cfg(test)] mod …;` that they are test code.
    fn tell_tests(&mut self) {
        let modules: BTreeSet<String> =
            self.sources.iter().flat_map(Source::test_modules).collect();
        for source in &mut self.sources {
            let of_module = |module: &String| {
                source.path == format!("{module}.rs")
                    || source.path.starts_with(&format!("{module}/"))
            };
            if modules.iter().any(of_module) {
                source.all_test = true;
            }
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a member's folder is readable");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let skipped = SKIPPED.iter().any(|skipped| path.ends_with(skipped));
            files.extend(if skipped { Vec::new() } else { rust_files(&path) });
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The path with `/` on every system.
fn name(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_read_with_its_test_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\nmembers = [\"nodes\"]");
        write("nodes/Cargo.toml", "[dependencies]\na = \"1\"");
        write("nodes/src/lib.rs", "mod a;\n#[cfg(test)]\nmod frames;");
        write("nodes/src/a.rs", "//! A.\nfn f() { a.unwrap(); }");
        write("nodes/src/frames.rs", "//! Frames.\nfn f() { a.unwrap(); }");
        write("nodes/target/built.rs", "not Rust at all");
        let findings = crate::tidy::check(folder.path());
        let found: Vec<_> = findings.iter().map(|it| (it.file.as_str(), it.rule)).collect();
        let expected = [
            ("nodes/Cargo.toml", "workspace-lints"),
            ("nodes/Cargo.toml", "workspace-version"),
            ("nodes/src/a.rs", "unwrap"),
            ("nodes/src/lib.rs", "module-comment"),
        ];
        assert_eq!(found, expected);
    }
}
