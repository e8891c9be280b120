//! The system prompt of one call: what the options say, and when the call began, without which a
//! model does not know what "tomorrow" is.

use std::borrow::Cow;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// The prompt of a call that began at `started_at`, told by the clock of `zone`. The time stands at
/// its end, so that a provider's cache of prompts serves all that is before it.
pub(super) fn of_call(system: &str, zone: Option<Tz>, started_at: SystemTime) -> Cow<'_, str> {
    let Some(zone) = zone else { return Cow::Borrowed(system) };
    let began = DateTime::<Utc>::from(started_at).with_timezone(&zone);
    let began = began.format("%A, %-d %B %Y, at %H:%M");
    Cow::Owned(format!("{system}\n\nThis call began on {began} ({zone})."))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_day_is_that_of_the_zone() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_933_400);
        let began = "Be brief.\n\nThis call began on Sunday, 8 March 2026, at";
        for (zone, expected) in [
            (None, "Be brief.".to_owned()),
            (Some(Tz::Europe__London), format!("{began} 01:30 (Europe/London).")),
            (
                Some(Tz::America__New_York),
                began.replace("Sunday, 8", "Saturday, 7") + " 20:30 (America/New_York).",
            ),
        ] {
            assert_eq!(of_call("Be brief.", zone, at), expected);
        }
    }
}
