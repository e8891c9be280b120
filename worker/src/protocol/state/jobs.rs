//! Jobs: offered, accepted, assigned, ended. No job is told twice that it ended, and none holds a
//! place that it does not need.

use std::sync::Arc;

use livekit_protocol as proto;
use proto::worker_message::Message as ToServer;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::line::Line;
use super::machine::{Action, At, MAX_PENDING, State};
use super::messages;
use crate::job::{AgentParticipant, Assignment, Declined, JobEnd};

/// The attribute by which participants know an agent.
const AGENT_NAME: &str = "lk.agent.name";

/// A job of ours. It keeps how the agent appears, so that a repeated question is answered the same.
#[derive(Debug)]
pub(super) struct Held<P> {
    participant: AgentParticipant,
    phase: Phase<P>,
}

#[derive(Debug)]
enum Phase<P> {
    /// We said yes. The place is free again if there is no assignment by then.
    Accepted { place: P, until: Instant },
    /// It is carried out.
    Running { terminated: CancellationToken, closed: CancellationToken },
}

impl<P> Held<P> {
    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running { .. })
    }

    /// Until when it waits for its assignment.
    pub(super) fn expires(&self) -> Option<Instant> {
        match self.phase {
            Phase::Accepted { until, .. } => Some(until),
            Phase::Running { .. } => None,
        }
    }
}

impl<P> State<P> {
    /// The server asks whether we take a job. It waits, and asks nobody else meanwhile.
    pub(super) fn asked(&mut self, request: proto::AvailabilityRequest, at: At) -> Vec<Action<P>> {
        let Some(job) = request.job else { return self.ignore() };
        self.counts.offers += 1;
        if let Some(held) = self.jobs.get_mut(&job.id) {
            if let Phase::Accepted { until, .. } = &mut held.phase {
                *until = at.now + self.profile.timing.assignment_limit;
            }
            return vec![Action::send(messages::available(&job.id, &held.participant))];
        }
        if self.draining {
            self.counts.declined.draining += 1;
        } else if at.taken < at.places && self.is_loaded(at) {
            self.counts.declined.load += 1;
        } else {
            return vec![Action::Offer(Arc::new(job))];
        }
        vec![Action::send(messages::unavailable(&job.id))]
    }

    /// Whoever carries out jobs has said yes or no.
    pub(super) fn offered(
        &mut self,
        job: &proto::Job,
        answer: Result<(AgentParticipant, P), Declined>,
        at: At,
    ) -> Vec<Action<P>> {
        let (participant, place) = match answer {
            _ if !matches!(self.line, Line::Registered(_)) => return self.ignore(),
            Ok(taken) if !self.jobs.contains_key(&job.id) => taken,
            Ok(_) => return self.ignore(),
            Err(_) => {
                self.counts.declined.answer += 1;
                return vec![Action::send(messages::unavailable(&job.id))];
            }
        };
        self.counts.accepted += 1;
        let participant = self.complete(participant, &job.id);
        let yes = messages::available(&job.id, &participant);
        let until = at.now + self.profile.timing.assignment_limit;
        let held = Held { participant, phase: Phase::Accepted { place, until } };
        self.jobs.insert(job.id.clone(), held);
        vec![Action::send(yes)]
    }

    /// Fills in what a server needs: 1.8.4 makes a token that no room accepts where there is no
    /// identity. The names are those of LiveKit's own workers.
    fn complete(&self, mut participant: AgentParticipant, job_id: &str) -> AgentParticipant {
        if participant.identity.is_empty() {
            participant.identity = format!("agent-{job_id}");
        }
        let name = self.profile.agent_name.clone();
        if !name.is_empty() {
            participant.attributes.entry(AGENT_NAME.to_owned()).or_insert(name);
        }
        participant
    }

    /// The job is ours, if we still wait for it.
    pub(super) fn assigned(&mut self, assignment: proto::JobAssignment) -> Vec<Action<P>> {
        let Some(job) = assignment.job else { return self.ignore() };
        let waits = self.jobs.get(&job.id).is_some_and(|held| !held.is_running());
        let held = waits.then(|| self.jobs.remove(&job.id)).flatten();
        let Some(Held { participant, phase: Phase::Accepted { place, .. } }) = held else {
            return self.ignore();
        };
        self.counts.assigned += 1;
        let [terminated, closed] = [CancellationToken::new(), CancellationToken::new()];
        let phase = Phase::Running { terminated: terminated.clone(), closed: closed.clone() };
        self.jobs.insert(job.id.clone(), Held { participant, phase });
        let running = messages::running(&job.id);
        let url = assignment.url.filter(|url| !url.is_empty());
        let assignment = Assignment {
            job: Arc::new(job),
            url: url.unwrap_or_else(|| self.profile.url.clone()),
            token: assignment.token.into(),
            terminated,
            closed,
        };
        vec![Action::Start(place, assignment), Action::send(ToServer::UpdateJob(running))]
    }

    /// The server ends a job: its room is gone, its dispatch, or its participant.
    pub(super) fn terminated(&mut self, job_id: &str) -> Vec<Action<P>> {
        match self.jobs.get(job_id).map(|held| &held.phase) {
            Some(Phase::Accepted { .. }) => {
                self.counts.terminated += 1;
                self.jobs.remove(job_id);
                Vec::new()
            }
            Some(Phase::Running { terminated, .. }) if !terminated.is_cancelled() => {
                self.counts.terminated += 1;
                vec![Action::Terminate(terminated.clone())]
            }
            Some(Phase::Running { .. }) | None => self.ignore(),
        }
    }

    /// Ends all jobs, since the worker does.
    pub(super) fn close_all(&mut self) -> Vec<Action<P>> {
        self.expire_waiting(None);
        let running = self.jobs.values().filter_map(|held| match &held.phase {
            Phase::Running { closed, .. } => Some(Action::Terminate(closed.clone())),
            Phase::Accepted { .. } => None,
        });
        running.collect()
    }

    /// A job has ended by itself, or since it was told to.
    pub(super) fn ended(&mut self, job_id: &str, end: JobEnd) -> Vec<Action<P>> {
        if !self.jobs.get(job_id).is_some_and(Held::is_running) {
            return self.ignore();
        }
        self.jobs.remove(job_id);
        match end {
            JobEnd::Success => self.counts.finished += 1,
            JobEnd::Failed(_) => self.counts.failed += 1,
        }
        let update = messages::ended(job_id, end);
        match self.line {
            Line::Registered(_) => vec![Action::send(ToServer::UpdateJob(update))],
            _ => {
                self.push_pending(update);
                Vec::new()
            }
        }
    }

    /// Frees the places of jobs that wait for their assignment: those whose time is over at `now`,
    /// or all.
    pub(super) fn expire_waiting(&mut self, now: Option<Instant>) {
        let is_over = |until: Instant| now.is_none_or(|now| now >= until);
        let before = self.jobs.len();
        self.jobs.retain(|_, held| !held.expires().is_some_and(is_over));
        self.counts.expired += (before - self.jobs.len()) as u64;
    }

    /// Keeps what the server must be told until it can be.
    pub(super) fn push_pending(&mut self, update: proto::UpdateJobStatus) {
        if self.pending.len() >= MAX_PENDING {
            let oldest = self.pending.pop_front();
            self.counts.untold += u64::from(oldest.as_ref().is_some_and(messages::is_end));
        }
        self.pending.push_back(update);
    }

    fn ignore(&mut self) -> Vec<Action<P>> {
        self.counts.ignored += 1;
        Vec::new()
    }
}
