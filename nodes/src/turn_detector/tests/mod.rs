//! The rules of the dialogue as scripts: what is heard and when, and what is done and when.
//!
//! ```text
//!   560 started 500          told at 560 ms: speech began at 500 ms
//!   900 ended 700            told and decided at 900 ms: speech ended at 700 ms
//!   950 interim - I would    an interim, without the time of its last word
//!   960 final 690 I would    a final whose last word ended at 690 ms
//!   960 over 690 I would     the same with the recogniser's endpoint
//!   1700 gap 690             the endpoint by word gap
//!   1800 typed - at two      a message
//!   1800 press - 1           a key of the telephone
//!   1800 button              the button to interrupt
//!   2000 speaks              the agent's first sound is played
//!   3000 done                the agent's last sound was played
//!   4000 close               both inputs are at their end
//! ```

mod barge_in;
mod end_of_turn;
mod input;
mod laws;
mod stage;

use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::message::{Endpoint, Speech, Transcript, UserInput};
use voicegraph_engine::turn::Anchor;

use super::dialogue::{Action, Agent, Dialogue};
use super::{EndOfTurn, Options};

/// More than any script's timers together.
const SPINS: u32 = 100;

/// Longer than any delay of the default options.
const AFTERWARDS_MS: u64 = 30_000;

/// Something that happens to the dialogue.
#[derive(Clone, Debug)]
enum Happening {
    Started(u64),
    Ended(u64),
    Heard { text: String, is_final: bool, endpoint: Option<Endpoint>, end: Option<u64> },
    Given(UserInput),
    Speaks,
    Done,
    Close,
}

/// A dialogue with an agent that does what it is told, and a log of that.
struct Call {
    start: Instant,
    now: u64,
    dialogue: Dialogue,
    agent: Agent,
    held: bool,
    log: Vec<String>,
    turns: Vec<String>,
}

impl Call {
    fn new(options: Options) -> Self {
        // Some time before the start can be told too.
        let start = Instant::now() + Duration::from_secs(10);
        let dialogue = Dialogue::new(options.build().expect("the options fit"));
        let (log, turns) = (Vec::new(), Vec::new());
        let mut call =
            Self { start, now: 0, dialogue, agent: Agent::Idle, held: false, log, turns };
        let actions = call.dialogue.start(call.instant(0));
        call.act(actions);
        call
    }

    fn instant(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from((at - self.start).as_millis()).expect("a short script")
    }

    /// Lets the time pass until `ms`, with all that is due on the way.
    fn pass(&mut self, ms: u64) {
        for _ in 0..SPINS {
            let due = self.dialogue.due(self.agent).map(|due| self.millis(due).max(self.now));
            let Some(due) = due.filter(|due| *due <= ms) else {
                self.now = ms;
                return;
            };
            self.now = due;
            let actions = self.dialogue.on_time(self.instant(due), self.agent);
            self.act(actions);
        }
        panic!("the dialogue wakes for nothing at {} ms", self.now);
    }

    fn happen(&mut self, ms: u64, happening: Happening) {
        self.pass(ms);
        let (now, agent) = (self.instant(ms), self.agent);
        let actions = match happening {
            Happening::Started(at) => {
                let at = self.instant(at);
                self.dialogue.on_speech(Speech::Started { at }, now, agent)
            }
            Happening::Ended(at) => {
                let at = self.instant(at);
                self.dialogue.on_speech(Speech::Ended { at, decided: now }, now, agent)
            }
            Happening::Heard { text, is_final, endpoint, end } => {
                let audio_end = end.map(|end| self.instant(end));
                let heard = Transcript { text, is_final, endpoint, audio_end, received: now };
                self.dialogue.on_transcript(&heard, now, agent)
            }
            Happening::Given(input) => self.dialogue.on_input(&input, now, now, agent),
            Happening::Speaks => {
                assert_eq!(agent, Agent::Thinking, "at {ms} ms no answer is prepared");
                assert!(!self.held, "at {ms} ms the caller speaks: {:?}", self.log);
                self.agent = Agent::Speaking;
                Vec::new()
            }
            Happening::Done => self.end_turn(),
            Happening::Close => self.dialogue.on_close(now, agent),
        };
        self.act(actions);
    }

    fn end_turn(&mut self) -> Vec<Action> {
        self.agent = Agent::Idle;
        self.held = false;
        self.dialogue.on_turn_ended(self.instant(self.now), Agent::Idle)
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            let line = match action {
                Action::Hold => {
                    assert!(self.agent != Agent::Idle && !self.held, "{:?}", self.log);
                    self.held = true;
                    "hold".to_owned()
                }
                Action::Resume => {
                    assert!(self.agent != Agent::Idle && self.held, "{:?}", self.log);
                    self.held = false;
                    "resume".to_owned()
                }
                Action::Interrupt { onset } => {
                    assert_ne!(self.agent, Agent::Idle, "{:?}", self.log);
                    self.agent = Agent::Idle;
                    self.held = false;
                    format!("interrupt {}", self.millis(onset))
                }
                Action::Begin(beginning) => {
                    assert_ne!(self.agent, Agent::Speaking, "it is interrupted first");
                    let (origin, settled) = (beginning.origin, beginning.settled);
                    let now = self.instant(self.now);
                    assert!(origin <= settled && settled <= now, "{beginning:?} at {now:?}");
                    self.agent = Agent::Thinking;
                    self.held = false;
                    self.turns.push(beginning.text.clone());
                    let anchor = match beginning.anchor {
                        Anchor::Vad => "vad",
                        Anchor::Stt => "stt",
                        Anchor::Input => "input",
                        Anchor::CallStart => "call_start",
                    };
                    let (origin, settled) = (self.millis(origin), self.millis(settled));
                    format!("begin {:?} {anchor} {origin} settled {settled}", beginning.text)
                }
            };
            self.log.push(format!("{} {line}", self.now));
        }
    }
}

fn parse(line: &str) -> (u64, Happening) {
    let mut fields = line.split_whitespace();
    let ms = fields.next().and_then(|ms| ms.parse().ok()).expect("a time");
    let verb = fields.next().expect("a verb");
    let at = fields.next().and_then(|at| at.parse().ok());
    let text = fields.collect::<Vec<_>>().join(" ");
    let heard =
        |is_final, endpoint| Happening::Heard { text: text.clone(), is_final, endpoint, end: at };
    let happening = match verb {
        "started" => Happening::Started(at.expect("an onset")),
        "ended" => Happening::Ended(at.expect("an end")),
        "interim" => heard(false, None),
        "final" => heard(true, None),
        "over" => heard(true, Some(Endpoint::Silence)),
        "gap" => heard(true, Some(Endpoint::WordGap)),
        "typed" => Happening::Given(UserInput::text(&text).expect("a text")),
        "press" => Happening::Given(UserInput::Digit(text.parse().expect("one key"))),
        "button" => Happening::Given(UserInput::Interrupt),
        "speaks" => Happening::Speaks,
        "done" => Happening::Done,
        "close" => Happening::Close,
        _ => panic!("unknown verb in {line:?}"),
    };
    (ms, happening)
}

/// Plays `script` and compares what is done.
fn check(options: Options, script: &[&str], expected: &[&str]) {
    let mut call = Call::new(options);
    for line in script {
        let (ms, happening) = parse(line);
        call.happen(ms, happening);
    }
    call.pass(call.now + AFTERWARDS_MS);
    assert_eq!(call.log, expected);
}

/// Options in which each delay can be told from the others.
fn options(endpoint: EndOfTurn) -> Options {
    Options { endpoint, min_delay_ms: 0, ..Options::default() }
}
