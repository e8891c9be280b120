//! Where the workspace is, and the program that it builds.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The folder of the workspace's manifest.
pub fn root() -> PathBuf {
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.parent().expect("a member lies in the workspace's folder").to_path_buf()
}

/// The folder of the running program's build profile: `target/debug`. Cargo puts programs there,
/// and tests into `deps` within it.
fn profile() -> PathBuf {
    let program = std::env::current_exe().expect("a running program has a path");
    let folder = program.parent().expect("a program lies in a folder");
    let folder = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    folder.expect("deps lies in the profile's folder").to_path_buf()
}

/// The folder where builds and caches go: `target`.
pub fn target() -> PathBuf {
    profile().parent().expect("a profile's folder lies in the target's").to_path_buf()
}

/// Builds the `voicegraph` program, where it is not built yet, and says where it is. Cargo tells a
/// test the paths of its own package's programs only. Built with `--workspace`, it shares all
/// dependencies with the tests.
///
/// # Panics
/// Where it cannot be built: what the compiler says then stands above.
pub fn voicegraph() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(build);
    BUILT.clone()
}

/// Cargo, as a shell would start it. What the cargo that runs the tests has told them of their own
/// package would else reach build scripts that watch it, and each of the two would build anew what
/// the other has built.
pub fn cargo() -> Command {
    const TOLD: [&str; 4] = ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_"];
    let mut command = Command::new(env!("CARGO"));
    let is_told = |name: &str| TOLD.iter().any(|told| name.starts_with(told));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_told) {
            command.env_remove(name);
        }
    }
    command
}

/// The profile with which the running program was built: what is built with it, too, shares its
/// dependencies.
///
/// # Panics
/// Where the program does not lie where cargo puts it.
pub fn profile_name() -> String {
    let folder = profile();
    let name = folder.file_name().expect("a profile has a name").to_string_lossy();
    if name == "debug" { "dev".to_owned() } else { name.into_owned() }
}

fn build() -> PathBuf {
    let (folder, profile) = (profile(), profile_name());
    let built = cargo()
        .args(["build", "--quiet", "--locked", "--workspace", "--bin", "voicegraph"])
        .args(["--profile", &profile])
        .current_dir(root())
        .status()
        .expect("cargo can be started: it built this test");
    assert!(built.success(), "the program does not build");
    folder.join(format!("voicegraph{}", std::env::consts::EXE_SUFFIX))
}

/// Says that `suite` was skipped since `missing` is not there: on the terminal, past the capture of
/// passed tests, and in `target/skipped-suites`, which `.ci/test` reads and does not forgive.
///
/// # Panics
/// Where that file cannot be written.
pub fn skip(suite: &str, missing: &str) {
    let line = format!("skipped: {suite}: {missing}\n");
    let path = target().join("skipped-suites");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("target is writable");
    say(&line);
}

/// Writes `text` to the terminal, past the capture of passed tests.
pub fn say(text: &str) {
    io::stderr().write_all(text.as_bytes()).expect("stderr is writable");
}
