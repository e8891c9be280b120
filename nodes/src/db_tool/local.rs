//! Times told by a clock on the wall: who is on the telephone thinks in no other, and a model that
//! has to reckon with offsets and days of the week is wrong at times.

use chrono::SecondsFormat;
use chrono_tz::Tz;
use serde_json::{Map, Value as Json};

use super::value::{date_time, instant};

/// Tells the times of a row by the clock of the zone that `column` holds; the column itself is not
/// told. Where that is no zone, everything stays as it is, in UTC.
pub(super) fn tell(row: &mut Map<String, Json>, column: &str) {
    let zone = row.get(column).and_then(Json::as_str).and_then(|name| name.parse::<Tz>().ok());
    let Some(zone) = zone else { return };
    let told = row.iter().filter(|(name, _)| *name != column);
    let told = told.flat_map(|(name, cell)| cells(name, cell, zone));
    *row = told.collect();
}

/// A cell as it is told: a time with its day of the week beside it.
fn cells(name: &str, cell: &Json, zone: Tz) -> Vec<(String, Json)> {
    let as_it_is = || vec![(name.to_owned(), cell.clone())];
    // Only the one form that instants are read in: other text stays text.
    let Some(text) = cell.as_str() else { return as_it_is() };
    let Some(at) = date_time(text).filter(|at| instant(at) == text) else { return as_it_is() };
    let local = at.with_timezone(&zone);
    let (clock, weekday) = (local.to_rfc3339_opts(SecondsFormat::Secs, false), local.format("%A"));
    vec![
        (name.to_owned(), Json::from(clock)),
        (format!("{name}_weekday"), Json::from(weekday.to_string())),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(mut row: Json) -> Json {
        tell(row.as_object_mut().expect("a row"), "zone");
        row
    }

    #[test]
    fn times_are_told_by_the_zones_clock() {
        let row = json!({
            "zone": "America/New_York", "id": 7, "at": "2026-03-10T02:30:00Z", "note": "at 02:30:00Z",
        });
        let expected = json!({
            "id": 7, "at": "2026-03-09T22:30:00-04:00", "at_weekday": "Monday",
            "note": "at 02:30:00Z",
        });
        assert_eq!(told(row), expected);
    }

    #[test]
    fn without_a_zone_everything_stays() {
        for zone in [json!(null), json!("Nowhere/Land"), json!(3)] {
            let row = json!({ "zone": zone, "at": "2026-03-10T02:30:00Z" });
            assert_eq!(told(row.clone()), row);
        }
    }
}
