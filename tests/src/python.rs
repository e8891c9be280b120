//! A Python with official SDKs in it, made once and kept under `target`: those of the providers for
//! `tests/sdk`, LiveKit's for callers (`tests/peer`) and for agents (`tests/agent-sdk`).

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::workspace;

/// How long making the environment may take: a download of some 60 MB.
const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// The folder of the requirements and the checks.
pub fn folder() -> PathBuf {
    workspace::root().join("tests/sdk")
}

/// The interpreter of the environment for `tests/sdk`; `None` where there is no Python that can
/// make one.
///
/// # Panics
/// Where the requirements cannot be installed.
pub async fn with_sdks() -> Option<PathBuf> {
    environment(&folder()).await
}

/// The interpreter of an environment with the requirements that `folder` lists, each by its hash;
/// `None` where there is no Python that can make one. A change of the requirements makes a new
/// environment. Of several tests that want it at once, one makes it.
///
/// # Panics
/// Where they cannot be installed.
pub async fn environment(folder: &Path) -> Option<PathBuf> {
    let requirements = folder.join("requirements.txt");
    let name = folder.file_name().expect("a folder has a name").to_string_lossy();
    let place = workspace::target().join(format!("{name}-{:016x}", hash(&requirements)));
    let python = place.join("bin/python");
    let complete = place.join("complete");
    if complete.exists() {
        return Some(python);
    }
    if !can_make_environments().await {
        return None;
    }
    static MAKING: Mutex<()> = Mutex::const_new(());
    let _of_this_process = MAKING.lock().await;
    let lock = fs::File::create(place.with_extension("lock")).expect("target is writable");
    lock.lock().expect("files can be locked");
    if !complete.exists() {
        install(&place, &python, &requirements).await;
        fs::write(&complete, "").expect("target is writable");
    }
    Some(python)
}

async fn install(place: &Path, python: &Path, requirements: &Path) {
    let place = place.to_str().expect("cargo's paths are text");
    let list = requirements.to_str().expect("cargo's paths are text");
    succeed(Path::new("python3"), &["-m", "venv", "--clear", place]).await;
    let quiet =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"];
    succeed(python, &[&quiet[..], &["--requirement", list]].concat()).await;
}

/// Runs `python` with `arguments` in the folder of the checks to its end, within `limit`.
///
/// # Panics
/// Where it cannot be started or takes longer; it is killed then.
pub async fn run(python: &Path, arguments: &[&str], limit: Duration) -> Output {
    let mut command = Command::new(python);
    command.args(arguments).current_dir(folder()).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = timeout(limit, command.kill_on_drop(true).output()).await;
    let output = output.unwrap_or_else(|_| panic!("{arguments:?} took longer than {limit:?}"));
    output.unwrap_or_else(|error| panic!("{}: {error}", python.display()))
}

async fn can_make_environments() -> bool {
    let check = ["-c", "import ensurepip, venv"];
    let output = Command::new("python3").args(check).kill_on_drop(true).output().await;
    output.is_ok_and(|output| output.status.success())
}

async fn succeed(python: &Path, arguments: &[&str]) {
    let output = run(python, arguments, INSTALL_LIMIT).await;
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaint}");
}

fn hash(path: &Path) -> u64 {
    let text = fs::read_to_string(path).expect("the requirements are part of the repository");
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
