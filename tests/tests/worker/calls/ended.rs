//! How calls end, whoever ends them: the agent leaves, a record is written, the server learns of
//! the job's end, and the process is as it was before.

use std::time::Duration;

use voicegraph_tests::poll::poll;
use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_tests::worker::{Setup, Worker};

use super::seen::agent_says;
use crate::call_records::records;
use crate::clinic::{BEN, GREETING, heard};
use crate::room_stage::MICROPHONE;
use crate::site::{Site, against_both};

against_both!(
    a_caller_who_leaves_ends_the_call,
    a_room_that_is_deleted_ends_the_call,
    an_agent_that_is_removed_ends_the_call,
    a_dispatch_that_is_taken_back_ends_the_call,
    a_pipeline_that_fails_ends_the_call,
    a_worker_that_is_told_to_end_ends_the_call,
);

/// How long the server may take to note an end. Only a failing test waits as long.
const LOG_LIMIT: Duration = Duration::from_secs(30);

/// A call in which the agent has greeted.
struct Call {
    site: Site,
    worker: Worker,
    ben: SdkPeer,
    /// The agent's identity.
    agent: String,
    dispatch: String,
}

impl Call {
    async fn begin(site: Site, script: &str, more: &[&str]) -> Option<Self> {
        let (url, script) = (site.server.url(), heard(&["Hello."], script));
        let worker = Worker::start(Setup { script, more, ..Setup::new(&url, site.name) }).await;
        let ben = SdkPeer::join(site.name, site.server, site.name, BEN).await?;
        ben.publish(MICROPHONE, 16_000, 1).await;
        ben.follow("lk.transcription").await;
        let dispatch = site.api().dispatch(site.name, site.name, "").await;
        let agent = agent_says(&ben, GREETING).await;
        worker.until_busy(1).await;
        Some(Self { site, worker, ben, agent, dispatch })
    }

    /// Waits until the server says in its log that the job has ended with `status`. It may have
    /// seen the agent leave before it was told how the job ended: then it says so.
    async fn server_says(&self, status: &str) {
        let job = self.agent.strip_prefix("agent-").expect("it is named after its job");
        let is_end = |line: &&str| line.contains("job ended") && line.contains(job);
        let said = async || self.site.server.said().lines().find(is_end).map(str::to_owned);
        let said = poll(LOG_LIMIT, said).await;
        let said = said.unwrap_or_else(|| panic!("{job}:\n{}", self.site.server.said()));
        assert!(said.contains(status) || said.contains("agent worker left the room"), "{said}");
    }

    async fn agent_leaves(&self) {
        self.ben.sees(&Event::ParticipantDisconnected { from: self.agent.clone() }).await;
    }

    /// The call is over for a reason of one of those names, and recorded as `recorded`.
    async fn is_over(&mut self, ends: &[&str], recorded: &str) {
        let (end, reason) = self.worker.left().await;
        assert!(ends.contains(&end.as_str()), "{end}: {reason}");
        self.worker.until_busy(0).await;
        let database = self.worker.sample().open();
        assert_eq!(records(&database).await, [format!("{BEN} {recorded}")]);
        database.close().await;
    }

    async fn goodbye(mut self, counts: &str) {
        let goodbye = self.worker.end().await;
        assert!(goodbye.contains(counts), "{goodbye}");
    }
}

const WELL: &str = "1 calls ended well, 0 failed, 0 were cut";

async fn a_caller_who_leaves_ends_the_call(site: Site) {
    let Some(mut call) = Call::begin(site, "", &[]).await else { return };
    call.ben.leave().await;
    call.is_over(&["caller_left"], "hung_up").await;
    call.server_says("JS_SUCCESS").await;
    call.goodbye(WELL).await;
}

async fn a_room_that_is_deleted_ends_the_call(site: Site) {
    let Some(mut call) = Call::begin(site, "", &[]).await else { return };
    call.site.api().delete_room(call.site.name).await;
    call.is_over(&["room_deleted"], "hung_up").await;
    call.server_says("JS_SUCCESS").await;
    call.ben.sees(&Event::Disconnected).await;
    call.goodbye(WELL).await;
}

/// The server ends the job too, and is at times sooner with that.
async fn an_agent_that_is_removed_ends_the_call(site: Site) {
    let Some(mut call) = Call::begin(site, "", &[]).await else { return };
    call.ben.remove(call.site.server, &call.agent).await;
    call.agent_leaves().await;
    call.is_over(&["removed", "terminated"], "hung_up").await;
    call.server_says("JS_SUCCESS").await;
    call.goodbye(WELL).await;
}

async fn a_dispatch_that_is_taken_back_ends_the_call(site: Site) {
    let Some(mut call) = Call::begin(site, "", &[]).await else { return };
    call.site.api().delete_dispatch(&call.dispatch, call.site.name).await;
    call.agent_leaves().await;
    call.is_over(&["terminated"], "hung_up").await;
    call.server_says("JS_SUCCESS").await;
    call.goodbye(WELL).await;
}

/// The recogniser's connection breaks once the agent has greeted, and the next is refused for good.
const BREAKS: &str = r#"
[[deepgram.faults]]
connection = 1
kind = "cut"
after_ms = 10000

[[deepgram.faults]]
connection = 2
kind = "status"
status = 401
"#;

async fn a_pipeline_that_fails_ends_the_call(site: Site) {
    let Some(mut call) = Call::begin(site, BREAKS, &[]).await else { return };
    call.agent_leaves().await;
    call.is_over(&["pipeline_failed"], "node_failed").await;
    call.server_says("JS_FAILED").await;
    call.goodbye("0 calls ended well, 1 failed, 0 were cut").await;
}

/// After the time that calls in progress are given.
async fn a_worker_that_is_told_to_end_ends_the_call(site: Site) {
    let more = ["--drain-seconds", "1"];
    let Some(call) = Call::begin(site, "", &more).await else { return };
    let Call { mut worker, ben, agent, .. } = call;
    let goodbye = worker.end().await;
    assert!(goodbye.contains("1 calls ended well, 0 failed, 1 were cut"), "{goodbye}");
    ben.sees(&Event::ParticipantDisconnected { from: agent }).await;
    assert_eq!(records(&worker.sample().open()).await, [format!("{BEN} closed")]);
}
