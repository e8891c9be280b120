//! Providers in another process, over TCP: what production does, with stand-ins at the other end.

use voicegraph_tests::caller::Caller;
use voicegraph_tests::http;
use voicegraph_tests::simulate::{Simulate, borrowed};

use super::{Server, opening_hours};

#[tokio::test]
async fn a_call_is_answered_by_providers_in_another_process() {
    let simulate = Simulate::start(None).await;
    let server = Server::start(&[], &borrowed(&simulate.variables())).await;
    let mut caller = Caller::call(&server.authority, "").await.unwrap();
    let (_, greeting) = caller.event_of("turn").await;
    assert_eq!(greeting["report"]["outcome"], "completed", "{greeting:#}");
    caller.say(&opening_hours());
    let (_, answer) = caller.event_of("turn").await;
    let heard = answer["heard"].as_str().unwrap();
    assert!(heard.starts_with("We are open Monday to Friday"), "{heard}");
    drop(caller);
    server.is_empty().await;
    server.process.stop().await;
    simulate.stop().await;
}

#[tokio::test]
async fn a_bad_key_ends_the_call_with_the_reason_and_not_the_process() {
    let simulate = Simulate::start(None).await;
    for (name, node) in [("DEEPGRAM", "stt"), ("OPENAI", "llm"), ("CARTESIA", "tts")] {
        let mut variables = simulate.variables();
        let key = format!("{name}_API_KEY");
        let bad = |(name, _): &&mut (String, String)| *name == key;
        variables.iter_mut().find(bad).unwrap().1 = "invalid".to_owned();
        let server = Server::start(&[], &borrowed(&variables)).await;
        for _ in 0..2 {
            let mut caller = Caller::call(&server.authority, "").await.unwrap();
            caller.event_of("start").await;
            caller.say(&opening_hours());
            let (_, end) = caller.event_of("end").await;
            assert_eq!(end["reason"], "node_failed", "{end:#}");
            let message = end["message"].as_str().unwrap();
            let says = format!("node {node:?} failed");
            assert!(message.contains(&says) && message.contains("401"), "{message}");
            server.is_empty().await;
        }
        assert_eq!(http::get(&server.authority, "/health").await.status, 200);
        server.process.stop().await;
    }
    simulate.stop().await;
}
