//! What each tells of itself: attributes, metadata, name.

use std::collections::BTreeMap;

use livekit::prelude::*;
use voicegraph_tests::livekit::within;
use voicegraph_tests::sdk_peer::Event;

use crate::stage::{Stage, against_both};

against_both!(attributes_go_both_ways, metadata_and_name_go_both_ways);

async fn attributes_go_both_ways(mut stage: Stage) {
    stage.ada.set_attributes(&[("lk.agent.state", "listening")]).await;
    let changed = BTreeMap::from([("lk.agent.state".to_owned(), "listening".to_owned())]);
    stage.bob.sees(&Event::ParticipantAttributesChanged { from: "ada".to_owned(), changed }).await;

    stage.bob.set_attributes(&[("sip.phoneNumber", "+43 1 234"), ("mood", "ill")]).await;
    let pick = |event| match event {
        RoomEvent::ParticipantAttributesChanged { participant, changed_attributes } => {
            is_bob(&participant).then_some(changed_attributes)
        }
        _ => None,
    };
    let changed = stage.ada.event("attributes", pick).await;
    assert_eq!((changed.len(), changed["sip.phoneNumber"].as_str()), (2, "+43 1 234"));
}

async fn metadata_and_name_go_both_ways(mut stage: Stage) {
    let ada = stage.ada.room.local_participant();
    // Others see them whether or not the crate has seen the server's answer: see `set_attributes`.
    let _ = within("an answer", ada.set_metadata("a receptionist".to_owned())).await;
    let _ = within("an answer", ada.set_name("Ada".to_owned())).await;
    let (from, metadata) = ("ada".to_owned(), "a receptionist".to_owned());
    stage.bob.sees(&Event::ParticipantMetadataChanged { from: from.clone(), metadata }).await;
    stage.bob.sees(&Event::ParticipantNameChanged { from, name: "Ada".to_owned() }).await;

    stage.bob.set_metadata("a caller").await;
    stage.bob.set_name("Bob").await;
    let told = |event| match event {
        RoomEvent::ParticipantMetadataChanged { participant, metadata, .. } => {
            is_bob(&participant).then_some(metadata)
        }
        _ => None,
    };
    assert_eq!(stage.ada.event("metadata", told).await, "a caller");
    let named = |event| match event {
        RoomEvent::ParticipantNameChanged { participant, name, .. } => {
            is_bob(&participant).then_some(name)
        }
        _ => None,
    };
    assert_eq!(stage.ada.event("a name", named).await, "Bob");
}

/// A participant's own changes are events too.
fn is_bob(participant: &Participant) -> bool {
    participant.identity().as_str() == "bob"
}
