//! The `voicegraph` program: run to its end, or beside the test.
//!
//! It sees no variables but those that the test gives it, so that no key of the developer's and no
//! configuration of the shell comes into a test.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::proc::Proc;
use crate::workspace;

/// How long a run to the end may take: many times what the longest needs, on a busy machine.
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// How long a process may take to say what it is waited for, or to end.
const WORD_LIMIT: Duration = Duration::from_secs(20);

/// Lines that may wait for the test. What comes beyond is lost, and the process is not held up.
const MAX_LINES: usize = 1_024;

/// A variable and its value.
pub type Variable<'a> = (&'a str, &'a str);

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// All that it wrote to standard output.
    pub stdout: String,
    /// All that it wrote to standard error.
    pub stderr: String,
}

impl Ended {
    /// Checks that it ended well, and gives its output.
    ///
    /// # Panics
    /// Where its exit code is not 0.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Checks that it ended with `code`, said nothing on standard output and each of `parts` on
    /// standard error.
    ///
    /// # Panics
    /// Where it did not.
    #[track_caller]
    pub fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in {:?}", self.stderr);
        }
    }
}

/// Runs the program in `folder` to its end.
///
/// # Panics
/// Where it does not end in time.
pub async fn run(folder: &Path, arguments: &[&str], variables: &[Variable<'_>]) -> Ended {
    let mut command = command(&[], arguments, variables);
    let output = timeout(RUN_LIMIT, command.current_dir(folder).output()).await;
    let output = output.unwrap_or_else(|_| panic!("{arguments:?} took longer than {RUN_LIMIT:?}"));
    let output = output.expect("the program was just built");
    let text = |bytes| String::from_utf8(bytes).expect("it writes text");
    let code = output.status.code().expect("no signal ended it");
    Ended { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn command(under: &[&str], arguments: &[&str], variables: &[Variable<'_>]) -> Command {
    let mut words = under.iter().map(PathBuf::from).chain([workspace::voicegraph()]);
    let mut command = Command::new(words.next().expect("the program at least"));
    command
        .args(words)
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    command.kill_on_drop(true);
    command
}

/// A program that runs beside the test. Dropping it kills it.
pub struct Process {
    child: Child,
    /// What it writes, line by line, to standard output and standard error.
    lines: mpsc::Receiver<String>,
}

impl Process {
    /// Starts it in the workspace's folder.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start(arguments: &[&str], variables: &[Variable<'_>]) -> Self {
        Self::start_under(&[], arguments, variables)
    }

    /// The same, with the words before the program's name: `ip netns exec NAME`. They must end in
    /// an `exec`, so that the process is the program itself.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start_under(under: &[&str], arguments: &[&str], variables: &[Variable<'_>]) -> Self {
        Self::start_other(command(under, arguments, variables))
    }

    /// Starts another program there.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start_other(mut command: Command) -> Self {
        command.current_dir(workspace::root()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.stdin(Stdio::null()).kill_on_drop(true).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (sender, lines) = mpsc::channel(MAX_LINES);
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        tokio::spawn(pass(stdout, sender.clone()));
        tokio::spawn(pass(stderr, sender));
        Self { child, lines }
    }

    /// The process's id.
    ///
    /// # Panics
    /// Where it was waited for.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it was not waited for")
    }

    /// What the kernel tells of it.
    ///
    /// # Panics
    /// Where it was waited for.
    pub fn proc(&self) -> Proc {
        Proc::of(self.id())
    }

    /// Where it listens, as the next line says that has `before` in front of it.
    ///
    /// # Panics
    /// Where it does not in time.
    pub async fn address(&mut self, before: &str) -> String {
        let line = self.line_with(before).await;
        let rest = line.split_once(before).expect("the line has it").1;
        rest.split(['/', ',', ' ']).next().unwrap_or(rest).to_owned()
    }

    /// The next line with `part` in it; those before are passed over.
    ///
    /// # Panics
    /// Where it does not come in time.
    pub async fn line_with(&mut self, part: &str) -> String {
        self.line_within(part, WORD_LIMIT).await
    }

    /// The same for what takes longer by itself.
    ///
    /// # Panics
    /// Where it does not come within `limit`.
    pub async fn line_within(&mut self, part: &str, limit: Duration) -> String {
        let mut passed = Vec::new();
        let found = timeout(limit, async {
            while let Some(line) = self.lines.recv().await {
                if line.contains(part) {
                    return Some(line);
                }
                passed.push(line);
            }
            None
        });
        let found = found.await.ok().flatten();
        found.unwrap_or_else(|| panic!("no line with {part:?}, but {passed:#?}"))
    }

    /// Asks it to end, as a process supervisor does.
    ///
    /// # Panics
    /// Where it has ended already.
    pub async fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().await;
        assert!(sent.expect("there is a shell").success(), "it had ended");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where it does not end in time.
    pub async fn ended(&mut self) -> ExitStatus {
        let ended = timeout(WORD_LIMIT, self.child.wait()).await;
        ended.expect("it ends in time").expect("a child can be waited for")
    }

    /// Asks it to end, and waits until it has: what it writes is then written to its end.
    ///
    /// # Panics
    /// Where it does not end well and in time.
    pub async fn end(mut self) {
        self.terminate().await;
        let ended = self.ended().await;
        assert!(ended.success(), "it ended with {ended}");
    }

    /// Kills it and waits for its end.
    ///
    /// # Panics
    /// Where it had ended before.
    pub async fn stop(mut self) {
        let ended = self.child.try_wait().expect("a child can be asked");
        assert_eq!(ended, None, "it ended by itself");
        self.child.kill().await.expect("a running child can be killed");
    }
}

/// Passes on line after line; reads on where nobody takes them, since a full pipe would stop the
/// process.
async fn pass(pipe: impl AsyncRead + Unpin, to: mpsc::Sender<String>) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let _ = to.try_send(line);
    }
}
