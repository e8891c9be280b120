//! Whoever carries out jobs in tests: no room, no call, but places, books and ends on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use livekit_protocol::Job;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use voicegraph_worker::job::{
    Accepted, AgentParticipant, Answer, Assignment, Declined, JobEnd, Run,
};

use crate::livekit::within;

/// Jobs that end by themselves do so after this. Long enough for many to run at once.
const SHORT_CALL: Duration = Duration::from_millis(300);

/// What a desk has seen.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Jobs that it was asked about, in order.
    pub offered: Vec<String>,
    /// Jobs that run, with what they were assigned.
    pub running: BTreeMap<String, Assignment>,
    /// Jobs that ended, in order.
    pub ended: Vec<String>,
    /// Jobs that were told to end by the server or the worker.
    pub terminated: Vec<String>,
    /// The rooms of jobs that began.
    pub rooms: BTreeSet<String>,
    /// The rooms of jobs that ended.
    pub left: BTreeSet<String>,
    /// The most jobs that ran at once.
    pub peak: usize,
}

/// How jobs behave at this desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    /// They run until they are told to end, by the test or the server.
    Patient,
    /// They end by themselves.
    Short,
    /// They hear nobody.
    Deaf,
    /// They panic as soon as they begin.
    Panic,
}

/// Carries out jobs. A clone is the same desk.
#[derive(Clone, Debug)]
pub struct Desk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    places: Arc<Semaphore>,
    max: u32,
    conduct: Conduct,
    book: watch::Sender<Book>,
    ends: Mutex<BTreeMap<String, mpsc::Sender<JobEnd>>>,
}

impl Desk {
    /// A desk with so many places, whose jobs run until they are told to end.
    pub fn new(max: u32) -> Self {
        Self::with(max, Conduct::Patient)
    }

    /// The same with jobs that end by themselves, soon.
    pub fn with_short_jobs(max: u32) -> Self {
        Self::with(max, Conduct::Short)
    }

    /// The same with jobs that do not end when they are told to.
    pub fn with_deaf_jobs(max: u32) -> Self {
        Self::with(max, Conduct::Deaf)
    }

    /// The same with jobs that panic.
    pub fn with_panicking_jobs(max: u32) -> Self {
        Self::with(max, Conduct::Panic)
    }

    fn with(max: u32, conduct: Conduct) -> Self {
        let places = Arc::new(Semaphore::new(max as usize));
        let (book, ends) = (watch::Sender::default(), Mutex::default());
        Self(Arc::new(Inner { places, max, conduct, book, ends }))
    }

    /// What it has seen so far.
    pub fn book(&self) -> Book {
        self.0.book.borrow().clone()
    }

    /// Waits until the book `holds`.
    ///
    /// # Panics
    /// Where it does not in time: the message says `what` was waited for.
    pub async fn until(&self, what: &str, holds: impl Fn(&Book) -> bool) -> Book {
        let mut books = self.0.book.subscribe();
        let book = within(what, books.wait_for(holds)).await;
        book.expect("the desk is there").clone()
    }

    /// Waits until something `holds` that depends on this desk and another.
    ///
    /// # Panics
    /// Where it does not in time: the message says `what` was waited for.
    pub async fn until_with(&self, other: &Self, what: &str, holds: impl Fn() -> bool) {
        let (mut ours, mut theirs) = (self.0.book.subscribe(), other.0.book.subscribe());
        within(what, async {
            while !holds() {
                tokio::select! {
                    biased;
                    _ = ours.changed() => {}
                    _ = theirs.changed() => {}
                }
            }
        })
        .await;
    }

    /// Ends a job that runs.
    ///
    /// # Panics
    /// Where it does not run.
    pub fn end(&self, job: &str, end: JobEnd) {
        let ends = self.0.ends.lock().expect("no panic holds this lock");
        ends[job].try_send(end).expect("it is told once");
    }

    fn run(self, permit: OwnedSemaphorePermit) -> Run {
        Box::new(move |assignment| {
            Box::pin(async move {
                let end = self.carry_out(assignment).await;
                drop(permit);
                end
            })
        })
    }

    async fn carry_out(&self, assignment: Assignment) -> JobEnd {
        assert!(self.0.conduct != Conduct::Panic, "as the test wants it");
        let (job, told) = (assignment.job.id.clone(), assignment.clone());
        let room = assignment.job.room.as_ref().map_or_else(String::new, |room| room.name.clone());
        let (sender, mut ends) = mpsc::channel(1);
        self.0.ends.lock().expect("no panic holds this lock").insert(job.clone(), sender);
        self.0.book.send_modify(|book| {
            book.running.insert(job.clone(), assignment);
            book.rooms.insert(room.clone());
            book.peak = book.peak.max(book.running.len());
        });
        let end = tokio::select! {
            biased;
            () = self.told(&told) => {
                self.0.book.send_modify(|book| book.terminated.push(job.clone()));
                JobEnd::Success
            }
            end = ends.recv() => end.expect("the desk holds the sender"),
            () = tokio::time::sleep(SHORT_CALL), if self.0.conduct == Conduct::Short => {
                JobEnd::Success
            }
        };
        self.0.book.send_modify(|book| {
            book.running.remove(&job);
            book.ended.push(job);
            book.left.insert(room);
        });
        end
    }

    async fn told(&self, assignment: &Assignment) {
        if self.0.conduct == Conduct::Deaf {
            return std::future::pending().await;
        }
        tokio::select! {
            biased;
            () = assignment.closed.cancelled() => {}
            () = assignment.terminated.cancelled() => {}
        }
    }
}

impl Answer for Desk {
    fn offer(&self, job: &Job) -> Result<Accepted, Declined> {
        self.0.book.send_modify(|book| book.offered.push(job.id.clone()));
        let permit = Arc::clone(&self.0.places).try_acquire_owned();
        let permit = permit.map_err(|_| Declined("no place".to_owned()))?;
        let participant = AgentParticipant { name: "Agent".to_owned(), ..Default::default() };
        Ok(Accepted { participant, run: self.clone().run(permit) })
    }

    fn places(&self) -> (u32, u32) {
        (self.0.max - self.0.places.available_permits() as u32, self.0.max)
    }
}
