//! One target's campaign: the seeds of its corpus, then changes of them, under a limit of time for
//! each input.

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::corpus::Corpus;
use super::mutator::Mutator;
use crate::workspace;

/// An input that takes longer hangs. The slowest takes a tenth of a second.
const HANG: Duration = Duration::from_secs(20);

/// What is to be tried of a target.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The target's name, which is that of its corpus.
    pub name: &'static str,
    /// The target.
    pub target: fn(&[u8]),
    /// How many inputs are made for each seed.
    pub runs: u64,
}

/// An input, and where it is from.
#[derive(Clone, Debug, Default)]
struct Input {
    /// `seed-text`, or `SEED=7 RUN=12`.
    origin: String,
    bytes: Vec<u8>,
}

/// The input in hand, for who watches.
type Hand = Arc<Mutex<Input>>;

impl Campaign {
    /// Tries the corpus, then the inputs of the first seed, or of as many as `SEEDS=200 cargo test`
    /// says, or of the one that `SEED` names.
    ///
    /// # Panics
    /// Where the target does, or hangs: the message has the seed, the target and the input.
    pub fn run(self) {
        let number = |name| variable(name).map(|text| text.parse().expect("it is a number"));
        let seeds = match (number("SEED"), number("SEEDS")) {
            (Some(seed), _) => seed..=seed,
            (None, many) => 1..=many.unwrap_or(1),
        };
        if let Some(failure) = self.failure(Corpus::of(self.name), seeds, HANG) {
            panic!("{failure}");
        }
    }

    /// What went wrong first.
    fn failure(
        self,
        corpus: Corpus,
        seeds: impl Iterator<Item = u64> + Send + 'static,
        hang: Duration,
    ) -> Option<String> {
        let hand = Hand::default();
        let (done, result) = sync_channel(1);
        let seen = Arc::clone(&hand);
        // A target that hangs is left behind, and ends with the process.
        thread::spawn(move || self.try_all(&corpus, seeds, &seen, &done));
        let now = || hand.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut before = Input::default();
        loop {
            match result.recv_timeout(hang) {
                Ok(None) => return None,
                Ok(Some(panic)) => return Some(self.report(&now(), &panic)),
                Err(RecvTimeoutError::Timeout) if now().origin == before.origin => {
                    return Some(self.report(&before, &format!("no end within {hang:?}")));
                }
                Err(RecvTimeoutError::Timeout) => before = now(),
                Err(RecvTimeoutError::Disconnected) => unreachable!("panics are caught"),
            }
        }
    }

    /// Tells what the first panic said, or that there was none.
    fn try_all(
        self,
        corpus: &Corpus,
        seeds: impl Iterator<Item = u64>,
        hand: &Hand,
        done: &SyncSender<Option<String>>,
    ) {
        let committed = corpus.seeds.iter().cloned();
        let committed = committed.map(|(origin, bytes)| Input { origin, bytes });
        let made = seeds.flat_map(|seed| {
            let mut mutator = Mutator::new(corpus, seed);
            let input = move |run| Input {
                origin: format!("SEED={seed} RUN={run}"),
                bytes: mutator.input(),
            };
            (0..self.runs).map(input)
        });
        let panic = committed.chain(made).find_map(|input| {
            let bytes = input.bytes.clone();
            *hand.lock().unwrap_or_else(PoisonError::into_inner) = input;
            catch_unwind(AssertUnwindSafe(|| (self.target)(&bytes))).err()
        });
        // Nobody waits any more where an input took too long.
        let _ = done.send(panic.map(|panic| said(&*panic)));
    }

    /// Writes the input down, and says where it is and what it does.
    fn report(self, Input { origin, bytes }: &Input, what: &str) -> String {
        let name = self.name;
        let path = self.write_down(origin, bytes);
        let (count, text) = (bytes.len(), bytes.escape_ascii());
        let path = path.display();
        format!(
            "TARGET={name} {origin}: {what}\n{count} bytes: \"{text}\"\nThey are in {path}; copy \
             them to tests/fuzz/corpus/{name}/seed-…, so that they are tried ever after."
        )
    }

    fn write_down(self, origin: &str, bytes: &[u8]) -> PathBuf {
        let folder = workspace::target().join("fuzz").join(self.name);
        fs::create_dir_all(&folder).expect("target is writable");
        let path = folder.join(origin.replace(' ', "-"));
        fs::write(&path, bytes).expect("target is writable");
        path
    }
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "who runs the test chooses the seeds")]
    std::env::var(name).ok()
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(target: fn(&[u8]), hang: Duration) -> Option<String> {
        let campaign = Campaign { name: "planted", target, runs: 2_000 };
        let seeds = [("seed-a", &b"{\"number\": 12}"[..]), ("seed-b", b"[1, 2]\x1e")];
        let seeds = seeds.map(|(name, seed)| (name.to_owned(), seed.to_vec()));
        campaign.failure(Corpus::new(seeds.into()), 1..=2, hang)
    }

    /// A reader that cannot bear a number in a list.
    fn planted(bytes: &[u8]) {
        let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!(has(b"65535") && has(b"[")), "planted");
    }

    #[test]
    fn a_planted_fault_is_found_and_told_with_its_input() {
        let told = failure(planted, HANG).expect("it is found");
        assert!(told.starts_with("TARGET=planted SEED=") && told.contains(": planted\n"), "{told}");
        assert!(told.contains("65535"), "{told}");
        let path = told.split("They are in ").nth(1).and_then(|rest| rest.split(';').next());
        let input = fs::read(path.expect("it says where")).expect("it was written");
        assert!(catch_unwind(|| planted(&input)).is_err(), "it is the one that fails");
    }

    #[test]
    fn a_seed_that_fails_is_told_by_its_name() {
        let told = failure(|bytes| assert!(!bytes.ends_with(b"\x1e")), HANG).expect("it is found");
        assert!(told.starts_with("TARGET=planted seed-b: "), "{told}");
        assert!(told.contains("\"[1, 2]\\x1e\""), "{told}");
    }

    #[test]
    fn an_input_without_end_is_told() {
        let hangs = |bytes: &[u8]| {
            while bytes.starts_with(b"[1, 2]\x1e") {
                thread::park();
            }
        };
        let told = failure(hangs, Duration::from_millis(200)).expect("it is found");
        assert!(told.starts_with("TARGET=planted seed-b: no end within 200ms"), "{told}");
    }

    #[test]
    fn a_target_that_holds_is_left_alone() {
        assert_eq!(failure(|bytes| assert!(bytes.len() < 100_000), HANG), None);
    }
}
