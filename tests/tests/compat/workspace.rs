//! A throw-away workspace, in which the package of `livekit` is the member: it is where cargo has
//! put it, and only a link leads there. What this workspace patches and locks holds there too, so
//! that the tests run what we build with, and most of it is compiled already.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use expect_test::expect_file;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;
use voicegraph_tests::workspace::{self, root, target};

use crate::suite::Suite;

/// How long the tests may take to compile where nothing is compiled yet.
const BUILD_LIMIT: Duration = Duration::from_secs(900);

/// What the tests need of the crate: a transport, and what makes them run at all.
const FEATURES: &str = "native,rustls-tls-webpki-roots,__lk-e2e-test";

/// Builds the tests, one suite for each file.
///
/// # Panics
/// Where they do not compile; what cargo says stands in the message.
pub(crate) async fn build() -> Vec<Suite> {
    let folder = target().join("livekit-e2e");
    fs::create_dir_all(&folder).expect("target is writable");
    let package = package().await;
    lay_out(&folder, &package);
    let target = target();
    let target = target.to_str().expect("cargo's paths are text");
    let build = ["test", "--no-run", "--package", "livekit", "--features", FEATURES];
    let profile = workspace::profile_name();
    let form = ["--test", "*", "--message-format", "json", "--target-dir", target];
    let output = cargo(&folder, &[&build[..], &form, &["--profile", &profile]].concat()).await;
    check_lock(&folder);
    let mut suites = suites(&output, &package, &folder);
    suites.sort_by(|a, b| a.name.cmp(&b.name));
    suites
}

/// The folder of the package that this workspace builds with.
async fn package() -> PathBuf {
    let output = cargo(&root(), &["metadata", "--format-version", "1", "--locked"]).await;
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let package = packages.iter().find(|it| it["name"] == "livekit").expect("we depend on it");
    let manifest = package["manifest_path"].as_str().expect("a path is text");
    Path::new(manifest).parent().expect("a manifest lies in a folder").to_owned()
}

fn lay_out(folder: &Path, package: &Path) {
    let link = folder.join("livekit");
    let _ = fs::remove_file(&link);
    symlink(package, link).expect("target is writable");
    fs::write(folder.join("Cargo.toml"), manifest()).expect("target is writable");
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("it is locked");
    let known: BTreeSet<_> = entries(&lock).map(name).collect();
    let pinned = pinned();
    let more = entries(&pinned).filter(|entry| !known.contains(name(entry)));
    let lock = more.fold(lock.clone(), |lock, entry| lock + "\n" + HEAD + entry + "\n");
    fs::write(folder.join("Cargo.lock"), lock).expect("target is writable");
}

/// The manifest of a workspace like this one, but for its members.
fn manifest() -> String {
    let ours = fs::read_to_string(root().join("Cargo.toml")).expect("it is a workspace");
    let mut ours: toml::Table = ours.parse().expect("cargo has read it");
    let resolver = &ours["workspace"]["resolver"];
    let workspace = format!("workspace = {{ members = [\"livekit\"], resolver = {resolver} }}");
    let mut manifest: toml::Table = workspace.parse().expect("it is TOML");
    for key in ["patch", "profile"] {
        let table = ours.remove(key).expect("the workspace has one");
        manifest.insert(key.to_owned(), table);
    }
    let path = &mut manifest["patch"]["crates-io"]["libwebrtc"]["path"];
    let absolute = root().join(path.as_str().expect("a path is text"));
    *path = absolute.to_str().expect("cargo's paths are text").into();
    manifest.to_string()
}

/// What an entry of a lock file begins with.
const HEAD: &str = "[[package]]\n";

/// The entries of a lock file.
fn entries(lock: &str) -> impl Iterator<Item = &str> {
    lock.split(HEAD).skip(1).map(str::trim_end)
}

/// An entry's first two lines, name and version.
fn name(entry: &str) -> &str {
    let end = entry.match_indices('\n').nth(1).map_or(entry.len(), |(end, _)| end);
    &entry[..end]
}

/// The packages that only livekit's tests need.
fn pinned() -> String {
    let path = root().join("tests/livekit-e2e/extra.lock");
    fs::read_to_string(path).expect("it is part of the repository")
}

/// Sees to it that cargo took no version that is not written down: `UPDATE_EXPECT=1` writes them.
fn check_lock(folder: &Path) {
    let ours = fs::read_to_string(root().join("Cargo.lock")).expect("it is locked");
    let ours: BTreeSet<_> = entries(&ours).map(name).collect();
    let lock = fs::read_to_string(folder.join("Cargo.lock")).expect("cargo has written it");
    let is_ours = |entry: &&str| ours.contains(name(entry)) || !entry.contains("source = ");
    let more: Vec<_> = entries(&lock).filter(|entry| !is_ours(entry)).collect();
    let pinned = pinned();
    let pinned: BTreeSet<_> = entries(&pinned).map(name).collect();
    if more.iter().any(|entry| !pinned.contains(name(entry))) {
        let text: String = more.iter().map(|entry| format!("{HEAD}{entry}\n\n")).collect();
        expect_file!["../../livekit-e2e/extra.lock"].assert_eq(text.trim_end());
    }
}

/// The programs that cargo says it has built.
fn suites(output: &Output, package: &Path, folder: &Path) -> Vec<Suite> {
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let suite = |message: Value| {
        let is_test = message["target"]["kind"] == serde_json::json!(["test"]);
        let program = message["executable"].as_str().filter(|_| is_test)?;
        let name = message["target"]["name"].as_str()?.to_owned();
        let log = folder.join(format!("{name}.log"));
        Some(Suite { name, program: program.into(), folder: package.to_owned(), log })
    };
    messages.filter_map(suite).collect()
}

async fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::from(workspace::cargo());
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(BUILD_LIMIT, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{arguments:?} took longer than a build may"));
    let output = output.expect("cargo can be started: it built this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}
