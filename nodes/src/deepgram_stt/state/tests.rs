//! The machine by itself: tables of what it does, and that no word is lost or told twice.

use proptest::prelude::*;
use serde_json::json;
use voicegraph_engine::message::Endpoint;

use super::super::config::tests::options;
use super::super::wire::Word;
use super::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A call with its own clock; what the machine does is written down as text.
struct World {
    start: Instant,
    now: Instant,
    state: Recognition,
}

impl World {
    /// A call with a connection.
    fn connected(fields: serde_json::Value) -> Self {
        let mut world = Self::new(fields);
        assert!(world.state.connected(world.now).is_empty());
        world
    }

    fn new(fields: serde_json::Value) -> Self {
        let start = Instant::now();
        let settings = Arc::new(options(fields).build().unwrap());
        Self { start, now: start, state: Recognition::new(settings, start) }
    }

    /// Frames of 20 ms at `level`, each taken when captured; what is sent meanwhile.
    fn hear(&mut self, millis: u64, level: i16) -> Vec<&'static str> {
        (0..millis / 20)
            .flat_map(|_| {
                self.capture(20, level);
                self.send()
            })
            .collect()
    }

    /// Frames of 20 ms at `level`, of which nothing is sent yet.
    fn capture(&mut self, millis: u64, level: i16) {
        for _ in 0..millis / 20 {
            self.now += ms(20);
            let frame = AudioFrame::new(vec![level; 320], AudioFrame::CALLER_RATE_HZ);
            self.state.audio(frame, self.now);
        }
    }

    /// What is sent now, audio frames left out.
    fn send(&mut self) -> Vec<&'static str> {
        let mut sent = Vec::new();
        while let Some(outgoing) = self.state.next(self.now) {
            sent.extend(match outgoing {
                Outgoing::Audio(_) => None,
                Outgoing::KeepAlive => Some("KeepAlive"),
                Outgoing::Finalize => Some("Finalize"),
                Outgoing::CloseStream => Some("CloseStream"),
            });
        }
        sent
    }

    /// How many frames are sent now.
    fn send_audio(&mut self) -> usize {
        let next = std::iter::from_fn(|| self.state.next(self.now));
        next.filter(|outgoing| matches!(outgoing, Outgoing::Audio(_))).count()
    }

    /// Lets `millis` pass, doing what is due; what was done, each with its time in ms.
    fn pass(&mut self, millis: u64) -> Vec<String> {
        let (end, mut done) = (self.now + ms(millis), Vec::new());
        while let Some(due) = self.state.due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let actions = self.state.tick(self.now);
            let at = (self.now - self.start).as_millis();
            let sent = if self.state.connected { self.send() } else { Vec::new() };
            done.extend(shown(&actions).into_iter().map(|action| format!("{at} {action}")));
            done.extend(sent.iter().map(|outgoing| format!("{at} {outgoing}")));
            if actions.iter().any(|action| matches!(action, Action::GiveUp(_) | Action::Finish)) {
                break;
            }
        }
        self.now = self.now.max(end);
        done
    }

    fn results(&mut self, end_ms: u64, text: &str, kind: &str) -> Vec<String> {
        let results = Results {
            end: ms(end_ms),
            is_final: kind != "interim",
            speech_final: kind == "speech_final",
            from_finalize: kind == "from_finalize",
            transcript: text.to_owned(),
            words: vec![Word {
                text: text.to_owned(),
                start: ms(end_ms.saturating_sub(300)),
                end: ms(end_ms),
            }],
            ..Results::default()
        };
        shown(&self.state.message(Incoming::Results(results), self.now))
    }
}

fn shown(actions: &[Action]) -> Vec<String> {
    let show = |action: &Action| match action {
        Action::Emit(told) if !told.is_final => format!("~ {}", told.text),
        Action::Emit(told) => match told.endpoint {
            None => format!("= {}", told.text),
            Some(Endpoint::Silence) => format!(". {}", told.text),
            Some(Endpoint::WordGap) => format!("_ {}", told.text),
        },
        Action::Report(what) => format!("report: {what}"),
        Action::GiveUp(failure) => format!("give up ({:?}): {failure}", failure.verdict),
        Action::Finish => "finish".to_owned(),
    };
    actions.iter().map(show).collect()
}

#[test]
fn a_final_is_asked_for_after_the_audio_that_it_is_about() {
    let mut world = World::connected(json!({}));
    assert!(world.hear(1000, 3000).is_empty());
    world.state.speech_ended(world.now);
    assert_eq!(world.send(), ["Finalize"]);
    assert!(world.send().is_empty());
    assert_eq!(world.results(1000, "hello", "from_finalize"), ["= hello"]);
    assert!(world.pass(3000).is_empty());
}

#[test]
fn the_end_of_speech_means_nothing_where_the_option_says_so() {
    let mut world = World::connected(json!({ "finalize_on_speech_end": false }));
    world.hear(1000, 3000);
    world.state.speech_ended(world.now);
    assert!(world.send().is_empty());
}

#[test]
fn an_interim_becomes_final_when_no_final_comes() {
    let mut world = World::connected(json!({ "finalize_timeout_ms": 700 }));
    world.hear(1000, 3000);
    assert_eq!(world.results(900, "hello", "interim"), ["~ hello"]);
    world.state.speech_ended(world.now);
    world.send();
    assert_eq!(world.pass(2000), ["1700 = hello"]);
    assert!(world.results(1000, "hello", "final").is_empty());
}

#[test]
fn the_last_interim_is_told_in_time_even_without_a_connection() {
    let mut world = World::connected(json!({}));
    world.hear(1000, 3000);
    world.results(900, "hello", "interim");
    world.state.disconnected();
    world.state.speech_ended(world.now);
    assert_eq!(world.pass(5000), ["2000 = hello"]);
    assert!(world.state.connected(world.now).is_empty());
    assert_eq!(world.send(), ["Finalize"]);
    assert_eq!(world.results(100, "", "from_finalize"), ["= "]);
}

#[test]
fn a_question_that_went_down_with_its_connection_is_asked_again() {
    let mut world = World::connected(json!({}));
    world.hear(400, 3000);
    world.state.speech_ended(world.now);
    assert_eq!(world.send(), ["Finalize"]);
    world.state.disconnected();
    world.state.connected(world.now);
    assert_eq!(world.send(), ["Finalize"]);
    assert!(world.state.audio_ended(world.now).is_empty());
    assert_eq!(world.send(), ["CloseStream"]);
    world.state.disconnected();
    world.state.connected(world.now);
    assert_eq!(world.send(), ["Finalize", "CloseStream"]);
}

#[test]
fn an_idle_connection_is_kept_and_opened_by_a_sound() {
    let mut world = World::connected(json!({ "keep_alive_ms": 4000 }));
    let (mut sounds, mut requests) = (0, Vec::new());
    for _ in 0..3 {
        world.now = world.state.due().unwrap();
        assert!(world.state.tick(world.now).is_empty());
        match world.state.next(world.now) {
            Some(Outgoing::Audio(frame)) => sounds += frame.samples().len(),
            other => requests.push((other, world.now - world.start)),
        }
    }
    assert_eq!(sounds, 320);
    let kept = |millis| (Some(Outgoing::KeepAlive), ms(millis));
    assert_eq!(requests, [kept(8000), kept(12_000)]);
    world.hear(3980, 0);
    assert_eq!(world.pass(4000), ["19980 KeepAlive"]);
}

#[test]
fn speech_unanswered_is_a_fault_and_silence_is_none() {
    let mut world = World::connected(json!({ "progress_timeout_ms": 2000 }));
    world.hear(60_000, 50);
    assert!(world.results(60_000, "", "final").is_empty());
    world.hear(400, 3000);
    let what = "give up (Retry): speech was sent and nothing came back within 2000 ms";
    assert_eq!(world.pass(3000), [format!("62300 {what}")]);
    world.state.disconnected();
    world.state.connected(world.now);
    assert_eq!(world.send_audio(), 20);
    world.results(400, "hello", "interim");
    assert!(!world.pass(3000).iter().any(|done| done.contains("give up")));
}

#[test]
fn what_was_said_without_a_connection_is_sent_when_there_is_one() {
    let mut world = World::new(json!({ "audio_buffer_ms": 500 }));
    world.state.audio(AudioFrame::new(vec![], AudioFrame::CALLER_RATE_HZ), world.now);
    world.capture(600, 3000);
    let lost = "report: 100 ms of the caller's speech were lost without a connection";
    assert_eq!(shown(&world.state.connected(world.now)), [lost]);
    assert_eq!(world.send_audio(), 25);
}

#[test]
fn silence_that_was_dropped_is_no_loss() {
    let mut world = World::connected(json!({}));
    world.hear(10_000, 50);
    world.state.disconnected();
    world.capture(2000, 3000);
    world.capture(60_000, 50);
    assert!(world.state.connected(world.now).is_empty());
    let silence = (300 + 300) / 20;
    assert_eq!(world.send_audio(), silence + 100 + silence);
}

#[test]
fn words_whose_audio_cannot_be_sent_again_are_settled() {
    let mut world = World::connected(json!({ "audio_buffer_ms": 500 }));
    world.hear(1000, 3000);
    world.results(480, "one", "interim");
    world.state.disconnected();
    let actions = shown(&world.state.connected(world.now));
    let lost = "report: 20 ms of the caller's speech were lost without a connection";
    assert_eq!(actions, ["= one", lost]);
    assert_eq!(world.send_audio(), 25);
}

#[test]
fn capture_times_survive_gaps_and_new_connections() {
    let mut world = World::connected(json!({}));
    world.hear(1000, 3000);
    world.now += ms(500);
    world.hear(1000, 3000);
    let told = |world: &mut World, end_ms| {
        let words = vec![Word { text: "x".to_owned(), start: ms(end_ms - 1), end: ms(end_ms) }];
        let (end, transcript) = (ms(end_ms), "x".to_owned());
        let results = Results { end, transcript, words, is_final: true, ..Results::default() };
        let actions = world.state.message(Incoming::Results(results), world.now);
        let [Action::Emit(told)] = actions.as_slice() else { panic!("{actions:?}") };
        told.audio_end.unwrap() - world.start
    };
    assert_eq!(told(&mut world, 800), ms(800));
    assert_eq!(told(&mut world, 1200), ms(1700));
    world.state.disconnected();
    world.now += ms(300);
    world.state.connected(world.now);
    assert_eq!(world.send_audio(), 40);
    assert_eq!(told(&mut world, 100), ms(1800));
}

#[test]
fn a_drain_ends_with_metadata_a_close_or_the_limit() {
    let drained = |text| {
        let mut world = World::connected(json!({ "close_timeout_ms": 2000 }));
        world.hear(1000, 3000);
        world.results(900, text, "interim");
        assert!(world.state.audio_ended(world.now).is_empty());
        assert_eq!(world.send(), ["CloseStream"]);
        world
    };
    let mut world = drained("hello");
    assert_eq!(world.results(1000, "hello", "final"), ["= hello"]);
    assert_eq!(shown(&world.state.message(Incoming::Metadata, world.now)), ["finish"]);
    let mut world = drained("hello");
    assert_eq!(shown(&world.state.closed(1000, "", world.now)), ["= hello", "finish"]);
    assert_eq!(drained("hello").pass(5000), ["3000 = hello", "3000 finish"]);
}

#[test]
fn a_drain_without_connection_waits_only_for_what_was_said() {
    let mut silent = World::new(json!({}));
    assert_eq!(shown(&silent.state.audio_ended(silent.now)), ["finish"]);
    let mut spoken = World::new(json!({}));
    spoken.now += ms(100);
    let frame = AudioFrame::silence(ms(100), AudioFrame::CALLER_RATE_HZ);
    spoken.state.audio(frame, spoken.now);
    assert!(spoken.state.audio_ended(spoken.now).is_empty());
    assert_eq!(spoken.pass(9000), ["3100 finish"]);
}

#[test]
fn a_close_is_classed_by_its_code() {
    for (code, verdict) in [(1000, "Retry"), (1008, "Fatal"), (1011, "Retry"), (1005, "Retry")] {
        let mut world = World::connected(json!({}));
        let expected = format!("give up ({verdict}): connection closed with {code} NET");
        assert_eq!(shown(&world.state.closed(code, "NET", world.now)), [expected]);
    }
}

#[test]
fn an_absurd_span_does_not_deafen_the_node() {
    let mut world = World::connected(json!({}));
    world.hear(400, 3000);
    world.results(900_000, "a", "final");
    world.hear(600, 3000);
    assert_eq!(world.results(1000, "b", "final"), ["= b"]);
}

/// One step of a call, for the property.
#[derive(Clone, Copy, Debug)]
enum Step {
    Say,
    /// So many silent frames.
    Hush(u64),
    Send,
    Interim,
    Final,
    SpeechEnd,
    Pass(u64),
    Cut,
    Connect,
}

/// The level of the first word's frame, far above silence.
const FIRST_WORD: i16 = 1000;

/// A recogniser that hears one word per frame of 100 ms: the frame's level as a number, unless it
/// is silent.
#[derive(Default)]
struct Recogniser {
    heard: Vec<i16>,
    settled: usize,
}

impl Recogniser {
    fn results(&mut self, upto: usize, is_final: bool) -> Results {
        let at = |frame: usize, within| ms(100 * frame as u64 + within);
        let words: Vec<Word> = (self.settled..upto)
            .filter(|n| self.heard[*n] != 0)
            .map(|n| Word { text: self.heard[n].to_string(), start: at(n, 20), end: at(n, 80) })
            .collect();
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let (start, transcript) = (at(self.settled, 0), texts.join(" "));
        self.settled = if is_final { upto } else { self.settled };
        Results { start, end: at(upto, 0), is_final, transcript, words, ..Results::default() }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Say),
        2 => (1_u64..25).prop_map(Step::Hush),
        4 => Just(Step::Send),
        3 => Just(Step::Interim),
        2 => Just(Step::Final),
        1 => Just(Step::SpeechEnd),
        2 => (1_u64..1500).prop_map(Step::Pass),
        1 => Just(Step::Cut),
        2 => Just(Step::Connect),
    ];
    prop::collection::vec(step, 1..120)
}

/// A call with a [`Recogniser`] at the other end.
struct Pair {
    world: World,
    recogniser: Recogniser,
    said: i16,
    finals: Vec<String>,
}

impl Pair {
    fn take(&mut self, step: Step) {
        let world = &mut self.world;
        let actions = match step {
            Step::Say => {
                self.said += 1;
                self.capture(FIRST_WORD + self.said)
            }
            Step::Hush(frames) => (0..frames).flat_map(|_| self.capture(0)).collect(),
            Step::Send => {
                self.send();
                Vec::new()
            }
            Step::Interim | Step::Final if world.state.connected => {
                let is_final = matches!(step, Step::Final);
                let upto = self.recogniser.heard.len();
                let results = self.recogniser.results(upto, is_final);
                world.state.message(Incoming::Results(results), world.now)
            }
            Step::SpeechEnd => {
                world.state.speech_ended(world.now);
                Vec::new()
            }
            Step::Pass(millis) => {
                world.now += ms(millis);
                world.state.tick(world.now)
            }
            Step::Cut => {
                world.state.disconnected();
                Vec::new()
            }
            Step::Connect if !world.state.connected => {
                self.recogniser = Recogniser::default();
                world.state.connected(world.now)
            }
            Step::Interim | Step::Final | Step::Connect => Vec::new(),
        };
        self.act(actions);
    }

    /// A frame of 100 ms at `level`, not yet sent.
    fn capture(&mut self, level: i16) -> Vec<Action> {
        let world = &mut self.world;
        world.now += ms(100);
        let frame = AudioFrame::new(vec![level; 1600], AudioFrame::CALLER_RATE_HZ);
        world.state.audio(frame, world.now);
        Vec::new()
    }

    fn send(&mut self) {
        while self.world.state.connected
            && let Some(outgoing) = self.world.state.next(self.world.now)
        {
            if let Outgoing::Audio(frame) = outgoing
                && frame.samples().len() == 1600
            {
                self.recogniser.heard.push(frame.samples()[0]);
            }
        }
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Emit(told) if told.is_final => {
                    self.finals.extend(told.text.split_whitespace().map(str::to_owned));
                }
                Action::Emit(_) => {}
                Action::GiveUp(_) => self.world.state.disconnected(),
                Action::Report(what) => panic!("{what}"),
                Action::Finish => panic!("nobody asked for the end"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_word_is_told_once_and_in_order(steps in steps()) {
        let fields = json!({ "audio_buffer_ms": 60_000, "keep_alive_ms": 9000 });
        let mut pair = Pair {
            world: World::new(fields),
            recogniser: Recogniser::default(),
            said: 0,
            finals: Vec::new(),
        };
        let ending = [Step::Connect, Step::Send, Step::Final];
        for step in steps.into_iter().chain(ending) {
            pair.take(step);
        }
        let said = (1..=pair.said).map(|word| (FIRST_WORD + word).to_string());
        let said: Vec<String> = said.collect();
        prop_assert_eq!(pair.finals, said);
    }
}
