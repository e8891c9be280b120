//! What happens goes into the machine, and what it asks for is done.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use livekit_protocol::Job;
use livekit_protocol::worker_message::Message as ToServer;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::link::{Link, LinkEvent};
use super::{Goodbye, Worker};
use crate::job::{Assignment, Declined, JobEnd, Run};
use crate::protocol::load::Mean;
use crate::protocol::socket::{Lost, Socket};
use crate::protocol::state::{Action, At, Input, State};

/// What carries out a job holds its place.
type Place = Run;

/// A far future, where nothing is due; no drain takes longer.
const NEVER: Duration = Duration::from_secs(30 * 86_400);

/// What the shell waits for.
enum Event {
    End,
    Drain,
    Overdue,
    Job(Result<(Id, JobEnd), JoinError>),
    Link(LinkEvent),
    Tick,
    Sample,
}

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// Nobody wants one.
    Unwanted,
    /// Jobs may end by themselves until then.
    Draining(Instant),
    /// They were told to end, and are ended then.
    Cutting(Instant),
}

pub(super) struct Shell {
    worker: Worker,
    state: State<Place>,
    link: Link,
    jobs: JoinSet<JobEnd>,
    /// The job of each task.
    names: HashMap<Id, String>,
    mean: Mean,
    rng: StdRng,
    stop: Stop,
    cut: u64,
}

impl Shell {
    pub(super) fn new(worker: Worker) -> Self {
        let now = Instant::now();
        Self {
            state: State::new((&worker.settings).into(), now),
            link: Link::Waiting(now),
            jobs: JoinSet::new(),
            names: HashMap::new(),
            mean: Mean::default(),
            rng: StdRng::seed_from_u64(worker.settings.seed),
            stop: Stop::Unwanted,
            cut: 0,
            worker,
        }
    }

    pub(super) async fn run(
        mut self,
        drain: CancellationToken,
        end: CancellationToken,
        drain_limit: Duration,
    ) -> Goodbye {
        let mut samples = interval(self.worker.settings.timing.load_interval);
        samples.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.state.is_drained() {
            let tick = self.state.deadline().unwrap_or_else(|| Instant::now() + NEVER);
            let overdue = self.overdue();
            let event = tokio::select! {
                biased;
                () = end.cancelled() => Event::End,
                () = drain.cancelled(), if self.stop == Stop::Unwanted => Event::Drain,
                () = sleep_until(overdue), if self.stop != Stop::Unwanted => Event::Overdue,
                Some(ended) = self.jobs.join_next_with_id() => Event::Job(ended),
                () = sleep_until(tick) => Event::Tick,
                _ = samples.tick() => Event::Sample,
                link = self.link.next() => Event::Link(link),
            };
            match event {
                Event::End => break,
                Event::Drain => self.drain(drain_limit).await,
                Event::Overdue => self.cut().await,
                Event::Job(ended) => self.ended(ended).await,
                Event::Link(link) => self.linked(link).await,
                Event::Tick => self.on(Input::Tick).await,
                Event::Sample => self.sample().await,
            }
        }
        self.goodbye().await
    }

    fn overdue(&self) -> Instant {
        match self.stop {
            Stop::Unwanted => Instant::now() + NEVER,
            Stop::Draining(until) | Stop::Cutting(until) => until,
        }
    }

    async fn drain(&mut self, limit: Duration) {
        tracing::info!(jobs = self.jobs.len(), limit_s = limit.as_secs(), "draining");
        self.stop = Stop::Draining(Instant::now() + limit.min(NEVER));
        self.on(Input::Drain).await;
    }

    /// The time for draining is over: the jobs are told so, and once more time is over they end.
    async fn cut(&mut self) {
        if matches!(self.stop, Stop::Cutting(_)) {
            tracing::warn!(jobs = self.jobs.len(), "jobs did not end when told to");
            self.stop = Stop::Cutting(Instant::now() + NEVER);
            self.jobs.abort_all();
            return;
        }
        self.cut += u64::from(self.state.running());
        tracing::warn!(jobs = self.jobs.len(), "the time for draining is over");
        self.stop = Stop::Cutting(Instant::now() + self.worker.settings.timing.cut_grace);
        self.on(Input::Cut).await;
    }

    async fn sample(&mut self) {
        if let Some(sample) = self.worker.load.sample(Instant::now()) {
            let load = self.mean.add(sample);
            self.on(Input::Load(load)).await;
        }
    }

    /// A job's task is over: by its own end, by a panic, or since it was cut.
    async fn ended(&mut self, ended: Result<(Id, JobEnd), JoinError>) {
        let (id, end) = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_cancelled() => {
                (error.id(), JobEnd::Failed("the worker ended".to_owned()))
            }
            Err(error) => (error.id(), JobEnd::Failed("the job panicked".to_owned())),
        };
        let Some(job) = self.names.remove(&id) else { return };
        tracing::info!(%job, ?end, "job ended");
        self.on(Input::Ended(job, end)).await;
    }

    async fn linked(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Retry => self.connect(),
            LinkEvent::Opened(Ok(socket)) => {
                self.link = Link::Up(socket);
                self.on(Input::Opened).await;
            }
            LinkEvent::Opened(Err(error)) => {
                self.on(Input::OpenFailed).await;
                self.wait(&error);
            }
            LinkEvent::Message(message) => self.on(Input::Received(message)).await,
            LinkEvent::Undecodable(bytes) => {
                tracing::warn!(bytes, "livekit sent what is no known message");
                self.on(Input::Undecodable).await;
            }
            LinkEvent::Lost(lost) => {
                self.on(Input::Lost(Vec::new())).await;
                self.wait(&lost);
            }
        }
    }

    fn connect(&mut self) {
        let (connector, settings) = (self.worker.connector.clone(), self.worker.settings.clone());
        let opening = async move { Socket::open(connector, settings).await.map(Box::new) };
        self.link = Link::Opening(Box::pin(opening));
    }

    /// Drops the connection, and tries again after a while.
    fn wait(&mut self, error: &dyn std::fmt::Display) {
        let jitter = self.worker.settings.timing.backoff_jitter.mul_f64(self.rng.random());
        let delay = self.state.backoff() + jitter;
        let (jobs, delay_ms) = (self.jobs.len(), delay.as_millis() as u64);
        tracing::warn!(%error, jobs, delay_ms, "not connected to livekit");
        self.link = Link::Waiting(Instant::now() + delay);
    }

    /// Tells the machine, does what it asks for, and shows how the worker is then.
    async fn on(&mut self, input: Input<Place>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let was_registered = self.worker.status.borrow().worker_id.is_some();
            let actions = self.state.on(input, self.at());
            if let Some((lost, unsent)) = self.act(actions, &mut inputs).await {
                let actions = self.state.on(Input::Lost(unsent), self.at());
                debug_assert!(actions.is_empty(), "there is nobody to tell anything");
                self.wait(&lost);
            }
            self.show(was_registered);
        }
    }

    /// Does what the machine asks for. Where the connection is lost by it, gives why and what was
    /// not sent.
    async fn act(
        &mut self,
        actions: Vec<Action<Place>>,
        inputs: &mut VecDeque<Input<Place>>,
    ) -> Option<(Lost, Vec<ToServer>)> {
        let mut broken: Option<(Lost, Vec<ToServer>)> = None;
        for action in actions {
            match (action, &mut broken) {
                (Action::Send(message), Some((_, unsent))) => unsent.push(*message),
                (Action::Send(message), None) => broken = self.send(*message).await,
                (Action::Offer(job), _) => inputs.push_back(self.offer(job)),
                (Action::Start(place, assignment), _) => self.start(place, assignment),
                (Action::Terminate(job), _) => job.cancel(),
                (Action::Drop(fault), _) => self.wait(&fault),
            }
        }
        broken
    }

    /// Sends a message, or gives it back with the reason why the connection is lost.
    async fn send(&mut self, message: ToServer) -> Option<(Lost, Vec<ToServer>)> {
        let lost = match &mut self.link {
            Link::Up(socket) => socket.send(message.clone()).await.err()?,
            Link::Waiting(_) | Link::Opening(_) => Lost::Closed(None),
        };
        Some((lost, vec![message]))
    }

    /// Asks whether the job is wanted. A panic over one job must not end the others.
    fn offer(&self, job: Arc<Job>) -> Input<Place> {
        let room = job.room.as_ref().map_or("", |room| &room.name);
        let offer = AssertUnwindSafe(|| self.worker.answer.offer(&job));
        let answer = catch_unwind(offer)
            .unwrap_or_else(|_| Err(Declined("whoever answers has panicked".to_owned())));
        match &answer {
            Ok(_) => tracing::info!(job = %job.id, room, "job accepted"),
            Err(reason) => tracing::info!(job = %job.id, room, %reason, "job declined"),
        }
        let answer = answer.map(|taken| (taken.participant, taken.run));
        Input::Offered(job, answer)
    }

    fn start(&mut self, place: Place, assignment: Assignment) {
        let job = assignment.job.id.clone();
        tracing::info!(%job, "job assigned");
        let span = tracing::info_span!("job", id = %job);
        let task = self.jobs.spawn(async move { place(assignment).await }.instrument(span));
        self.names.insert(task.id(), job);
    }

    fn at(&self) -> At {
        let (taken, places) = self.worker.answer.places();
        At { now: Instant::now(), taken, places }
    }

    fn show(&self, was_registered: bool) {
        let status = self.state.status(self.at());
        if let Some(worker_id) = status.worker_id.as_ref().filter(|_| !was_registered) {
            tracing::info!(%worker_id, "registered with livekit");
        }
        self.worker.status.send_replace(status);
    }

    /// Ends what still runs, tells the server of it, and leaves.
    async fn goodbye(mut self) -> Goodbye {
        if !self.jobs.is_empty() {
            self.cut = self.cut.max(u64::from(self.state.running()));
            self.jobs.abort_all();
            let grace = self.worker.settings.timing.cut_grace;
            if timeout(grace, self.until_ended()).await.is_err() {
                tracing::warn!(jobs = self.jobs.len(), "jobs hold their threads");
            }
        }
        let counts = self.worker.status.borrow().counts;
        let goodbye = Goodbye {
            finished: counts.finished,
            failed: counts.failed,
            cut: self.cut,
            untold: counts.untold + self.state.untold(),
        };
        if let Link::Up(socket) = self.link {
            socket.close().await;
        }
        self.worker.status.send_modify(|status| {
            status.worker_id = None;
            status.ready = false;
        });
        tracing::info!(?goodbye, "worker ended");
        goodbye
    }

    async fn until_ended(&mut self) {
        while let Some(ended) = self.jobs.join_next_with_id().await {
            self.ended(ended).await;
        }
    }
}
