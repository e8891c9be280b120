//! The program of a livekit-server version, built from the Go module in `tests/livekit-server`.
//!
//! It is built once: the folder's name carries a hash of the module's files, and of several test
//! processes that want it at once one builds while the others wait.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace;

/// What says which sources are built.
const MODULE: [&str; 2] = ["go.mod", "go.sum"];

/// The folder of all versions, and of what running servers write.
pub(super) fn folder() -> PathBuf {
    workspace::target().join("livekit-server")
}

/// The program of `version`; `None` where there is no Go to build it with.
///
/// # Panics
/// Where it does not build; what Go says stands in the message.
pub(super) fn program(version: &str) -> Option<PathBuf> {
    let module = workspace::root().join("tests/livekit-server").join(version);
    let folder = folder().join(format!("{version}-{:016x}", fingerprint(&module)));
    let program = folder.join("livekit-server");
    if program.exists() {
        return Some(program);
    }
    Command::new("go").arg("version").output().ok()?;
    fs::create_dir_all(&folder).expect("target is writable");
    let lock = File::create(folder.join("lock")).expect("target is writable");
    lock.lock().expect("files can be locked");
    if !program.exists() {
        build(&module, &folder);
        fs::rename(folder.join("livekit-server.new"), &program).expect("it was built");
    }
    Some(program)
}

fn fingerprint(module: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in MODULE {
        let text = fs::read(module.join(file)).expect("the module is part of the repository");
        text.hash(&mut hasher);
    }
    hasher.finish()
}

fn build(module: &Path, folder: &Path) {
    for file in MODULE {
        fs::copy(module.join(file), folder.join(file)).expect("target is writable");
    }
    let build = Command::new("go")
        .args(["build", "-o", "livekit-server.new"])
        .arg("github.com/livekit/livekit-server/cmd/server")
        .current_dir(folder)
        .output()
        .expect("go was found");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
}
