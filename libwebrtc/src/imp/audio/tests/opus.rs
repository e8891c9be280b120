//! The wrappers around libopus.

use super::super::opus::{Decode, Decoder, Encoder, NATIVE_HZ, Settings};
use super::super::packet;
use super::tone::{Tone, level, purity, voice};

fn settings(rate_hz: u32) -> Settings {
    Settings { rate_hz, channels: 1, bitrate_bps: 32_000 }
}

/// A second of a tone in packets of 20 ms.
fn packets(encoder: &mut Encoder, rate_hz: u32) -> Vec<Vec<u8>> {
    let mut tone = Tone::new(440.0, rate_hz, 9_000.0);
    let frame = rate_hz as usize / 50;
    (0..50).map(|_| encoder.encode(&tone.take(frame)).unwrap().to_vec()).collect()
}

#[test]
fn a_tone_goes_through_at_each_rate() {
    for rate_hz in NATIVE_HZ {
        let mut encoder = Encoder::new(settings(rate_hz)).unwrap();
        let mut decoder = Decoder::new(1).unwrap();
        let mut out = Vec::new();
        for payload in packets(&mut encoder, rate_hz) {
            assert_eq!(packet::samples(&payload), Some(960), "{rate_hz}");
            assert_eq!(decoder.decode(&payload, &mut out).unwrap(), 960);
        }
        let pure = purity(&out[4_800..], 440.0, 48_000);
        assert!(pure > 0.99, "{rate_hz}: {pure}");
    }
}

#[test]
fn redundancy_is_there_when_loss_is_told_and_restores_a_packet() {
    let sound = voice(5 * 48_000);
    let encode = |loss| {
        let mut encoder = Encoder::new(settings(48_000)).unwrap();
        encoder.set_loss(loss).unwrap();
        sound.chunks(960).map(|frame| encoder.encode(frame).unwrap()).collect::<Vec<_>>()
    };
    assert!(encode(0).iter().all(|payload| packet::restorable(payload) == 0));
    let payloads = encode(15);
    let restorable = payloads.iter().filter(|payload| packet::restorable(payload) == 960).count();
    assert!(restorable > 100, "{restorable} of 250");
    // What is missing is heard better from the next packet than made up.
    let difference = |restores: bool| {
        let [mut whole, mut lossy] = [(); 2].map(|()| Decoder::new(1).unwrap());
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (number, payload) in payloads.iter().enumerate().take(249) {
            whole.decode(payload, &mut first).unwrap();
            match &payloads[number + 1] {
                _ if number % 10 != 5 => drop(lossy.decode(payload, &mut second).unwrap()),
                next if restores => lossy.restore(next, 960, &mut second).unwrap(),
                _ => lossy.conceal(960, &mut second).unwrap(),
            }
        }
        let differences: Vec<i16> =
            first.iter().zip(&second).map(|(a, b)| a.saturating_sub(*b)).collect();
        level(&differences)
    };
    let (restored, concealed) = (difference(true), difference(false));
    assert!(restored < 0.7 * concealed, "{restored} restored, {concealed} concealed");
}

#[test]
fn concealment_is_of_any_length() {
    let mut encoder = Encoder::new(settings(48_000)).unwrap();
    let mut decoder = Decoder::new(1).unwrap();
    let mut out = Vec::new();
    for payload in packets(&mut encoder, 48_000) {
        decoder.decode(&payload, &mut out).unwrap();
    }
    for samples in [1, 119, 120, 480, 481, 960, 4_000] {
        out.clear();
        decoder.conceal(samples, &mut out).unwrap();
        assert_eq!(out.len(), samples);
    }
}

#[test]
fn silence_under_dtx_is_told_in_two_bytes() {
    let mut encoder = Encoder::new(settings(48_000)).unwrap();
    encoder.set_dtx(true).unwrap();
    packets(&mut encoder, 48_000);
    let silence: Vec<_> = (0..100).map(|_| encoder.encode(&[0; 960]).unwrap()).collect();
    let short = silence.iter().filter(|payload| packet::is_silent(payload)).count();
    assert!(short > 60, "{short} of 100");
}

#[test]
fn the_other_number_of_channels_is_made_of_a_stream() {
    let stereo = Settings { channels: 2, ..settings(48_000) };
    let mut encoder = Encoder::new(stereo).unwrap();
    let mut tone = Tone::new(440.0, 48_000, 9_000.0);
    let mut decoder = Decoder::new(1).unwrap();
    let mut out = Vec::new();
    for _ in 0..50 {
        let both: Vec<i16> = tone.take(960).into_iter().flat_map(|sample| [sample; 2]).collect();
        decoder.decode(&encoder.encode(&both).unwrap(), &mut out).unwrap();
    }
    assert_eq!(out.len(), 48_000);
    assert!((level(&out[9_600..]) - 6_364.0).abs() < 400.0, "{}", level(&out[9_600..]));
}

#[test]
fn what_opus_does_not_have_is_refused() {
    for (rate_hz, channels) in [(44_100, 1), (48_000, 0), (48_000, 3), (0, 1)] {
        let settings = Settings { channels, ..settings(rate_hz) };
        assert!(Encoder::new(settings).is_err(), "{rate_hz} {channels}");
    }
    assert!(Decoder::new(3).is_err());
    assert!(Encoder::new(settings(48_000)).unwrap().encode(&[0; 100]).is_err());
}
