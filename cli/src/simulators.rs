//! The script of the simulators in this process, and the connector that reaches them.

use std::path::Path;

use anyhow::Context;
use voicegraph_engine::connect::{Connector, Roots};
use voicegraph_simulators::{Folder, Script, Simulators};

use crate::args;
use crate::clinic;

/// The script that the arguments name, or the clinic's demo.
pub(crate) fn script(arguments: &args::Script) -> anyhow::Result<Script> {
    let Some(path) = &arguments.script else {
        return clinic::script().context("the clinic's demo");
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the script {}", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    Script::from_toml(&text, &Folder(folder.to_owned())).with_context(|| path.display().to_string())
}

/// A connector to the network, and to simulators in this process at `sim://` addresses.
pub(crate) fn connector(script: Script) -> Connector {
    Connector::new(&Roots::default()).with_simulators(Simulators::new(script).in_process())
}
