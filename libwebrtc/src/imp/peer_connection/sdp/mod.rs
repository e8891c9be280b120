//! Descriptions: what the two ends offer each other and agree on.
//!
//! To read: the exchange of offers and answers ([`negotiation`]), then what is read of a
//! description beside what str0m reads of it ([`sections`]). What was agreed on of a section is
//! kept by [`super::media`].

mod negotiation;
mod sections;

pub(super) use negotiation::Negotiation;
pub(super) use sections::{Opus, Section, SectionKind};
