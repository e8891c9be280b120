//! What the server does with an agent's participant, seen with one that joins by the job's token.

use std::collections::BTreeMap;
use std::time::Duration;

use livekit::participant::ParticipantKind;
use livekit::prelude::{Room, RoomEvent, RoomOptions};
use livekit_protocol::{DisconnectReason, RoomAgentDispatch};
use tokio::sync::mpsc::UnboundedReceiver;
use voicegraph_tests::agent::keys;
use voicegraph_tests::livekit::{Guest, within};
use voicegraph_worker::protocol::token;

use crate::site::{Site, against_both};

against_both!(
    the_token_of_a_job_makes_an_agent,
    a_guests_token_brings_an_agent,
    an_agent_that_leaves_ends_its_job,
    the_end_of_a_room_ends_its_job,
    a_room_that_its_guests_left_ends_with_its_job,
    an_agent_stays_without_its_worker,
);

/// Joins as the agent of the one job that runs.
async fn join(site: &Site, token: &str) -> (Room, UnboundedReceiver<RoomEvent>) {
    let url = site.server.url();
    let joined = within("the agent", Room::connect(&url, token, RoomOptions::default())).await;
    joined.expect("the token is good")
}

/// A job's token.
async fn token(site: &Site, desk: &voicegraph_tests::agent::Desk) -> String {
    site.api().dispatch(site.name, site.name, "").await;
    let book = desk.until("the job", |book| book.running.len() == 1).await;
    let assignment = book.running.values().next().unwrap();
    assignment.token.to_string()
}

async fn the_token_of_a_job_makes_an_agent(site: Site) {
    let (_worker, desk) = site.worker(1).await;
    let token = token(&site, &desk).await;
    let job = desk.book().running.keys().next().unwrap().clone();
    let (room, _events) = join(&site, &token).await;
    let agent = room.local_participant();
    assert_eq!(agent.identity().as_str(), format!("agent-{job}"));
    assert_eq!(agent.name(), "Agent");
    assert_eq!(agent.kind(), ParticipantKind::Agent);
    assert_eq!(agent.attributes()["lk.agent.name"], site.name);
    within("leaving", room.close()).await.unwrap();
}

/// A job that is in the server's books, which takes up to 5 s, is ended at once.
async fn an_agent_that_leaves_ends_its_job(site: Site) {
    let (worker, desk) = site.worker(1).await;
    let token = token(&site, &desk).await;
    let (room, _events) = join(&site, &token).await;
    super::jobs::until_booked(&site).await;
    within("leaving", room.close()).await.unwrap();
    desk.until("the job's end", |book| book.terminated.len() == 1).await;
    assert_eq!(worker.status().counts.terminated, 1);
}

/// The server ends the job since its agent is put out of the room. Where no agent has joined yet,
/// nothing is said, however long one waits.
async fn the_end_of_a_room_ends_its_job(site: Site) {
    let (worker, desk) = site.worker(1).await;
    let token = token(&site, &desk).await;
    let (_room, mut events) = join(&site, &token).await;
    super::jobs::until_booked(&site).await;
    site.api().delete_room(site.name).await;
    assert_eq!(put_out(&mut events).await, DisconnectReason::RoomDeleted);
    desk.until("the job's end", |book| book.terminated.len() == 1).await;
    worker.until("it to be told", |status| status.counts.finished == 1).await;
}

/// Agents do not count: a room with nobody else is closed some time after the last guest has left.
async fn a_room_that_its_guests_left_ends_with_its_job(site: Site) {
    let (worker, desk) = site.worker(1).await;
    site.api().create_room(site.name, 1).await;
    let token = token(&site, &desk).await;
    let (_room, mut events) = join(&site, &token).await;
    let guest = Guest::join(site.server, site.name, "ada").await;
    super::jobs::until_booked(&site).await;
    guest.leave().await;
    assert_eq!(put_out(&mut events).await, DisconnectReason::RoomClosed);
    desk.until("the job's end", |book| book.terminated.len() == 1).await;
    worker.until("it to be told", |status| status.counts.finished == 1).await;
}

/// Why the agent was put out of its room.
async fn put_out(events: &mut UnboundedReceiver<RoomEvent>) -> DisconnectReason {
    within("the agent to be put out", async {
        loop {
            let event = events.recv().await.expect("the room says why it ends");
            if let RoomEvent::Disconnected { reason } = event {
                return reason;
            }
        }
    })
    .await
}

/// The guest's joining makes the room, and the room calls for the agent.
async fn a_guests_token_brings_an_agent(site: Site) {
    let (_worker, desk) = site.worker(1).await;
    let (agent_name, metadata) = (site.name.to_owned(), "clinic".to_owned());
    let guest = token::Guest {
        room: site.name.to_owned(),
        identity: "ada".to_owned(),
        name: "Ada".to_owned(),
        metadata: String::new(),
        attributes: BTreeMap::from([("language".to_owned(), "en".to_owned())]),
        agents: vec![RoomAgentDispatch { agent_name, metadata, ..Default::default() }],
        life: Duration::from_secs(60),
    };
    let pass = keys().guest(&guest).unwrap();
    let (room, _events) = join(&site, pass.expose()).await;
    let book = desk.until("the job", |book| book.running.len() == 1).await;
    assert_eq!(book.running.values().next().unwrap().job.metadata, "clinic");
    let ada = room.local_participant();
    assert_eq!((ada.name(), ada.attributes()["language"].clone()), ("Ada".into(), "en".into()));
    within("leaving", room.close()).await.unwrap();
}

/// The server forgets the job of a worker that is lost, and offers it to nobody else.
async fn an_agent_stays_without_its_worker(site: Site) {
    let (worker, desk) = site.worker(1).await;
    let token = token(&site, &desk).await;
    let (_other, idle) = site.worker(1).await;
    let (room, _events) = join(&site, &token).await;
    worker.end.cancel();
    worker.ended().await;
    let mut guest = Guest::join(site.server, site.name, "ada").await;
    guest.sees(room.local_participant().identity().as_str()).await;
    assert_eq!(idle.book().offered, Vec::<String>::new());
    guest.leave().await;
    within("leaving", room.close()).await.unwrap();
}
