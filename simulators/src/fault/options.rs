//! `[[<provider>.faults]]` as written: one flat table, since an internally tagged enum would lose
//! its places. `kind` decides which of the other keys are needed; a key too many is an error.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::{After, Fault, Planned, Wire};
use crate::script::{ScriptError, Source};

/// A fault as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    kind: Spanned<String>,
    /// The n-th connection or request, from 1. Default: every one.
    connection: Option<NonZeroU64>,
    /// The n-th context of a Cartesia connection, from 1. Default: every one.
    pub(crate) context: Option<NonZeroU64>,
    pub(crate) after_ms: Option<u64>,
    pub(crate) after_messages: Option<u64>,
    pub(crate) status: Option<u16>,
    retry_after_s: Option<u64>,
    chunk_bytes: Option<usize>,
    every_ms: Option<u64>,
    code: Option<u16>,
    reason: Option<String>,
    pub(crate) error_code: Option<String>,
    pub(crate) message: Option<String>,
}

/// What is wrong with a fault, and what to write instead.
pub(crate) struct Complaint(pub(crate) String, pub(crate) String);

/// A provider's own faults.
pub(crate) trait Own: Sized {
    /// Names of all kinds the provider has, shared ones included, for the error message.
    const KINDS: &[&str];

    /// The fault named `kind`, with its keys taken out of `options`; `None` if it has none.
    fn take(kind: &str, options: &mut Options) -> Result<Option<Self>, Complaint>;
}

/// Checks all faults of one provider.
pub(crate) fn build<O: Own>(
    written: Vec<Options>,
    source: &Source<'_>,
) -> Result<Vec<Planned<O>>, ScriptError> {
    let planned = written.into_iter().map(|mut options| {
        let connection = options.connection;
        let fault = options.fault().map_err(|Complaint(problem, help)| {
            source.wrong(&options.kind.span(), problem, help)
        })?;
        Ok(Planned { connection, fault })
    });
    planned.collect()
}

impl Options {
    fn fault<O: Own>(&mut self) -> Result<Fault<O>, Complaint> {
        let kind = self.kind.get_ref().clone();
        if !O::KINDS.contains(&kind.as_str()) {
            let known: Vec<_> = O::KINDS.iter().map(|kind| format!("`{kind}`")).collect();
            let help = format!("write one of {}", known.join(", "));
            return Err(Complaint(format!("there is no fault `{kind}` here"), help));
        }
        let fault = match O::take(&kind, self)? {
            Some(own) => Fault::Own(own),
            None => Fault::Wire(self.wire(&kind)?),
        };
        self.leftover().map_or(Ok(fault), |key| {
            let problem = format!("the fault `{kind}` has no key `{key}`");
            Err(Complaint(problem, "take it out".to_owned()))
        })
    }

    fn wire(&mut self, kind: &str) -> Result<Wire, Complaint> {
        Ok(match kind {
            "refuse" => Wire::Refuse,
            "status" => Wire::Status {
                status: self.error_status()?,
                retry_after_s: self.retry_after_s.take(),
            },
            "cut" => Wire::Cut(self.after()),
            "stall" => Wire::Stall(self.after()),
            "malformed" => Wire::Malformed(self.after()),
            "slow" => Wire::Slow {
                chunk_bytes: need(kind, "chunk_bytes", self.chunk_bytes.take())?.max(1),
                every: Duration::from_millis(need(kind, "every_ms", self.every_ms.take())?),
            },
            _ => Wire::Close {
                after: self.after(),
                code: need(kind, "code", self.code.take())?,
                reason: self.reason.take().unwrap_or_default(),
            },
        })
    }

    /// Takes `after_ms` and `after_messages`.
    pub(crate) fn after(&mut self) -> After {
        After {
            time: self.after_ms.take().map(Duration::from_millis),
            messages: self.after_messages.take(),
        }
    }

    /// Takes `status`, which must be an error.
    pub(crate) fn error_status(&mut self) -> Result<u16, Complaint> {
        let status = need("status", "status", self.status.take())?;
        if (400..=599).contains(&status) {
            return Ok(status);
        }
        let problem = format!("`status` is {status}, which is no error");
        Err(Complaint(problem, "write 400 to 599".to_owned()))
    }

    /// The first key that no one took.
    fn leftover(&self) -> Option<&'static str> {
        let written = [
            ("context", self.context.is_some()),
            ("after_ms", self.after_ms.is_some()),
            ("after_messages", self.after_messages.is_some()),
            ("status", self.status.is_some()),
            ("retry_after_s", self.retry_after_s.is_some()),
            ("chunk_bytes", self.chunk_bytes.is_some()),
            ("every_ms", self.every_ms.is_some()),
            ("code", self.code.is_some()),
            ("reason", self.reason.is_some()),
            ("error_code", self.error_code.is_some()),
            ("message", self.message.is_some()),
        ];
        written.into_iter().find_map(|(key, is_left)| is_left.then_some(key))
    }
}

/// The value of a key that `kind` cannot do without.
pub(crate) fn need<T>(kind: &str, key: &str, value: Option<T>) -> Result<T, Complaint> {
    value.ok_or_else(|| {
        Complaint(format!("the fault `{kind}` needs `{key}`"), format!("write `{key} = …`"))
    })
}
