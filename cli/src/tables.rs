//! The tables that are printed after a call: one line per turn, one per edge.

use std::fmt::Write;
use std::time::Duration;

use chrono_tz::Tz;
use voicegraph_database::appointments::Appointment;
use voicegraph_engine::edge::EdgeFigures;
use voicegraph_engine::turn::TurnReport;

use crate::report::Timed;

/// The turns' durations, in ms.
pub(crate) fn turns(turns: &[Timed]) -> String {
    let head = [
        "turn",
        "end of turn",
        "transcription",
        "LLM first token",
        "TTS first byte",
        "end to end",
        "engine-added",
        "played",
        "outcome",
    ];
    let row = |report: &TurnReport| {
        vec![
            report.turn.to_string(),
            ms(report.end_of_turn_delay),
            ms(report.transcription_delay),
            ms(report.llm_ttft),
            ms(report.tts_ttfb),
            ms(report.e2e),
            ms(report.engine_added),
            ms(Some(report.played)),
            outcome(report),
        ]
    };
    table("Turns (ms)", &head, turns.iter().map(|turn| row(&turn.report)).collect())
}

/// The edges' counts, and their times in ms.
pub(crate) fn edges(figures: &[EdgeFigures]) -> String {
    let head = [
        "edge",
        "limit",
        "overflow",
        "sent",
        "received",
        "dropped",
        "queue p50",
        "queue p99",
        "age p50",
        "age p99",
    ];
    let row = |edge: &EdgeFigures| {
        let quantile = |histogram: &hdrhistogram::Histogram<u64>, quantile| {
            if histogram.is_empty() {
                return "-".to_owned();
            }
            ms(Some(Duration::from_micros(histogram.value_at_quantile(quantile))))
        };
        vec![
            edge.edge.clone(),
            edge.limit.to_string(),
            edge.overflow.to_string(),
            edge.counts.sent.to_string(),
            edge.counts.received.to_string(),
            edge.counts.dropped_total().to_string(),
            quantile(&edge.queue_us, 0.5),
            quantile(&edge.queue_us, 0.99),
            quantile(&edge.age_us, 0.5),
            quantile(&edge.age_us, 0.99),
        ]
    };
    table("Edges (ms)", &head, figures.iter().map(row).collect())
}

/// What a call booked, by the doctor's clock.
pub(crate) fn appointments(rows: &[Appointment]) -> String {
    let head = ["id", "patient", "doctor", "starts at", "status"];
    let row = |row: &Appointment| {
        let cells = [&row.patient, &row.doctor, &starts_at(row), &row.status];
        std::iter::once(row.id.to_string()).chain(cells.map(String::from)).collect()
    };
    table("Appointments of this call", &head, rows.iter().map(row).collect())
}

fn starts_at(row: &Appointment) -> String {
    let clock = |zone: Tz| row.starts_at.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %Z");
    let local = row.time_zone.parse().map(|zone| clock(zone).to_string());
    local.unwrap_or_else(|_| row.starts_at.to_string())
}

fn outcome(report: &TurnReport) -> String {
    let name = format!("{:?}", report.outcome).to_lowercase();
    match report.flush {
        Some(flush) => format!("{name}, silent {} ms after the decision", ms(Some(flush))),
        None => name,
    }
}

fn ms(duration: Option<Duration>) -> String {
    match duration {
        Some(duration) => format!("{:.2}", duration.as_secs_f64() * 1000.0),
        None => "-".to_owned(),
    }
}

/// Lines of columns: the first to the left, all others to the right.
fn table(title: &str, head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let columns = rows[0].len();
    let widths: Vec<usize> = (0..columns)
        .map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = format!("{title}\n");
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(i, (cell, &width))| {
            if i == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(text, "  {}", line.trim_end()).expect("writing to a string cannot fail");
    }
    text
}
