//! The caller's audio that is not settled yet: what is still to be sent, and what was sent and may
//! have to be sent again.
//!
//! ```text
//!   settled ─┤ sent, no final yet │ not sent yet ├─ now
//!            └─ start: position on the stream    ┘
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::message::AudioFrame;

/// Audio since the last final, at most `limit` long. The oldest goes first.
#[derive(Debug)]
pub(super) struct Tape {
    frames: VecDeque<Taped>,
    /// So many frames at the front were sent on the present stream.
    sent: usize,
    length: Duration,
    limit: Duration,
    lost: Duration,
}

#[derive(Debug)]
struct Taped {
    frame: AudioFrame,
    /// When its last sample was captured.
    captured: Instant,
    /// Where it begins on the stream, once it was sent.
    start: Duration,
}

impl Tape {
    pub(super) fn new(limit: Duration) -> Self {
        let frames = VecDeque::new();
        Self { frames, sent: 0, length: Duration::ZERO, limit, lost: Duration::ZERO }
    }

    /// Adds a frame whose last sample was captured at `captured`.
    pub(super) fn push(&mut self, frame: AudioFrame, captured: Instant) {
        self.length += frame.length();
        self.frames.push_back(Taped { frame, captured, start: Duration::ZERO });
        while self.length > self.limit && self.frames.len() > 1 {
            let unsent = self.sent == 0;
            let dropped = self.pop();
            self.lost += if unsent { dropped } else { Duration::ZERO };
        }
    }

    /// The next frame to send, and when its first sample was captured. It is sent at `position`.
    pub(super) fn next(&mut self, position: Duration) -> Option<(AudioFrame, Instant)> {
        let taped = self.frames.get_mut(self.sent)?;
        self.sent += 1;
        taped.start = position;
        let began = taped.captured.checked_sub(taped.frame.length()).unwrap_or(taped.captured);
        Some((taped.frame.clone(), began))
    }

    /// Whether nothing is left that could have to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Forgets what was sent and ends at or before `position`.
    pub(super) fn settle(&mut self, position: Duration) {
        while self.sent > 0
            && let Some(oldest) = self.frames.front()
            && oldest.start + oldest.frame.length() <= position
        {
            self.pop();
        }
    }

    /// Where the oldest frame begins on the present stream; `None` where it was not sent.
    pub(super) fn start(&self) -> Option<Duration> {
        let oldest = self.frames.front()?;
        (self.sent > 0).then_some(oldest.start)
    }

    /// Everything is to be sent again, on a new stream.
    pub(super) fn rewind(&mut self) {
        self.sent = 0;
    }

    /// How much was dropped unsent since this was last asked.
    pub(super) fn take_lost(&mut self) -> Duration {
        std::mem::take(&mut self.lost)
    }

    fn pop(&mut self) -> Duration {
        let length = self.frames.pop_front().map_or(Duration::ZERO, |taped| taped.frame.length());
        self.length -= length;
        self.sent = self.sent.saturating_sub(1);
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A tape for 100 ms with `count` frames of 20 ms.
    fn tape(count: usize) -> Tape {
        let mut tape = Tape::new(ms(100));
        for _ in 0..count {
            tape.push(AudioFrame::silence(ms(20), AudioFrame::CALLER_RATE_HZ), Instant::now());
        }
        tape
    }

    /// Sends `count` frames of 20 ms.
    fn send(tape: &mut Tape, count: u64) {
        for n in 0..count {
            assert!(tape.next(ms(20 * n)).is_some());
        }
    }

    #[test]
    fn the_oldest_makes_room_and_counts_as_lost_when_unsent() {
        let mut tape = tape(8);
        assert_eq!((tape.frames.len(), tape.take_lost()), (5, ms(60)));
        assert_eq!(tape.take_lost(), ms(0));
    }

    #[test]
    fn what_was_sent_makes_room_without_loss() {
        let mut tape = tape(5);
        send(&mut tape, 3);
        tape.push(AudioFrame::silence(ms(20), AudioFrame::CALLER_RATE_HZ), Instant::now());
        assert_eq!((tape.sent, tape.take_lost(), tape.start()), (2, ms(0), Some(ms(20))));
    }

    #[test]
    fn settling_keeps_a_frame_that_is_partly_open() {
        let mut tape = tape(5);
        send(&mut tape, 4);
        tape.settle(ms(50));
        assert_eq!((tape.frames.len(), tape.sent, tape.start()), (3, 2, Some(ms(40))));
        tape.settle(ms(1000));
        assert_eq!((tape.frames.len(), tape.sent, tape.start()), (1, 0, None));
    }

    #[test]
    fn a_rewound_tape_is_sent_again() {
        let mut tape = tape(2);
        send(&mut tape, 2);
        assert!(tape.next(ms(40)).is_none());
        tape.rewind();
        send(&mut tape, 2);
        assert!(tape.next(ms(40)).is_none());
    }
}
