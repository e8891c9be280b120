//! What a worker sends.

use livekit_protocol as proto;
use proto::worker_message::Message;

use super::machine::Profile;
use crate::job::{AgentParticipant, JobEnd};

/// The most characters of a failed job's reason that are sent.
const MAX_ERROR_CHARS: usize = 256;

pub(super) fn register(profile: &Profile) -> Message {
    Message::Register(proto::RegisterWorkerRequest {
        r#type: proto::JobType::JtRoom.into(),
        agent_name: profile.agent_name.clone(),
        deployment: profile.deployment.clone(),
        version: profile.version.clone(),
        ping_interval: profile.timing.ping_interval.as_secs() as u32,
        allowed_permissions: Some(profile.permissions.clone()),
        ..Default::default()
    })
}

pub(super) fn available(job_id: &str, participant: &AgentParticipant) -> Message {
    let participant = participant.clone();
    Message::Availability(proto::AvailabilityResponse {
        job_id: job_id.to_owned(),
        available: true,
        participant_name: participant.name,
        participant_identity: participant.identity,
        participant_metadata: participant.metadata,
        participant_attributes: participant.attributes.into_iter().collect(),
        ..Default::default()
    })
}

pub(super) fn unavailable(job_id: &str) -> Message {
    let job_id = job_id.to_owned();
    Message::Availability(proto::AvailabilityResponse { job_id, ..Default::default() })
}

pub(super) fn running(job_id: &str) -> proto::UpdateJobStatus {
    let status = proto::JobStatus::JsRunning.into();
    proto::UpdateJobStatus { job_id: job_id.to_owned(), status, error: String::new() }
}

pub(super) fn ended(job_id: &str, end: JobEnd) -> proto::UpdateJobStatus {
    let (status, error) = match end {
        JobEnd::Success => (proto::JobStatus::JsSuccess, String::new()),
        JobEnd::Failed(why) => {
            (proto::JobStatus::JsFailed, why.chars().take(MAX_ERROR_CHARS).collect())
        }
    };
    proto::UpdateJobStatus { job_id: job_id.to_owned(), status: status.into(), error }
}

pub(super) fn is_end(update: &proto::UpdateJobStatus) -> bool {
    matches!(update.status(), proto::JobStatus::JsSuccess | proto::JobStatus::JsFailed)
}

pub(super) fn status(full: bool, load: f32, job_count: u32) -> Message {
    let status = match full {
        true => proto::WorkerStatus::WsFull,
        false => proto::WorkerStatus::WsAvailable,
    };
    let status = Some(status.into());
    Message::UpdateWorker(proto::UpdateWorkerStatus {
        status,
        load,
        job_count,
        ..Default::default()
    })
}

pub(super) fn migrate(job_ids: Vec<String>) -> Message {
    Message::MigrateJob(proto::MigrateJobRequest { job_ids })
}

pub(super) fn ping(timestamp: i64) -> Message {
    Message::Ping(proto::WorkerPing { timestamp })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_reason_the_beginning_is_sent() {
        let update = ended("a", JobEnd::Failed("é".repeat(MAX_ERROR_CHARS + 1)));
        assert_eq!(update.error, "é".repeat(MAX_ERROR_CHARS));
    }
}
