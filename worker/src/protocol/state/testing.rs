//! A machine on a bench: what its shell would do with its actions is written down.

use std::sync::Arc;
use std::time::Duration;

use livekit_protocol as proto;
use proto::server_message::Message as FromServer;
use proto::worker_message::Message as ToServer;
use tokio::time::Instant;

use super::machine::{Action, At, Fault, Input, Profile, State};
use crate::job::{AgentParticipant, Assignment, Declined, JobEnd};
use crate::protocol::settings::{Server, Settings};
use crate::protocol::token::Keys;

/// A place: it counts how many of its kind are alive.
pub(super) type Place = Arc<()>;

pub(super) fn profile() -> Profile {
    let keys = Keys { key: String::new(), secret: voicegraph_engine::secret::Secret::new("") };
    let mut settings = Settings::new(Server::parse("ws://here").unwrap(), keys);
    settings.agent_name = "clinic".to_owned();
    (&settings).into()
}

/// A machine with so many places, and what it did.
pub(super) struct Bench {
    pub(super) state: State<Place>,
    pub(super) now: Instant,
    pub(super) places: u32,
    pub(super) root: Place,
    /// What was sent since it was last looked at.
    pub(super) sent: Vec<ToServer>,
    pub(super) started: Vec<(String, Place, Assignment)>,
    pub(super) dropped: Vec<Fault>,
}

impl Bench {
    pub(super) fn new(places: u32, profile: Profile) -> Self {
        let now = Instant::now();
        let state = State::new(profile, now);
        let (sent, started, dropped) = (Vec::new(), Vec::new(), Vec::new());
        Self { state, now, places, root: Place::default(), sent, started, dropped }
    }

    /// Registered, with what was sent until then forgotten.
    pub(super) fn registered(places: u32) -> Self {
        let mut bench = Self::new(places, profile());
        bench.register();
        bench.sent.clear();
        bench
    }

    pub(super) fn register(&mut self) {
        self.on(Input::Opened);
        let worker_id = "AW_1".to_owned();
        let answer = proto::RegisterWorkerResponse { worker_id, ..Default::default() };
        self.receive(FromServer::Register(answer));
    }

    pub(super) fn at(&self) -> At {
        At { now: self.now, taken: self.taken(), places: self.places }
    }

    /// Places that somebody holds.
    pub(super) fn taken(&self) -> u32 {
        Arc::strong_count(&self.root) as u32 - 1
    }

    pub(super) fn on(&mut self, input: Input<Place>) {
        let actions = self.state.on(input, self.at());
        for action in actions {
            match action {
                Action::Send(message) => self.sent.push(*message),
                Action::Offer(job) => {
                    let free = self.taken() < self.places;
                    let taken = (AgentParticipant::default(), Arc::clone(&self.root));
                    let answer = free.then_some(taken).ok_or(Declined("full".to_owned()));
                    self.on(Input::Offered(job, answer));
                }
                Action::Start(place, assignment) => {
                    let id = assignment.job.id.clone();
                    self.started.push((id, place, assignment));
                }
                Action::Terminate(token) => token.cancel(),
                Action::Drop(fault) => self.dropped.push(fault),
            }
        }
    }

    pub(super) fn receive(&mut self, message: FromServer) {
        self.on(Input::Received(Box::new(message)));
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.on(Input::Tick);
    }

    pub(super) fn ask(&mut self, id: &str) {
        let job = Some(proto::Job { id: id.to_owned(), ..Default::default() });
        self.receive(FromServer::Availability(proto::AvailabilityRequest { job, resuming: false }));
    }

    pub(super) fn assign(&mut self, id: &str) {
        let job = Some(proto::Job { id: id.to_owned(), ..Default::default() });
        let token = "token".to_owned();
        self.receive(FromServer::Assignment(proto::JobAssignment { job, url: None, token }));
    }

    pub(super) fn terminate(&mut self, id: &str) {
        let job_id = id.to_owned();
        self.receive(FromServer::Termination(proto::JobTermination { job_id }));
    }

    /// The job's task ends: its place is free before the machine hears of it.
    pub(super) fn end(&mut self, id: &str, end: JobEnd) {
        self.started.retain(|(started, ..)| started != id);
        self.on(Input::Ended(id.to_owned(), end));
    }

    /// What was sent since the last look, in short words.
    pub(super) fn said(&mut self) -> Vec<String> {
        self.sent.drain(..).map(|message| short(&message)).collect()
    }
}

/// `yes a`, `no a`, `run a`, `ok a`, `failed a: why`, `free 0.5 1`, `full 0.5 1`, `migrate a,b`.
pub(super) fn short(message: &ToServer) -> String {
    match message {
        ToServer::Register(_) => "register".to_owned(),
        ToServer::Availability(answer) if answer.available => format!("yes {}", answer.job_id),
        ToServer::Availability(answer) => format!("no {}", answer.job_id),
        ToServer::UpdateWorker(update) => {
            let full = update.status == Some(proto::WorkerStatus::WsFull.into());
            let word = if full { "full" } else { "free" };
            format!("{word} {} {}", update.load, update.job_count)
        }
        ToServer::UpdateJob(update) => match update.status() {
            proto::JobStatus::JsRunning => format!("run {}", update.job_id),
            proto::JobStatus::JsSuccess => format!("ok {}", update.job_id),
            _ => format!("failed {}: {}", update.job_id, update.error),
        },
        ToServer::Ping(_) => "ping".to_owned(),
        ToServer::MigrateJob(request) => format!("migrate {}", request.job_ids.join(",")),
        ToServer::SimulateJob(_) => "simulate".to_owned(),
    }
}
