//! The database that the arguments name.

use voicegraph_database::{Options, Settings, Tls};

use crate::args;
use crate::pipeline::Refused;

/// The checked settings. Mistakes end the command with exit code 78.
pub(crate) fn settings(arguments: &args::Database) -> anyhow::Result<Settings> {
    let tls = match arguments.tls {
        args::Tls::Required => Tls::Required,
        args::Tls::Optional => Tls::Optional,
    };
    let root_certificates = arguments.root_certificates.clone();
    let options = Options { root_certificates, tls, ..Options::new(&arguments.database_url) };
    let told = |problems: Vec<voicegraph_engine::node::Problem>| {
        let line = |it: voicegraph_engine::node::Problem| {
            let flag = if it.path == "url" { "--database-url" } else { "--tls" };
            let help = it.help.map(|help| format!("; {help}")).unwrap_or_default();
            format!("voicegraph: {flag}: {}{help}\n", it.message)
        };
        Refused(problems.into_iter().map(line).collect())
    };
    options.build().map_err(|problems| told(problems).into())
}
