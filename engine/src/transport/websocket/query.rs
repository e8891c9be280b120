//! The rates that a client asks for.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use crate::message::AudioFrame;

/// What a client may ask for, in Hz: from telephone to studio.
const RATES_HZ: RangeInclusive<u32> = 8_000..=48_000;

/// The rate of the agent's sound where the client names none: that of the usual voices.
const OUTPUT_RATE_HZ: NonZeroU32 = NonZeroU32::new(24_000).expect("not zero");

/// Samples per second, both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rates {
    /// Of the caller's sound.
    pub(super) input: NonZeroU32,
    /// Of the agent's sound.
    pub(super) output: NonZeroU32,
}

/// A query that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    #[error("{key}={value:?} is not a sample rate: write whole Hz from 8000 to 48000")]
    Rate { key: String, value: String },
    #[error("unknown query parameter {key:?}: there are input_rate and output_rate")]
    Unknown { key: String },
}

impl Rates {
    pub(super) fn from_query(query: &str) -> Result<Self, QueryError> {
        let mut rates = Self { input: AudioFrame::CALLER_RATE_HZ, output: OUTPUT_RATE_HZ };
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let rate = match &*key {
                "input_rate" => &mut rates.input,
                "output_rate" => &mut rates.output,
                _ => return Err(QueryError::Unknown { key: key.into_owned() }),
            };
            let read = value.parse().ok().filter(|rate| RATES_HZ.contains(rate));
            let (key, value) = (key.into_owned(), value.into_owned());
            *rate = read.and_then(NonZeroU32::new).ok_or(QueryError::Rate { key, value })?;
        }
        Ok(rates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: Result<(u32, u32), &str>) {
        let rates = Rates::from_query(query).map(|rates| (rates.input.get(), rates.output.get()));
        assert_eq!(rates.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn rates_are_read_or_refused_with_what_to_write() {
        check("", Ok((16_000, 24_000)));
        check("output_rate=8000", Ok((16_000, 8_000)));
        check("input_rate=48000&output_rate=44100", Ok((48_000, 44_100)));
        let refused = "input_rate=\"7999\" is not a sample rate: write whole Hz from 8000 to 48000";
        check("input_rate=7999", Err(refused));
        let refused = "output_rate=\"24k\" is not a sample rate: write whole Hz from 8000 to 48000";
        check("output_rate=24k", Err(refused));
        let refused = "unknown query parameter \"rate\": there are input_rate and output_rate";
        check("rate=16000", Err(refused));
    }
}
