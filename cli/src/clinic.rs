//! The clinic's pipeline and its demo, compiled into the binary: `demo` needs nothing beside it.

use std::io;

use include_dir::{Dir, include_dir};
use voicegraph_engine::config::Sources;
use voicegraph_simulators::{Files, Script, ScriptError};

static CLINIC: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../pipelines/clinic");

/// The clinic's graph for development: its providers are simulators unless the environment says
/// else.
pub(crate) fn sources() -> Sources {
    Sources::from_text(text("pipeline.toml"), Some(("dev", text("dev.toml"))))
}

/// What the providers and the caller do in the demo.
pub(crate) fn script() -> Result<Script, ScriptError> {
    Script::from_toml(text("demo/script.toml"), &Demo)
}

fn text(path: &str) -> &'static str {
    let file = CLINIC.get_file(path).and_then(|file| file.contents_utf8());
    file.expect("the clinic's files are compiled in")
}

struct Demo;

impl Files for Demo {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let file = CLINIC.get_file(format!("demo/{path}")).ok_or(io::ErrorKind::NotFound)?;
        Ok(file.contents().to_vec())
    }
}
