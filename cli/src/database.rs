//! The database that the arguments name.

use voicegraph_database::{Options, Settings};

use crate::args;
use crate::pipeline::Refused;

/// The checked settings. Mistakes end the command with exit code 78.
pub(crate) fn settings(arguments: &args::Database) -> anyhow::Result<Settings> {
    let root_certificates = arguments.root_certificates.clone();
    let options = Options { root_certificates, ..Options::new(&arguments.database_url) };
    let told = |problems: Vec<voicegraph_engine::node::Problem>| {
        let line = |it: voicegraph_engine::node::Problem| {
            let help = it.help.map(|help| format!("; {help}")).unwrap_or_default();
            format!("voicegraph: --database-url: {}{help}\n", it.message)
        };
        Refused(problems.into_iter().map(line).collect())
    };
    options
        .build(arguments.env.as_deref().unwrap_or_default())
        .map_err(|problems| told(problems).into())
}
