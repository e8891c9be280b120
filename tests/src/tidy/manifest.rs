//! A member's manifest, and what each must say: versions and lints stand once, in the workspace.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Finding;

/// What the rules need to know of a manifest.
pub(super) struct Manifest {
    /// The member's folder.
    pub(super) member: String,
    path: String,
    pub(super) dependencies: Vec<Dependency>,
    inherits_lints: bool,
}

/// A line under `[dependencies]` or its like.
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) line: usize,
    inherited: bool,
}

impl Manifest {
    /// Parses `text`; a syntax error is a panic, since cargo has read it before.
    pub(super) fn parse(member: &str, path: &str, text: &str) -> Self {
        let table = DeTable::parse(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let table = table.get_ref();
        let mut dependencies = in_sections(table, text);
        for target in get(table, "target").iter().flat_map(|targets| targets.values()) {
            if let DeValue::Table(target) = target.get_ref() {
                dependencies.extend(in_sections(target, text));
            }
        }
        Self {
            member: member.to_owned(),
            path: path.to_owned(),
            dependencies,
            inherits_lints: get(table, "lints").is_some_and(inherits),
        }
    }

    /// A finding in this manifest.
    pub(super) fn finding(&self, line: usize, rule: &'static str, advice: String) -> Finding {
        Finding { file: self.path.clone(), line, rule, advice }
    }
}

/// Dependencies with a version of their own, and lints that are not the workspace's.
pub(super) fn check(manifest: &Manifest) -> Vec<Finding> {
    let own = manifest.dependencies.iter().filter(|dependency| !dependency.inherited);
    let finding = |dependency: &Dependency| {
        let name = &dependency.name;
        let advice = format!("put `{name}` into [workspace.dependencies], here `workspace = true`");
        manifest.finding(dependency.line, "workspace-version", advice)
    };
    let mut findings: Vec<_> = own.map(finding).collect();
    if !manifest.inherits_lints {
        let advice = "write `[lints]` with `workspace = true`".to_owned();
        findings.push(manifest.finding(1, "workspace-lints", advice));
    }
    findings
}

fn in_sections(table: &DeTable<'_>, text: &str) -> Vec<Dependency> {
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let entries = sections.iter().filter_map(|section| get(table, section)).flat_map(|t| t.iter());
    let dependency = |(name, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| Dependency {
        name: name.get_ref().to_string(),
        line: text[..name.span().start].matches('\n').count() + 1,
        inherited: matches!(value.get_ref(), DeValue::Table(table) if inherits(table)),
    };
    entries.map(dependency).collect()
}

fn get<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    match table.get(key)?.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn inherits(table: &DeTable<'_>) -> bool {
    table.get("workspace").is_some_and(|value| matches!(value.get_ref(), DeValue::Boolean(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Vec<(usize, &'static str)> {
        let findings = super::check(&Manifest::parse("nodes", "nodes/Cargo.toml", text));
        findings.iter().map(|finding| (finding.line, finding.rule)).collect()
    }

    #[test]
    fn own_versions_are_found_in_every_section() {
        let text = "[lints]\nworkspace = true\n[dependencies]\na = \"1\"\nb.workspace = true\n\
                    [dev-dependencies]\nc = { version = \"1\" }\n[target.'cfg(unix)'.dependencies]\n\
                    d.path = \"../d\"\n[build-dependencies]\ne = { workspace = true }";
        let rule = "workspace-version";
        assert_eq!(check(text), [(4, rule), (7, rule), (9, rule)]);
    }

    #[test]
    fn own_lints_are_found() {
        assert_eq!(check("[package]\nname = \"a\""), [(1, "workspace-lints")]);
        assert_eq!(check("[lints.rust]\nunsafe_code = \"allow\""), [(1, "workspace-lints")]);
    }
}
