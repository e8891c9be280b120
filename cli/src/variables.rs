//! What calls are given on the command line.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use voicegraph_engine::variables::{Declarations, Variables, told};

use crate::args;
use crate::pipeline::Refused;

/// The flags as variables of a pipeline that declares these; of one that is given twice the last
/// counts. What does not fit ends the command with exit code 78, and values are not repeated.
pub(crate) fn read(
    declarations: &Declarations,
    flags: &args::Variables,
) -> Result<Variables, Refused> {
    let mut given = BTreeMap::new();
    for flag in &flags.variable {
        let Some((name, text)) = flag.split_once('=') else {
            return Err(refused("write `--variable name=value`"));
        };
        let name = name.trim();
        let value = declarations.get(name).map_or_else(|| Json::from(text), |one| one.read(text));
        given.insert(name.to_owned(), value);
    }
    Variables::parse(declarations, &given).map_err(|refusals| refused(&told(&refusals)))
}

fn refused(what: &str) -> Refused {
    Refused(format!("voicegraph: the variables of the call: {what}\n"))
}
