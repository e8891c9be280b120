//! A candidate as signalling brings it: it is told again as it came, or refused with words, and a
//! connection takes it or says why not.

use std::time::Duration;

use libwebrtc::fuzzing::described;
use libwebrtc::prelude::IceCandidate;

/// Takes each line for a candidate.
pub fn candidate(bytes: &[u8]) {
    let text = super::text(bytes);
    let lines: Vec<_> =
        text.lines().map(|line| (line, IceCandidate::parse("0", 0, line))).collect();
    let mut taken = Vec::new();
    for (line, parsed) in lines {
        match parsed {
            Err(refused) => assert!(!refused.description.is_empty()),
            Ok(candidate) => {
                assert!(line.contains(&candidate.candidate()));
                taken.push(candidate);
            }
        }
    }
    if taken.is_empty() {
        return;
    }
    let [mut ours, _theirs] = described();
    for candidate in &taken {
        let _ = ours.take_candidate(candidate);
    }
    for second in 0..3 {
        ours.advance(Duration::from_secs(second));
    }
}
