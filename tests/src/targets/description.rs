//! Descriptions. The first byte says of which kind: an offer or an answer as the rest spells it, or
//! a good one whose lines are changed. Each is taken or refused with words, and what was taken is
//! answered; a connection that was given nonsense can still be asked, and ended.

use std::time::Duration;

use libwebrtc::fuzzing::{Peer, start};
use libwebrtc::prelude::{SdpType, SessionDescription};

/// Longer than the peer may be silent.
const AFTER: Duration = Duration::from_secs(40);

/// Takes the bytes for descriptions.
pub fn description(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let is_answer = first & 1 == 1;
    let is_changed = first & 2 == 2;
    let base = start();
    let [mut ours, mut theirs] = [1, 2].map(|number| Peer::new(number, base));
    let parties = if is_answer { [&mut ours, &mut theirs] } else { [&mut theirs, &mut ours] };
    let [offerer, answerer] = parties;
    offerer.add_sections();
    let offer = offerer.offer().expect("there are sections");
    let kind = if is_answer { SdpType::Answer } else { SdpType::Offer };
    let good = if is_answer {
        answerer.take(&offer).expect("it is ours");
        answerer.answer().expect("there is an offer")
    } else {
        offer
    };
    let pieces = text.split('\u{1e}');
    for piece in pieces.take(4) {
        let text = if is_changed { change(&good.to_string(), piece) } else { piece.to_owned() };
        match SessionDescription::parse(&text, kind) {
            Err(refused) => assert!(!refused.description.is_empty()),
            Ok(description) => {
                assert_eq!(description.to_string(), text);
                give(&mut ours, &description);
            }
        }
    }
    ours.advance(AFTER);
    ours.close();
}

/// Has `ours` take it, answer it, and offer again.
fn give(ours: &mut Peer, description: &SessionDescription) {
    match ours.take(description) {
        Err(refused) => assert!(!refused.message.is_empty()),
        Ok(()) if description.sdp_type() == SdpType::Offer => {
            let answer = ours.answer().expect("an offer was taken");
            let again = SessionDescription::parse(&answer.to_string(), SdpType::Answer);
            assert!(again.is_ok(), "{answer}");
        }
        Ok(()) => {
            let _ = ours.offer();
        }
    }
}

/// Each line of `changes` begins with a letter that says which line it stands for (and `+` that it
/// comes after it).
fn change(good: &str, changes: &str) -> String {
    let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
    for line in changes.lines() {
        let mut letters = line.chars();
        let Some(at) = letters.next().map(|letter| letter as usize % lines.len()) else { continue };
        let text = letters.as_str();
        match text.strip_prefix('+') {
            Some(text) => lines.insert(at + 1, text.to_owned()),
            None => lines[at] = text.to_owned(),
        }
    }
    lines.into_iter().filter(|line| !line.is_empty()).map(|line| line + "\r\n").collect()
}
