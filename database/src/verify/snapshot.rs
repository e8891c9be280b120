//! A schema as a list of its parts, and what is different between two.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The parts of a schema: `column appointments.status` → `text not null default 'booked'`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    parts: BTreeMap<String, String>,
}

/// One part that is not as the migrations make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The database lacks it.
    Missing {
        /// Its kind and name: `index appointments_doctor_id_idx`.
        part: String,
    },
    /// No migration makes it.
    Extra {
        /// Its kind and name.
        part: String,
    },
    /// It is there in another form.
    Changed {
        /// Its kind and name.
        part: String,
        /// As the migrations make it.
        expected: String,
        /// As it is.
        found: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { part } => write!(f, "{part} is missing"),
            Self::Extra { part } => write!(f, "{part} is in no migration"),
            Self::Changed { part, expected, found } => {
                write!(f, "{part} is `{found}`, the migrations make `{expected}`")
            }
        }
    }
}

impl Snapshot {
    /// Adds a part. Runs of white space count as one space.
    pub(super) fn add(&mut self, kind: &str, name: &str, form: &str) {
        let form = form.split_whitespace().collect::<Vec<_>>().join(" ");
        self.parts.insert(format!("{kind} {name}"), form);
    }

    /// How many parts there are.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// Each difference, in the order of the parts' names.
pub(super) fn compare(expected: &Snapshot, live: &Snapshot) -> Vec<Difference> {
    let parts: BTreeSet<_> = expected.parts.keys().chain(live.parts.keys()).collect();
    let difference = |part: &String| match (expected.parts.get(part), live.parts.get(part)) {
        (Some(expected), Some(found)) if expected == found => None,
        (Some(expected), Some(found)) => Some(Difference::Changed {
            part: part.clone(),
            expected: expected.clone(),
            found: found.clone(),
        }),
        (Some(_), None) => Some(Difference::Missing { part: part.clone() }),
        _ => Some(Difference::Extra { part: part.clone() }),
    };
    parts.into_iter().filter_map(difference).collect()
}
