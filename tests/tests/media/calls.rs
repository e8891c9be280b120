//! Calls of each other's methods: answers, errors, silence.

use std::time::Duration;

use livekit::prelude::*;
use voicegraph_tests::livekit::{Guest, within};

use crate::content;
use crate::stage::{Stage, against_both};

/// How long the callee has to answer.
const LIMIT: Duration = Duration::from_secs(8);

/// How long one has that never answers. The protocol's shortest round trip alone is 1 s.
const SHORT: Duration = Duration::from_millis(1_500);

against_both!(the_sdk_answers, the_sdk_calls);

async fn call(
    ada: &Guest,
    method: &str,
    payload: &str,
    limit: Duration,
) -> Result<String, RpcError> {
    let call = PerformRpcData::new("bob".to_owned(), method).with_payload(payload);
    let participant = ada.room.local_participant();
    within("an answer", participant.perform_rpc(call.with_response_timeout(limit))).await
}

async fn the_sdk_answers(stage: Stage) {
    for how in ["echo", "refuse", "stall"] {
        stage.bob.serve(how, how).await;
    }
    let ada = &stage.ada;
    assert_eq!(call(ada, "echo", "a slot?", LIMIT).await.unwrap(), "ada: a slot?");
    let long = content::text(1, 14_000);
    assert_eq!(call(ada, "echo", &long, LIMIT).await.unwrap(), format!("ada: {long}"));
    let error = call(ada, "refuse", "why", LIMIT).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (1900, "refused"));
    assert_eq!(error.data.as_deref(), Some("why"));
    let error = call(ada, "stall", "", SHORT).await.unwrap_err();
    assert_eq!(error.code, RpcErrorCode::ResponseTimeout as u32, "{error}");
    let error = call(ada, "absent", "", LIMIT).await.unwrap_err();
    assert_eq!(error.code, RpcErrorCode::UnsupportedMethod as u32, "{error}");
}

async fn the_sdk_calls(stage: Stage) {
    serve(&stage.ada);
    let bob = &stage.bob;
    assert_eq!(bob.call("ada", "echo", "a slot?", LIMIT).await.unwrap(), "bob: a slot?");
    let long = content::text(2, 14_000);
    assert_eq!(bob.call("ada", "echo", &long, LIMIT).await.unwrap(), format!("bob: {long}"));
    let error = bob.call("ada", "refuse", "why", LIMIT).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (Some(1900), "refused"));
    assert_eq!(error.data.as_deref(), Some("why"));
    let error = bob.call("ada", "stall", "", SHORT).await.unwrap_err();
    assert_eq!(error.code, Some(RpcErrorCode::ResponseTimeout as u32), "{error:?}");
    let error = bob.call("ada", "absent", "", LIMIT).await.unwrap_err();
    assert_eq!(error.code, Some(RpcErrorCode::UnsupportedMethod as u32), "{error:?}");
}

/// The methods that the SDK's peer has too.
fn serve(ada: &Guest) {
    let participant = ada.room.local_participant();
    participant.register_rpc_method("echo".to_owned(), |it| {
        Box::pin(async move { Ok(format!("{}: {}", it.caller_identity, it.payload)) })
    });
    participant.register_rpc_method("refuse".to_owned(), |it| {
        Box::pin(async move { Err(RpcError::new(1900, "refused".to_owned(), Some(it.payload))) })
    });
    participant.register_rpc_method("stall".to_owned(), |_| Box::pin(std::future::pending()));
}
