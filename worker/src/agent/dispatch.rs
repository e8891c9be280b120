//! What a dispatch asks for: which pipeline, and what its call is given.
//!
//! In comes a job's metadata; out goes what it says, or why the job is declined, without values:
//! they may be private.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use voicegraph_engine::variables::{Declarations, Refusal, Variables, told};

/// The most that metadata may have, in bytes.
const MAX_METADATA: usize = 64 * 1024;

/// A dispatch, as its metadata says it: `{"pipeline": "clinic", "variables": {"name": "Ada"}}`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dispatch {
    /// The pipeline's name; the worker's first where it is left out.
    pub(crate) pipeline: Option<String>,
    /// Variables of the call, as the pipeline declares them.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Json>,
}

/// Why a dispatch is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadDispatch {
    /// Too much of it.
    #[error("metadata has {0} bytes: at most {MAX_METADATA} are read")]
    TooLong(usize),
    /// Not the JSON that is understood.
    #[error(
        "metadata is wrong at line {line}, column {column}: leave it empty, or write \
         {{\"pipeline\": \"…\", \"variables\": {{…}}}}"
    )]
    NotUnderstood {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// There is no such pipeline.
    #[error("there is no such pipeline: this worker has {0}")]
    UnknownPipeline(String),
    /// Variables that the pipeline does not take.
    #[error("variables: {0}")]
    Variables(String),
}

impl Dispatch {
    /// Reads a job's metadata. Empty is a dispatch that asks for nothing.
    pub(crate) fn read(metadata: &str) -> Result<Self, BadDispatch> {
        if metadata.len() > MAX_METADATA {
            return Err(BadDispatch::TooLong(metadata.len()));
        }
        if metadata.trim().is_empty() {
            return Ok(Self::default());
        }
        // An array would be read as the values of the fields in their order.
        if !metadata.trim_start().starts_with('{') {
            return Err(BadDispatch::NotUnderstood { line: 1, column: 1 });
        }
        serde_json::from_str(metadata).map_err(|error| BadDispatch::NotUnderstood {
            line: error.line(),
            column: error.column(),
        })
    }

    /// Checks the variables before the caller is known: what a participant's attribute may still
    /// give is not missing yet.
    pub(crate) fn check(&self, declared: &Declarations) -> Result<(), BadDispatch> {
        let Err(mut refusals) = Variables::parse(declared, &self.variables) else { return Ok(()) };
        let may_come = |name: &str| declared.get(name).is_some_and(|it| it.attribute.is_some());
        refusals.retain(|one| !matches!(one, Refusal::Missing { name } if may_come(name)));
        if refusals.is_empty() { Ok(()) } else { Err(BadDispatch::Variables(told(&refusals))) }
    }

    /// The call's variables, with those that the caller's `attributes` tell.
    pub(crate) fn complete(
        mut self,
        declared: &Declarations,
        attributes: &BTreeMap<String, String>,
    ) -> Result<Variables, BadDispatch> {
        declared.fill(&mut self.variables, |name| attributes.get(name).map(String::as_str));
        let read = Variables::parse(declared, &self.variables);
        read.map_err(|refusals| BadDispatch::Variables(told(&refusals)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(metadata: &str) -> Result<Dispatch, String> {
        Dispatch::read(metadata).map_err(|error| error.to_string())
    }

    #[test]
    fn empty_metadata_asks_for_nothing() {
        assert_eq!(read(""), Ok(Dispatch::default()));
        assert_eq!(read(" \n"), Ok(Dispatch::default()));
        assert_eq!(read("{}"), Ok(Dispatch::default()));
    }

    #[test]
    fn a_pipeline_and_variables_are_read() {
        let dispatch = read(r#"{"pipeline": "clinic", "variables": {"visits": 2}}"#).unwrap();
        assert_eq!(dispatch.pipeline.as_deref(), Some("clinic"));
        assert_eq!(dispatch.variables["visits"], 2);
    }

    #[test]
    fn what_is_not_understood_is_told_by_its_place_alone() {
        for metadata in [
            "+441632960001",
            r#"{"pipelin": "clinic"}"#,
            r#"{"variables": "+441632960001"}"#,
            r#"["+441632960001"]"#,
        ] {
            let error = read(metadata).expect_err("it is refused");
            assert!(error.starts_with("metadata is wrong at line 1, column "), "{error}");
            assert!(!error.contains("+44"), "{error}");
        }
        let long = read(&" ".repeat(MAX_METADATA + 1)).expect_err("it is refused");
        assert!(long.contains("at most 65536 are read"), "{long}");
    }
}
