use super::*;

const LIMITS: Limits = Limits {
    first_audio: Duration::from_millis(3000),
    progress: Duration::from_millis(1000),
    buffer: Duration::from_millis(100),
    chunks: ChunkLimits { first_min: 12, first_max: 60, min: 60, max: 200 },
};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn speech(text: &str) -> Speech {
    let mut speech = Speech::new("s-1".to_owned(), NonZeroU32::new(8000).expect("a rate"), LIMITS);
    speech.add_text(text);
    speech
}

/// What is sent now: context, transcript and whether more follows.
fn sent(speech: &mut Speech, now: Instant) -> Vec<(String, String, bool)> {
    let requests = std::iter::from_fn(|| speech.next_request(now));
    let spoken = requests.map(|request| match request {
        Request::Speak { context, transcript, more } => (context, transcript, more),
        Request::Cancel { context } => (context, "(cancel)".to_owned(), false),
    });
    spoken.collect()
}

fn reply(speech: &mut Speech, body: Body, now: Instant) -> News {
    let context = Some(format!("s-1-{}", speech.attempts));
    speech.on_reply(Reply { context, body }, now).expect("no failure")
}

/// Sound of so many milliseconds.
fn sound(length_ms: usize) -> Body {
    Body::Chunk(vec![1; length_ms * 16])
}

fn word(text: &str, start: u64, end: u64) -> SpokenWord {
    SpokenWord { text: text.to_owned(), start: ms(start), end: ms(end) }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_runs_only_while_sound_is_owed() {
    let start = Instant::now();
    let mut speech = speech("Let me look.");
    assert_eq!(speech.deadline(), None, "nothing was asked");
    sent(&mut speech, start);
    assert_eq!(speech.deadline(), Some(start + ms(3000)));
    reply(&mut speech, Body::Words(vec![word("Let", 0, 10)]), start + ms(500));
    assert_eq!(speech.deadline(), Some(start + ms(3000)), "words are no sound");
    reply(&mut speech, sound(20), start + ms(600));
    assert_eq!(speech.deadline(), None, "the text pauses");
    speech.add_text(" Yes.");
    sent(&mut speech, start + ms(5000));
    assert_eq!(speech.deadline(), Some(start + ms(6000)));
    assert_eq!(speech.stall(start + ms(5999)), None);
    let stall = speech.stall(start + ms(6000)).expect("a stall");
    assert_eq!(stall.to_string(), "no progress within 1000 ms");
}

#[tokio::test(start_paused = true)]
async fn time_in_which_nothing_was_read_does_not_count() {
    let start = Instant::now();
    let mut speech = speech("Yes.");
    speech.end_text();
    sent(&mut speech, start);
    reply(&mut speech, sound(120), start);
    assert!(speech.is_full());
    assert_eq!(speech.deadline(), None);
    let later = start + ms(60_000);
    speech.pop_frame(later);
    speech.pop_frame(later);
    assert!(!speech.is_full());
    assert_eq!(speech.deadline(), Some(later + ms(1000)));
}

#[tokio::test(start_paused = true)]
async fn text_that_an_expired_context_missed_is_sent_again() {
    let start = Instant::now();
    let mut speech = speech("Let me look.");
    sent(&mut speech, start);
    reply(&mut speech, sound(20), start);
    speech.add_text(" Yes.");
    assert_eq!(sent(&mut speech, start), [("s-1-1".to_owned(), " Yes.".to_owned(), true)]);
    reply(&mut speech, Body::Done, start);
    assert_eq!(sent(&mut speech, start), [("s-1-2".to_owned(), " Yes.".to_owned(), true)]);
}

#[tokio::test(start_paused = true)]
async fn half_a_sample_of_a_broken_context_does_not_shift_the_next() {
    let start = Instant::now();
    let mut speech = speech("Yes.");
    speech.end_text();
    sent(&mut speech, start);
    reply(&mut speech, Body::Chunk(vec![9]), start);
    speech.restart(start);
    sent(&mut speech, start);
    reply(&mut speech, Body::Chunk(vec![1, 0, 2, 0]), start);
    reply(&mut speech, Body::Done, start);
    speech.settle();
    let (frame, last) = speech.pop_frame(start).expect("a frame");
    assert_eq!((frame.samples(), last), ([1, 2].as_slice(), true));
}

#[tokio::test(start_paused = true)]
async fn a_new_attempt_waits_for_its_time_and_takes_later_text_along() {
    let start = Instant::now();
    let mut speech = speech("One two. ");
    sent(&mut speech, start);
    speech.restart(start + ms(100));
    assert!(!speech.wants_text(), "what is in hand goes first");
    assert_eq!(sent(&mut speech, start + ms(99)), []);
    speech.add_text("Three");
    speech.end_text();
    let expected = [("s-1-2", "One two. ", true), ("s-1-2", "Three", false)];
    let expected = expected.map(|(id, text, more)| (id.to_owned(), text.to_owned(), more));
    assert_eq!(sent(&mut speech, start + ms(100)), expected);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_cancels_what_was_asked_for() {
    assert_eq!(speech("Yes.").cancel(), None);
    let mut speech = speech("Yes.");
    sent(&mut speech, Instant::now());
    assert_eq!(speech.cancel(), Some(Request::Cancel { context: "s-1-1".to_owned() }));
}
