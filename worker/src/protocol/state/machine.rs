//! The machine's inputs, actions and state, and who handles what.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use livekit_protocol as proto;
use proto::server_message::Message as FromServer;
use proto::worker_message::Message as ToServer;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::jobs::Held;
use super::line::{Line, Registered};
use super::messages;
use crate::job::{AgentParticipant, Assignment, Declined, JobEnd};
use crate::protocol::counts::Counts;
use crate::protocol::settings::{Settings, Timing};
use crate::protocol::status::Status;

/// Reports of jobs that wait for a connection; beyond, the oldest is dropped and counted.
pub(super) const MAX_PENDING: usize = 1_024;

/// Who the worker says it is.
#[derive(Clone, Debug)]
pub struct Profile {
    /// By which jobs are dispatched.
    pub agent_name: String,
    /// Which deployment.
    pub deployment: String,
    /// The program's version.
    pub version: String,
    /// What agents may do.
    pub permissions: proto::ParticipantPermission,
    /// The server of the rooms, where an assignment names none.
    pub url: String,
    /// From this load on no job is taken.
    pub load_threshold: f32,
    /// The limits of time.
    pub timing: Timing,
}

impl From<&Settings> for Profile {
    fn from(settings: &Settings) -> Self {
        Self {
            agent_name: settings.agent_name.clone(),
            deployment: settings.deployment.clone(),
            version: settings.version.clone(),
            permissions: settings.permissions.clone(),
            url: settings.server.url().to_owned(),
            load_threshold: settings.load_threshold,
            timing: settings.timing,
        }
    }
}

/// The instant of an input, and what is seen around it.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The time.
    pub now: Instant,
    /// Places taken.
    pub taken: u32,
    /// Places in all.
    pub places: u32,
}

/// What happened.
#[derive(Debug)]
pub enum Input<P> {
    /// A connection was opened.
    Opened,
    /// None could be.
    OpenFailed,
    /// It is lost, and these were not sent.
    Lost(Vec<ToServer>),
    /// The server said something.
    Received(Box<FromServer>),
    /// The server sent what is no known message.
    Undecodable,
    /// Whoever carries out jobs has answered [`Action::Offer`].
    Offered(Arc<proto::Job>, Result<(AgentParticipant, P), Declined>),
    /// A job that was started has ended.
    Ended(String, JobEnd),
    /// The load was measured.
    Load(f32),
    /// No more jobs are wanted.
    Drain,
    /// The jobs are to end now.
    Cut,
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action<P> {
    /// Send this.
    Send(Box<ToServer>),
    /// Ask whether this job is wanted, and tell at once by [`Input::Offered`].
    Offer(Arc<proto::Job>),
    /// Carry out the job.
    Start(P, Assignment),
    /// Tell a job that it is over.
    Terminate(CancellationToken),
    /// Drop the connection.
    Drop(Fault),
}

impl<P> Action<P> {
    pub(super) fn send(message: ToServer) -> Self {
        Self::Send(Box::new(message))
    }
}

/// Why a connection is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The server did not answer the registration.
    #[error("the server did not answer the registration")]
    NotRegistered,
    /// The server said nothing, not even to pings.
    #[error("the server is silent")]
    Silent,
    /// The server sent what is no known message, again and again.
    #[error("the server does not speak this protocol")]
    Undecodable,
    /// The server is about to stop.
    #[error("the server asks its workers to connect anew")]
    GoAway,
}

/// The worker: its connection, its jobs, its load.
#[derive(Debug)]
pub struct State<P> {
    pub(super) profile: Profile,
    pub(super) line: Line,
    pub(super) jobs: BTreeMap<String, Held<P>>,
    /// What the server must be told of jobs, and could not be yet.
    pub(super) pending: VecDeque<proto::UpdateJobStatus>,
    pub(super) counts: Counts,
    pub(super) draining: bool,
    load: f32,
    /// Attempts in a row without a lasting registration.
    failures: u32,
    ever_registered: bool,
    started: Instant,
}

impl<P> State<P> {
    /// A worker that is not connected.
    pub fn new(profile: Profile, now: Instant) -> Self {
        Self {
            profile,
            line: Line::Down,
            jobs: BTreeMap::new(),
            pending: VecDeque::new(),
            counts: Counts::default(),
            draining: false,
            load: 0.0,
            failures: 0,
            ever_registered: false,
            started: now,
        }
    }

    /// Takes in what happened, and says what is to be done, in this order.
    pub fn on(&mut self, input: Input<P>, at: At) -> Vec<Action<P>> {
        if self.line.was_steady(at.now, &self.profile.timing) {
            self.failures = 0;
        }
        let mut actions = match input {
            Input::Opened => self.open(at.now),
            Input::OpenFailed => self.fail(),
            Input::Lost(unsent) => self.lose(unsent, at.now),
            Input::Received(message) => self.receive(*message, at),
            Input::Undecodable => self.on_undecodable(at.now),
            Input::Offered(job, answer) => self.offered(&job, answer, at),
            Input::Ended(job_id, end) => self.ended(&job_id, end),
            Input::Load(load) => self.measured(load),
            Input::Drain => self.drain(),
            Input::Cut => self.close_all(),
            Input::Tick => self.expire(at.now),
        };
        actions.extend(self.keep_up(at));
        actions
    }

    /// When to give the next [`Input::Tick`].
    pub fn deadline(&self) -> Option<Instant> {
        let line = self.line.deadline(&self.profile.timing);
        let jobs = self.jobs.values().filter_map(Held::expires);
        jobs.chain(line).min()
    }

    /// How long to wait before the next attempt to connect, without jitter.
    pub fn backoff(&self) -> Duration {
        let timing = &self.profile.timing;
        timing.backoff_step.saturating_mul(self.failures).min(timing.backoff_max)
    }

    /// Whether a drain is over: nothing runs, and the server knows all that it can be told.
    pub fn is_drained(&self) -> bool {
        let can_tell = matches!(self.line, Line::Registered(_));
        self.draining && self.jobs.is_empty() && (self.pending.is_empty() || !can_tell)
    }

    /// How the worker is.
    pub fn status(&self, at: At) -> Status {
        let (worker_id, ready) = match &self.line {
            Line::Registered(line) => (Some(line.worker_id.clone()), line.ready),
            Line::Down | Line::Registering { .. } => (None, false),
        };
        let active_jobs = self.running();
        Status {
            worker_id,
            ready,
            failures: self.failures,
            active_jobs,
            waiting_jobs: self.jobs.len() as u32 - active_jobs,
            load: self.load,
            full: self.is_full(at),
            draining: self.draining,
            counts: self.counts,
        }
    }

    /// Ends of jobs that the server was not told of yet.
    pub fn untold(&self) -> u64 {
        self.pending.iter().filter(|update| messages::is_end(update)).count() as u64
    }

    /// How many jobs run.
    pub fn running(&self) -> u32 {
        self.jobs.values().filter(|held| held.is_running()).count() as u32
    }

    fn open(&mut self, now: Instant) -> Vec<Action<P>> {
        self.line = Line::Registering { since: now };
        vec![Action::send(messages::register(&self.profile))]
    }

    fn fail(&mut self) -> Vec<Action<P>> {
        self.failures = self.failures.saturating_add(1);
        self.counts.connect_failures += 1;
        Vec::new()
    }

    /// The connection is gone: jobs that were accepted over it cannot be assigned any more.
    fn lose(&mut self, unsent: Vec<ToServer>, now: Instant) -> Vec<Action<P>> {
        let steady = self.line.was_steady(now, &self.profile.timing);
        if !steady && !matches!(self.line, Line::Down) {
            self.failures = self.failures.saturating_add(1);
        }
        self.line = Line::Down;
        self.expire_waiting(None);
        for message in unsent {
            if let ToServer::UpdateJob(update) = message {
                self.push_pending(update);
            }
        }
        Vec::new()
    }

    fn give_up(&mut self, fault: Fault, now: Instant) -> Vec<Action<P>> {
        self.lose(Vec::new(), now);
        vec![Action::Drop(fault)]
    }

    fn receive(&mut self, message: FromServer, at: At) -> Vec<Action<P>> {
        let line = match (&mut self.line, message) {
            (Line::Down, _) => return Vec::new(),
            (Line::Registering { .. }, FromServer::Register(answer)) => {
                return self.registered(answer.worker_id, at.now);
            }
            (Line::Registering { .. }, _) => {
                self.counts.ignored += 1;
                return Vec::new();
            }
            (Line::Registered(line), message) => {
                line.count_message(at.now);
                line.ready |= matches!(message, FromServer::Pong(_));
                message
            }
        };
        self.dispatch(line, at)
    }

    /// What a registered worker is told.
    fn dispatch(&mut self, message: FromServer, at: At) -> Vec<Action<P>> {
        match message {
            FromServer::Availability(request) => self.asked(request, at),
            FromServer::Assignment(assignment) => self.assigned(assignment),
            FromServer::Termination(termination) => self.terminated(&termination.job_id),
            FromServer::GoAway(_) => self.give_up(Fault::GoAway, at.now),
            FromServer::Pong(_) => Vec::new(),
            FromServer::Register(_) => {
                self.counts.ignored += 1;
                Vec::new()
            }
        }
    }

    /// The server knows us, by a new name: it is told at once what runs, what ended meanwhile, and
    /// whether we are full. The ping that follows is answered once we get jobs.
    fn registered(&mut self, worker_id: String, now: Instant) -> Vec<Action<P>> {
        let line = Registered::new(worker_id, now);
        self.line = Line::Registered(line);
        self.counts.reconnects += u64::from(self.ever_registered);
        self.ever_registered = true;
        let running = self.jobs.iter().filter(|(_, held)| held.is_running());
        let running: Vec<_> = running.map(|(id, _)| id.clone()).collect();
        let migrate = (!running.is_empty()).then(|| messages::migrate(running));
        let pending = self.pending.drain(..).map(ToServer::UpdateJob);
        migrate.into_iter().chain(pending).map(Action::send).collect()
    }

    fn on_undecodable(&mut self, now: Instant) -> Vec<Action<P>> {
        self.counts.undecodable += 1;
        let Line::Registered(line) = &mut self.line else { return Vec::new() };
        match line.count_undecodable(now) {
            true => self.give_up(Fault::Undecodable, now),
            false => Vec::new(),
        }
    }

    fn measured(&mut self, load: f32) -> Vec<Action<P>> {
        self.load = load.clamp(0.0, 1.0);
        Vec::new()
    }

    fn drain(&mut self) -> Vec<Action<P>> {
        self.draining = true;
        Vec::new()
    }

    /// What is over by time.
    fn expire(&mut self, now: Instant) -> Vec<Action<P>> {
        self.expire_waiting(Some(now));
        let timing = &self.profile.timing;
        match &self.line {
            Line::Registering { since } if now >= *since + timing.register_limit => {
                self.give_up(Fault::NotRegistered, now)
            }
            Line::Registered(line) if line.is_silent(now, timing) => {
                self.give_up(Fault::Silent, now)
            }
            _ => Vec::new(),
        }
    }

    /// Pings and status reports that are due, whatever the input was.
    fn keep_up(&mut self, at: At) -> Vec<Action<P>> {
        let (full, load, running) = (self.is_full(at), self.load, self.running());
        let timing = self.profile.timing;
        let Line::Registered(line) = &mut self.line else { return Vec::new() };
        let mut actions = Vec::new();
        if line.poll_ping(at.now, &timing) {
            let since_start = at.now.duration_since(self.started);
            actions.push(Action::send(messages::ping(since_start.as_millis() as i64)));
        }
        if line.poll_status(full, at.now, &timing) {
            actions.push(Action::send(messages::status(full, load, running)));
        }
        actions
    }

    /// Whether no job would be taken now.
    fn is_full(&self, at: At) -> bool {
        self.draining || at.taken >= at.places || self.is_loaded(at)
    }

    /// Whether the load is too high for another job.
    pub(super) fn is_loaded(&self, at: At) -> bool {
        self.load + self.load_to_come(at) >= self.profile.load_threshold
    }

    /// The load of jobs that were accepted and have not begun, by estimate: each as much as a
    /// running one has, or where none runs its share of what all places may use.
    fn load_to_come(&self, at: At) -> f32 {
        let running = self.running();
        let waiting = self.jobs.len() as u32 - running;
        let each = match running {
            0 if self.profile.load_threshold.is_infinite() => 0.0,
            0 => self.profile.load_threshold / at.places.max(1) as f32,
            _ => self.load / running as f32,
        };
        waiting as f32 * each
    }
}
