//! What a LiveKit server sends to a worker: frames, each after a byte of its length. Length 0 lets
//! time pass, 255 breaks the connection, 254 ends a job. However they come, no place is taken twice
//! or lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use voicegraph_engine::secret::Secret;
use voicegraph_worker::decode;
use voicegraph_worker::job::{AgentParticipant, Declined, JobEnd};
use voicegraph_worker::protocol::state::{Action, At, Input, Profile, State};
use voicegraph_worker::protocol::{Keys, Server, Settings};

/// Fewer than the jobs that may be offered.
const PLACES: u32 = 3;

/// How far time leaps: some limits are shorter, some longer.
const LEAP: Duration = Duration::from_secs(4);

/// A worker whose shell is this.
struct Bench {
    state: State<Arc<()>>,
    now: Instant,
    root: Arc<()>,
    running: Vec<(String, Arc<()>)>,
}

impl Bench {
    fn new() -> Self {
        let keys = Keys { key: "key".to_owned(), secret: Secret::new("secret") };
        let server = Server::parse("ws://here").expect("it is an address");
        let profile = Profile::from(&Settings::new(server, keys));
        let now = Instant::now();
        Self { state: State::new(profile, now), now, root: Arc::default(), running: Vec::new() }
    }

    fn taken(&self) -> u32 {
        Arc::strong_count(&self.root) as u32 - 1
    }

    fn on(&mut self, input: Input<Arc<()>>) {
        let at = At { now: self.now, taken: self.taken(), places: PLACES };
        for action in self.state.on(input, at) {
            match action {
                Action::Offer(job) => {
                    let free = self.taken() < PLACES;
                    let place = (AgentParticipant::default(), Arc::clone(&self.root));
                    let answer = free.then_some(place).ok_or(Declined("full".to_owned()));
                    self.on(Input::Offered(job, answer));
                }
                Action::Start(place, assignment) => {
                    self.running.push((assignment.job.id.clone(), place));
                }
                Action::Drop(_) => self.on(Input::Lost(Vec::new())),
                Action::Send(_) | Action::Terminate(_) => {}
            }
        }
    }

    fn end_one(&mut self) {
        let Some((job, place)) = self.running.pop() else { return };
        drop(place);
        self.on(Input::Ended(job, JobEnd::Success));
    }
}

/// Takes the bytes for what a server does.
pub fn jobs(bytes: &[u8]) {
    let mut bench = Bench::new();
    bench.on(Input::Opened);
    let mut rest = bytes;
    while let [length, after @ ..] = rest {
        let (frame, after) = match length {
            254.. => (&[][..], after),
            length => after.split_at(after.len().min(usize::from(*length))),
        };
        rest = after;
        match length {
            0 => {
                bench.now += LEAP;
                bench.on(Input::Tick);
            }
            254 => bench.end_one(),
            255 => {
                bench.on(Input::Lost(Vec::new()));
                bench.on(Input::Opened);
            }
            _ => bench.on(match decode::frame(frame) {
                Some(message) => Input::Received(Box::new(message)),
                None => Input::Undecodable,
            }),
        }
        let at = At { now: bench.now, taken: bench.taken(), places: PLACES };
        let status = bench.state.status(at);
        assert!(bench.taken() <= PLACES);
        assert_eq!(status.active_jobs as usize, bench.running.len());
        assert_eq!(bench.taken(), status.active_jobs + status.waiting_jobs);
    }
}
