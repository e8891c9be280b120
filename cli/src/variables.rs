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

#[cfg(test)]
mod tests {
    use voicegraph_engine::variables::{DEFAULT_LENGTH, Declaration, Value, VariableType};

    use super::*;

    fn check(flags: &[&str]) -> Result<Variables, String> {
        let declaration = |name: &str, kind, default| Declaration {
            name: name.into(),
            kind,
            default,
            description: None,
            max_length: DEFAULT_LENGTH,
            attribute: None,
        };
        let declarations = Declarations::for_test([
            declaration("name", VariableType::String, Some(Value::Text("nobody".into()))),
            declaration("visits", VariableType::Integer, None),
        ]);
        let variable = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let read = read(&declarations, &args::Variables { variable });
        read.map_err(|refused| refused.0)
    }

    #[test]
    fn flags_are_read_by_their_declarations() {
        let variables = check(&["visits=3", "name=a=b", " visits =4"]).expect("they fit");
        assert_eq!(variables.get("visits"), Some(&Value::Integer(4)), "the last counts");
        assert_eq!(variables.get("name"), Some(&Value::Text("a=b".into())));
    }

    #[test]
    fn what_does_not_fit_is_told_without_its_value() {
        for (flags, expected) in [
            (&["visits=sesame"][..], "`visits` is a string: write an integer"),
            (&["visit=1"], "\"visit\" is no variable of the pipeline: did you mean `visits`?"),
            (&[], "`visits` is missing, and has no default"),
            (&["visits"], "write `--variable name=value`"),
        ] {
            let told = check(flags).expect_err("it does not fit");
            assert!(told.contains(expected) && !told.contains("sesame"), "{told}");
        }
    }
}
