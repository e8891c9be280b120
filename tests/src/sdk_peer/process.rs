//! The process of a peer: commands in, answers and events out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::wire::{Answer, Event, Line};

/// Events that may wait for the test. One beyond is a mistake of the test.
const MAX_EVENTS: usize = 8_192;

/// Bytes of the process's standard error that a failure shows.
const MAX_SAID: usize = 8_000;

/// A running process. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Process {
    input: tokio::sync::Mutex<ChildStdin>,
    events: tokio::sync::Mutex<mpsc::Receiver<Event>>,
    commands: AtomicU64,
    shared: Arc<Shared>,
    child: Child,
}

/// What the tasks that listen to it share with the test.
#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<BTreeMap<u64, oneshot::Sender<Answer>>>,
    said: Mutex<String>,
}

impl Process {
    /// Starts the program that is the first of `words`, with the others as arguments.
    pub(super) fn start(words: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().expect("a program at least"));
        command.args(words).env("PYTHONDONTWRITEBYTECODE", "1").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the environment was made");
        let input = child.stdin.take().expect("stdin is a pipe");
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let (sender, events) = mpsc::channel(MAX_EVENTS);
        let shared = Arc::<Shared>::default();
        tokio::spawn(hear(stdout, sender, shared.clone()));
        tokio::spawn(note(stderr, shared.clone()));
        let (input, events) = (input.into(), events.into());
        Self { input, events, commands: AtomicU64::new(0), shared, child }
    }

    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub(super) fn said(&self) -> String {
        lock(&self.shared.said).clone()
    }

    /// A number that nothing else has.
    pub(super) fn number(&self) -> u64 {
        self.commands.fetch_add(1, Ordering::Relaxed)
    }

    /// Has it begin with `command`, whose result nobody waits for.
    pub(super) async fn tell(&self, mut command: Value) {
        command["id"] = self.number().into();
        self.write(&command).await;
    }

    async fn write(&self, command: &Value) {
        let line = format!("{command}\n");
        let written = self.input.lock().await.write_all(line.as_bytes()).await;
        written.unwrap_or_else(|error| panic!("the peer has ended: {error}\n{}", self.said()));
    }

    /// Has it do `command`. Panics where that is not done, or refused, within `limit`.
    pub(super) async fn ask(&self, mut command: Value, limit: Duration) -> Answer {
        let id = self.number();
        command["id"] = id.into();
        let (sender, answer) = oneshot::channel();
        lock(&self.shared.waiting).insert(id, sender);
        self.write(&command).await;
        let answer = timeout(limit, answer).await;
        let answer = answer.unwrap_or_else(|_| {
            panic!("{} was not done within {limit:?}\n{}", command["do"], self.said())
        });
        answer.unwrap_or_else(|_| panic!("the peer has ended\n{}", self.said()))
    }

    /// The first event that `pick` takes. Panics where it does not come within `limit`.
    pub(super) async fn event<T>(
        &self,
        what: &str,
        limit: Duration,
        pick: impl Fn(Event) -> Option<T>,
    ) -> T {
        let mut events = self.events.lock().await;
        let found = timeout(limit, async {
            loop {
                if let Some(picked) = pick(events.recv().await?) {
                    return Some(picked);
                }
            }
        });
        let found = found.await.unwrap_or_else(|_| {
            panic!("the peer did not tell of {what} within {limit:?}\n{}", self.said())
        });
        found.unwrap_or_else(|| panic!("the peer has ended\n{}", self.said()))
    }
}

impl Shared {
    /// Takes what a line tells to where it belongs.
    fn take(&self, line: &str, events: &mpsc::Sender<Event>) -> Result<(), String> {
        let (id, answer) = match serde_json::from_str(line) {
            Ok(Line::Done { id, ok }) => (id, Ok(ok)),
            Ok(Line::Failed { id, error }) => (id, Err(error)),
            Ok(Line::Told(event)) => {
                let full = |_| format!("more than {MAX_EVENTS} events wait for the test");
                return events.try_send(event).map_err(full);
            }
            Err(error) => return Err(format!("it wrote {line:?}: {error}")),
        };
        if let Some(waiting) = lock(&self.waiting).remove(&id) {
            let _ = waiting.send(answer);
        }
        Ok(())
    }

    /// Keeps `line` among the last that it said.
    fn note(&self, line: &str) {
        let mut said = lock(&self.said);
        said.push_str(line);
        said.push('\n');
        let over = said.len().saturating_sub(MAX_SAID);
        let cut = said.ceil_char_boundary(over);
        said.drain(..cut);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens to what it tells until it ends, or until one of the two breaks the rules; then whoever
/// waits learns that nothing comes any more.
async fn hear(stdout: impl AsyncRead + Unpin, events: mpsc::Sender<Event>, shared: Arc<Shared>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Err(error) = shared.take(&line, &events) {
            shared.note(&error);
            break;
        }
    }
    lock(&shared.waiting).clear();
}

/// Listens to what it complains of.
async fn note(stderr: impl AsyncRead + Unpin, shared: Arc<Shared>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        shared.note(&line);
    }
}
