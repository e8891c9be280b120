//! What one side offers or answers, as text.

use std::fmt;
use std::str::FromStr;

use str0m::change::{SdpAnswer, SdpOffer};
use thiserror::Error;

/// The part that a description plays in a negotiation.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum SdpType {
    /// Begins a negotiation.
    Offer,
    /// A preliminary answer.
    PrAnswer,
    /// Ends a negotiation.
    Answer,
    /// Takes back an offer.
    Rollback,
}

impl SdpType {
    fn name(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::PrAnswer => "pranswer",
            Self::Answer => "answer",
            Self::Rollback => "rollback",
        }
    }
}

impl FromStr for SdpType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Offer, Self::PrAnswer, Self::Answer, Self::Rollback]
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or("expected offer, pranswer, answer or rollback")
    }
}

impl fmt::Display for SdpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a description or a candidate was not understood.
#[derive(Clone, Error, Debug)]
#[error("failed to parse `{line}`: {description}")]
pub struct SdpParseError {
    /// The line at fault, where it is known.
    pub line: String,
    /// What is wrong with it.
    pub description: String,
}

/// A description: its text, checked, and its part.
#[derive(Clone)]
pub struct SessionDescription {
    text: String,
    sdp_type: SdpType,
}

impl SessionDescription {
    /// Reads a description. A rollback has no text.
    pub fn parse(sdp: &str, sdp_type: SdpType) -> Result<Self, SdpParseError> {
        let checked = match sdp_type {
            SdpType::Offer => SdpOffer::from_sdp_string(sdp).map(drop),
            SdpType::Answer | SdpType::PrAnswer => SdpAnswer::from_sdp_string(sdp).map(drop),
            SdpType::Rollback => Ok(()),
        };
        checked.map_err(|error| SdpParseError {
            line: sdp.lines().next().unwrap_or_default().to_owned(),
            description: error.to_string(),
        })?;
        Ok(Self::checked(sdp.to_owned(), sdp_type))
    }

    /// A description whose text we wrote.
    pub(crate) fn checked(text: String, sdp_type: SdpType) -> Self {
        Self { text, sdp_type }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The part that it plays.
    pub fn sdp_type(&self) -> SdpType {
        self.sdp_type
    }
}

impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text carries the password of the connection.
        f.debug_struct("SessionDescription").field("sdp_type", &self.sdp_type).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_read_by_its_name() {
        for kind in [SdpType::Offer, SdpType::PrAnswer, SdpType::Answer, SdpType::Rollback] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!("Offer".parse::<SdpType>().is_err());
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(SessionDescription::parse("hello", SdpType::Offer).is_err());
        assert!(SessionDescription::parse("", SdpType::Answer).is_err());
        assert!(SessionDescription::parse("", SdpType::Rollback).is_ok());
    }
}
