//! The caller's audio that is not settled yet: what is still to be sent, and what was sent and may
//! have to be sent again.
//!
//! ```text
//!   settled ─┤ sent, no final yet │ not sent yet ├─ now
//!            └─ start: position on the stream    ┘
//! ```
//!
//! Of each silence only the end is kept, so that a caller who listens costs little, and what was
//! said before an outage is not driven out by the silence after it.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::message::AudioFrame;

use super::progress::is_speech_like;

/// Audio since the last final, at most `limit` long. The oldest goes first.
#[derive(Debug)]
pub(super) struct Tape {
    frames: VecDeque<Taped>,
    /// So many frames at the front were sent on the present stream.
    sent: usize,
    length: Duration,
    limit: Duration,
    /// How much of a silence is kept.
    max_silence: Duration,
    /// Speech that was dropped unsent.
    lost: Duration,
    /// Speech that was dropped after it was sent on the present stream: lost with it, save for what
    /// a final covers.
    gone: Duration,
    /// Where the last of that ends.
    gone_end: Duration,
}

#[derive(Debug)]
struct Taped {
    frame: AudioFrame,
    is_speech: bool,
    /// When its last sample was captured.
    captured: Instant,
    /// Where it begins on the stream, once it was sent.
    start: Duration,
}

impl Taped {
    fn end(&self) -> Duration {
        self.start + self.frame.length()
    }
}

impl Tape {
    /// An empty tape of at most `limit`, and of at most `max_silence` of one silence.
    pub(super) fn new(limit: Duration, max_silence: Duration) -> Self {
        let zero = Duration::ZERO;
        Self {
            frames: VecDeque::new(),
            sent: 0,
            length: zero,
            limit,
            max_silence,
            lost: zero,
            gone: zero,
            gone_end: zero,
        }
    }

    /// Adds a frame whose last sample was captured at `captured`.
    pub(super) fn push(&mut self, frame: AudioFrame, captured: Instant) {
        self.length += frame.length();
        let is_speech = is_speech_like(&frame);
        self.frames.push_back(Taped { frame, is_speech, captured, start: Duration::ZERO });
        while let Some(at) = self.excess_silence() {
            self.remove(at);
        }
        while self.length > self.limit && self.frames.len() > 1 {
            self.drop_oldest();
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
        if self.gone_end <= position {
            self.gone = Duration::ZERO;
        }
        while self.sent > 0 && self.frames.front().is_some_and(|oldest| oldest.end() <= position) {
            self.remove(0);
        }
        if self.frames.len() < self.frames.capacity() / 4 {
            self.frames.shrink_to(2 * self.frames.len());
        }
    }

    /// Where the oldest frame begins on the present stream; `None` where it was not sent.
    pub(super) fn start(&self) -> Option<Duration> {
        let oldest = self.frames.front()?;
        (self.sent > 0).then_some(oldest.start)
    }

    /// Where on a new stream that will be which is at `position` on the present one, of which
    /// `streamed` was sent; what follows on that goes without a gap.
    pub(super) fn rewound(&self, position: Duration, streamed: Duration) -> Duration {
        let (sent, unsent) = (self.frames.range(..self.sent), self.frames.range(self.sent..));
        let before = |taped: &Taped| position.saturating_sub(taped.start).min(taped.frame.length());
        let unsent: Duration = unsent.map(|taped| taped.frame.length()).sum();
        sent.map(before).sum::<Duration>() + position.saturating_sub(streamed).min(unsent)
    }

    /// Everything is to be sent again, on a new stream.
    pub(super) fn rewind(&mut self) {
        self.sent = 0;
        (self.gone, self.gone_end) = (Duration::ZERO, Duration::ZERO);
    }

    /// How much speech is lost with the present stream, on which finals cover all before `settled`,
    /// or was dropped unsent since this was last asked. What was too quiet for speech does not
    /// count.
    pub(super) fn take_lost(&mut self, settled: Duration) -> Duration {
        let uncovered = self.gone_end.saturating_sub(settled);
        let gone = std::mem::take(&mut self.gone).min(uncovered);
        std::mem::take(&mut self.lost) + gone
    }

    /// The oldest frame of the silence at the end, where that is longer than is kept.
    fn excess_silence(&self) -> Option<usize> {
        let silence = self.frames.iter().rev().take_while(|taped| !taped.is_speech);
        let (count, length) = silence.fold((0, Duration::ZERO), |(count, length), taped| {
            (count + 1, length + taped.frame.length())
        });
        (count > 1 && length > self.max_silence).then(|| self.frames.len() - count)
    }

    fn drop_oldest(&mut self) {
        let was_sent = self.sent > 0;
        let Some(oldest) = self.remove(0).filter(|oldest| oldest.is_speech) else { return };
        if was_sent {
            self.gone += oldest.frame.length();
            self.gone_end = oldest.end();
        } else {
            self.lost += oldest.frame.length();
        }
    }

    fn remove(&mut self, at: usize) -> Option<Taped> {
        let taped = self.frames.remove(at)?;
        self.length -= taped.frame.length();
        self.sent -= usize::from(at < self.sent);
        Some(taped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEECH: i16 = 3000;
    const SILENCE: i16 = 50;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Adds `count` frames of 20 ms.
    fn push(tape: &mut Tape, count: usize, level: i16) {
        for _ in 0..count {
            let frame = AudioFrame::new(vec![level; 320], AudioFrame::CALLER_RATE_HZ);
            tape.push(frame, Instant::now());
        }
    }

    /// A tape for 100 ms with `count` frames of speech.
    fn tape(count: usize) -> Tape {
        let mut tape = Tape::new(ms(100), ms(1000));
        push(&mut tape, count, SPEECH);
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
        assert_eq!((tape.frames.len(), tape.take_lost(ms(0))), (5, ms(60)));
        assert_eq!(tape.take_lost(ms(0)), ms(0));
    }

    #[test]
    fn what_was_sent_makes_room_and_is_lost_unless_a_final_covers_it() {
        for (settled, lost) in [(0, 40), (20, 20), (30, 10), (40, 0), (90, 0)] {
            let mut tape = tape(5);
            send(&mut tape, 3);
            push(&mut tape, 2, SPEECH);
            assert_eq!((tape.sent, tape.start()), (1, Some(ms(40))));
            tape.settle(ms(settled));
            assert_eq!(tape.take_lost(ms(settled)), ms(lost), "{settled}");
        }
    }

    #[test]
    fn silence_is_never_lost() {
        let mut tape = Tape::new(ms(100), ms(1000));
        push(&mut tape, 9, SILENCE);
        send(&mut tape, 5);
        push(&mut tape, 9, SILENCE);
        assert_eq!((tape.frames.len(), tape.take_lost(ms(0))), (5, ms(0)));
    }

    #[test]
    fn of_each_silence_the_end_is_kept() {
        let mut tape = Tape::new(ms(5000), ms(1000));
        push(&mut tape, 500, SILENCE);
        assert_eq!(tape.length, ms(1000));
        push(&mut tape, 100, SPEECH);
        push(&mut tape, 10, SILENCE);
        send(&mut tape, 160);
        push(&mut tape, 500, SILENCE);
        assert_eq!((tape.length, tape.take_lost(ms(0))), (ms(4000), ms(0)));
        assert_eq!(tape.sent, 150, "the silence after the speech went, of which 10 were sent");
        assert_eq!(tape.frames.iter().filter(|taped| taped.is_speech).count(), 100);
    }

    #[test]
    fn positions_on_a_new_stream_leave_out_what_was_dropped() {
        let mut tape = Tape::new(ms(5000), ms(1000));
        push(&mut tape, 5, SPEECH);
        push(&mut tape, 100, SILENCE);
        push(&mut tape, 5, SPEECH);
        for frame in (0..5).chain(55..110) {
            assert!(tape.next(ms(20 * frame)).is_some(), "{frame}");
        }
        tape.settle(ms(50));
        for (old, new) in [(50, 10), (100, 60), (700, 60), (1100, 60), (1110, 70), (2150, 1110)] {
            assert_eq!(tape.rewound(ms(old), ms(2200)), ms(new), "{old}");
        }
        tape.rewind();
        assert_eq!(
            tape.rewound(ms(50), ms(0)),
            ms(50),
            "nothing was sent, and nothing is left out"
        );
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
