//! Where the playing of one answer stands. Pure: every instant is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::message::AudioFrame;

/// The frames of one answer on their way to the ear.
///
/// Bounded by what it is given: the shell reads its input only while nothing is
/// [waiting](Self::next), and the sink has a bounded buffer of its own.
#[derive(Debug, Default)]
pub(super) struct Playout {
    /// Not handed over, in order.
    waiting: VecDeque<AudioFrame>,
    /// Handed over, not begun when last looked at, in order.
    given: VecDeque<Given>,
    /// The length of all frames that began.
    heard: Duration,
    /// The begin of the first frame.
    first_sound: Option<Instant>,
    /// The end of the last frame that began.
    sound_ends: Option<Instant>,
    held_at: Option<Instant>,
    rest: Rest,
}

#[derive(Debug)]
struct Given {
    frame: AudioFrame,
    begin: Instant,
}

/// What is to come of the answer besides the frames received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rest {
    #[default]
    Unknown,
    /// The answer is complete.
    Nothing,
    /// The input closed before the answer was complete.
    Lost,
}

impl Playout {
    /// Takes a frame of the answer; `last` where none follows. An empty frame makes no sound.
    pub(super) fn push(&mut self, frame: AudioFrame, last: bool) {
        if !frame.samples().is_empty() {
            self.waiting.push_back(frame);
        }
        if last {
            self.rest = Rest::Nothing;
        }
    }

    /// Notes that no frame follows, whether or not the answer is complete.
    pub(super) fn close(&mut self) {
        if self.rest == Rest::Unknown {
            self.rest = Rest::Lost;
        }
    }

    /// The frame to hand to the sink next.
    pub(super) fn next(&self) -> Option<&AudioFrame> {
        if self.is_held() { None } else { self.waiting.front() }
    }

    /// Whether the next frame is to be read from the input.
    pub(super) fn wants_more(&self) -> bool {
        !self.is_held() && self.waiting.is_empty() && self.rest == Rest::Unknown
    }

    /// Notes that the sink took the [next](Self::next) frame and begins to play it at `begin`.
    pub(super) fn give(&mut self, begin: Instant) {
        let frame = self.waiting.pop_front().expect("only the next frame is given");
        self.given.push_back(Given { frame, begin });
    }

    /// Counts what has begun by `now`.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some(given) = self.given.pop_front_if(|given| given.begin <= now) {
            let length = given.frame.length();
            self.heard += length;
            self.first_sound.get_or_insert(given.begin);
            self.sound_ends = Some(given.begin + length);
        }
    }

    /// How much was heard, the frame in hand included, since it finishes.
    pub(super) fn heard(&self) -> Duration {
        self.heard
    }

    /// When the answer's first sound began.
    pub(super) fn first_sound(&self) -> Option<Instant> {
        self.first_sound
    }

    /// The next instant at which something is to be noted, if time alone brings it.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.given.front() {
            Some(given) => Some(given.begin),
            None if self.waiting.is_empty() && self.rest != Rest::Unknown => self.sound_ends,
            None => None,
        }
    }

    /// Whether all that came was played by `now`, and nothing follows.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.rest != Rest::Unknown
            && self.waiting.is_empty()
            && self.given.is_empty()
            && self.sound_ends.is_none_or(|ends| ends <= now)
    }

    /// Whether no part of the answer was lost on its way here.
    pub(super) fn is_complete(&self) -> bool {
        self.rest == Rest::Nothing
    }

    /// Whether the answer is to be silent for now.
    pub(super) fn is_held(&self) -> bool {
        self.held_at.is_some()
    }

    /// Falls silent at `now`, after the frame in hand. The sink is to be cleared: what it had not
    /// begun waits again.
    pub(super) fn hold(&mut self, now: Instant) {
        self.advance(now);
        let unheard = self.given.drain(..).map(|given| given.frame);
        let later = std::mem::take(&mut self.waiting);
        self.waiting = unheard.chain(later).collect();
        self.held_at.get_or_insert(now);
    }

    /// Goes on where it stopped.
    pub(super) fn resume(&mut self) {
        self.held_at = None;
    }

    /// Gives the answer up at `now`. The sink is to be cleared. Returns when the agent is silent:
    /// when the frame in hand ends, or already since it was held.
    pub(super) fn stop(&mut self, now: Instant) -> Instant {
        self.advance(now);
        self.given.clear();
        self.waiting.clear();
        self.rest = Rest::Lost;
        let silenced = self.held_at.unwrap_or(now);
        self.sound_ends.map_or(silenced, |ends| ends.max(silenced))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn frame() -> AudioFrame {
        AudioFrame::silence(AudioFrame::LENGTH, AudioFrame::CALLER_RATE_HZ)
    }

    /// A playout of which `count` frames were given to the sink, back to back from `start` on.
    fn given(count: u32, start: Instant) -> Playout {
        let mut playout = Playout::default();
        for number in 0..count {
            playout.push(frame(), false);
            playout.give(start + AudioFrame::LENGTH * number);
        }
        playout
    }

    #[tokio::test]
    async fn heard_counts_the_frames_that_began() {
        let start = Instant::now();
        for (at, expected) in [(0, 20), (19, 20), (20, 40), (39, 40), (40, 60), (500, 60)] {
            let mut playout = given(3, start);
            playout.advance(start + ms(at));
            assert_eq!(playout.heard(), ms(expected), "after {at} ms");
        }
    }

    #[tokio::test]
    async fn nothing_is_heard_before_the_first_frame_begins() {
        let start = Instant::now();
        let mut playout = given(1, start + ms(10));
        playout.advance(start + ms(9));
        assert_eq!((playout.first_sound(), playout.heard()), (None, ms(0)));
        assert_eq!(playout.due(), Some(start + ms(10)));
    }

    #[tokio::test]
    async fn the_answer_is_over_when_its_last_frame_ends() {
        let start = Instant::now();
        let mut playout = given(2, start);
        playout.advance(start + ms(30));
        assert_eq!(playout.due(), None, "more may follow");
        playout.push(AudioFrame::silence(ms(0), AudioFrame::CALLER_RATE_HZ), true);
        assert!(!playout.wants_more() && !playout.is_over(start + ms(39)));
        assert_eq!(playout.due(), Some(start + ms(40)));
        assert!(playout.is_over(start + ms(40)) && playout.is_complete());
    }

    #[tokio::test]
    async fn an_answer_without_sound_is_over_at_once() {
        let mut playout = Playout::default();
        playout.push(AudioFrame::silence(ms(0), AudioFrame::CALLER_RATE_HZ), true);
        assert!(playout.is_over(Instant::now()) && playout.is_complete());
    }

    #[tokio::test]
    async fn what_was_cut_off_is_over_but_not_complete() {
        let start = Instant::now();
        let mut playout = given(1, start);
        playout.close();
        playout.advance(start + ms(20));
        assert!(playout.is_over(start + ms(20)) && !playout.is_complete());
    }

    #[tokio::test]
    async fn held_frames_that_had_not_begun_wait_again_in_order() {
        let start = Instant::now();
        let mut playout = given(3, start);
        let later = AudioFrame::new(vec![7; 320], AudioFrame::CALLER_RATE_HZ);
        playout.push(later.clone(), true);
        playout.hold(start + ms(25));
        assert_eq!(playout.heard(), ms(40), "the frame in hand finishes");
        assert!(playout.next().is_none() && playout.due().is_none());
        playout.resume();
        let mut played = Vec::new();
        while let Some(next) = playout.next() {
            played.push(next.clone());
            playout.give(start + ms(500));
        }
        assert_eq!(played, [frame(), later]);
    }

    #[tokio::test]
    async fn a_stopped_answer_is_silent_after_the_frame_in_hand() {
        let start = Instant::now();
        let mut playout = given(3, start);
        assert_eq!(playout.stop(start + ms(25)), start + ms(40));
        assert_eq!(playout.heard(), ms(40));
    }

    #[tokio::test]
    async fn an_answer_that_had_run_dry_is_silent_when_it_is_stopped() {
        let start = Instant::now();
        let mut playout = given(1, start);
        assert_eq!(playout.stop(start + ms(300)), start + ms(300));
        assert_eq!(Playout::default().stop(start), start);
    }

    #[tokio::test]
    async fn a_held_answer_was_silent_since_it_was_held() {
        let start = Instant::now();
        let mut playout = given(3, start);
        playout.hold(start + ms(25));
        assert_eq!(playout.stop(start + ms(300)), start + ms(40));
    }
}
