//! The sender's pacing.

use std::time::Duration;

use super::super::level::SILENCE_DBOV;
use super::super::packet;
use super::super::source::{Error, Packet, Settings, Source};
use super::tone::Tone;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn settings() -> Settings {
    Settings {
        rate_hz: 48_000,
        channels: 1,
        queue: ms(100),
        packet: ms(20),
        bitrate_bps: 32_000,
        dtx: false,
        first_timestamp: 1_000,
    }
}

fn source(settings: Settings) -> Source {
    Source::new(settings).unwrap()
}

fn sound(millis: usize) -> Vec<i16> {
    Tone::new(300.0, 48_000, 8_000.0).take(48 * millis)
}

/// All packets until `until`, each with the time at which it was due.
fn sent(source: &mut Source, from: Duration, until: Duration) -> Vec<(Duration, Packet)> {
    let mut sent = Vec::new();
    let mut now = from;
    while let Some(at) = source.wakes_at(now).filter(|&at| at <= until) {
        now = now.max(at);
        while let Some(packet) = source.poll(now).unwrap() {
            sent.push((now, packet));
        }
    }
    sent
}

#[test]
fn packets_leave_at_their_pace_with_their_timestamps() {
    let mut source = source(settings());
    assert_eq!(source.wakes_at(ms(7)), None);
    assert_eq!(source.offer(&sound(60)).unwrap(), 60 * 48);
    let sent = sent(&mut source, ms(7), ms(60));
    let facts: Vec<_> = sent.iter().map(|(at, p)| (*at, p.timestamp, p.marker)).collect();
    let expected = [(ms(7), 1_000, true), (ms(27), 1_960, false), (ms(47), 2_920, false)];
    assert_eq!(facts, expected);
    assert!(sent.iter().all(|(_, p)| packet::samples(&p.payload) == Some(960)));
}

#[test]
fn the_level_is_that_of_the_sound() {
    let mut source = source(settings());
    source.offer(&sound(20)).unwrap();
    source.offer(&[0; 960]).unwrap();
    let sent = sent(&mut source, ms(0), ms(20));
    // A sine of 8 000 is 15 dB below overload.
    assert_eq!([sent[0].1.level_dbov, sent[1].1.level_dbov], [15, SILENCE_DBOV]);
}

#[test]
fn the_queue_takes_no_more_than_its_limit() {
    let mut source = source(settings());
    assert_eq!(source.offer(&sound(150)).unwrap(), 100 * 48);
    assert!(!source.has_room());
    assert_eq!(source.queued(), ms(100));
    assert_eq!(source.offer(&sound(10)).unwrap(), 0);
    assert!(source.poll(ms(0)).unwrap().is_some());
    assert_eq!(source.offer(&sound(50)).unwrap(), 20 * 48);
    source.clear();
    assert_eq!(source.queued(), Duration::ZERO);
}

#[test]
fn a_dry_queue_ends_in_silence_and_timestamps_go_on() {
    let mut source = source(settings());
    source.offer(&sound(30)).unwrap();
    let first = sent(&mut source, ms(0), ms(2_000));
    assert_eq!(first.len(), 12, "two of sound and a tail of 200 ms");
    assert!(first[1].1.level_dbov < SILENCE_DBOV, "half a packet is filled up");
    assert!(first[2..].iter().all(|(_, packet)| packet.level_dbov == SILENCE_DBOV));
    assert_eq!(source.wakes_at(ms(2_000)), None);
    source.offer(&sound(20)).unwrap();
    let (at, packet) = sent(&mut source, ms(2_000), ms(2_000)).remove(0);
    assert_eq!((at, packet.marker, packet.timestamp), (ms(2_000), true, 1_000 + 2_000 * 48));
}

#[test]
fn a_late_poll_catches_up_and_a_very_late_one_does_not() {
    let mut source = source(Settings { queue: ms(1_000), ..settings() });
    source.offer(&sound(1_000)).unwrap();
    let burst = |source: &mut Source, now| {
        std::iter::from_fn(|| source.poll(now).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(burst(&mut source, ms(0)).len(), 1);
    assert_eq!(burst(&mut source, ms(105)).len(), 5);
    let late = burst(&mut source, ms(1_120));
    assert_eq!(late.len(), 1);
    assert_eq!((late[0].timestamp, late[0].marker), (1_000 + 1_120 * 48, true));
}

#[test]
fn without_a_queue_packets_leave_when_they_are_full() {
    let mut source = source(Settings { queue: Duration::ZERO, ..settings() });
    for (now, length, packets) in [(0, 10, 0), (10, 10, 1), (13, 20, 1), (14, 20, 1)] {
        assert_eq!(source.offer(&sound(length)).unwrap(), length * 48);
        assert_eq!(sent(&mut source, ms(now), ms(now)).len(), packets, "at {now}");
    }
}

#[test]
fn each_rate_and_length_is_sent() {
    for rate_hz in [8_000, 16_000, 22_100, 24_000, 44_100, 48_000] {
        for packet in [10, 20, 40, 60].map(ms) {
            for channels in [1, 2] {
                let given = Settings { rate_hz, channels, packet, ..settings() };
                let mut source = source(given);
                let frame = (rate_hz / 100 * channels) as usize;
                assert_eq!(source.offer(&vec![100; 6 * frame]).unwrap(), 6 * frame);
                let packet = source.poll(ms(0)).unwrap().unwrap();
                let samples = packet::samples(&packet.payload).unwrap();
                assert_eq!(samples, given.packet.as_millis() as usize * 48, "{given:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_sent_is_refused_with_a_reason() {
    let refused = |settings| Source::new(settings).err().unwrap().to_string();
    let packet = refused(Settings { packet: ms(30), ..settings() });
    assert_eq!(packet, "packets of 30ms; 10, 20, 40 or 60 ms can be sent");
    let queue = refused(Settings { queue: ms(60_000), ..settings() });
    assert_eq!(queue, "a queue of 60s; the longest is 10s");
    assert!(refused(Settings { rate_hz: 11_025, ..settings() }).contains("multiples of 100 Hz"));
    assert!(refused(Settings { channels: 3, ..settings() }).contains("3 channels"));
    let error = source(settings()).offer(&[0; 100]).unwrap_err();
    assert!(matches!(error, Error::Frame { values: 100, frame: 480 }));
}
