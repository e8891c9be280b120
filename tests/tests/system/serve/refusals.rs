//! Calls that are not taken.

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::http::HeaderMap;
use voicegraph_tests::caller::Caller;
use voicegraph_tests::http;

use super::Server;

/// Calls, and gives the status, the header and the words of the refusal.
async fn refused(server: &Server, query: &str) -> (u16, HeaderMap, String) {
    let Err(Error::Http(response)) = Caller::call(&server.authority, query).await else {
        panic!("{query:?} was not refused in order");
    };
    let (head, body) = response.into_parts();
    let words = String::from_utf8(body.unwrap_or_default()).unwrap();
    (head.status.as_u16(), head.headers, words)
}

#[tokio::test]
async fn a_bad_query_is_refused_with_what_to_write() {
    let server = Server::simulated(&[]).await;
    for (query, says) in [
        ("?input_rate=7999", "write whole Hz from 8000 to 48000"),
        ("?output_rate=fast", "write whole Hz from 8000 to 48000"),
        ("?rate=16000", "there are input_rate and output_rate"),
    ] {
        let (status, _, words) = refused(&server, query).await;
        assert!(status == 400 && words.contains(says), "{query}: {status} {words}");
    }
    assert_eq!(http::get(&server.authority, "/call").await.status, 400, "no upgrade was asked for");
    server.has_sessions(0).await;
    server.process.stop().await;
}

#[tokio::test]
async fn one_call_too_many_is_told_when_to_try_again() {
    let server = Server::simulated(&["--max-sessions", "1"]).await;
    let mut caller = Caller::call(&server.authority, "").await.unwrap();
    caller.event_of("start").await;
    let (status, headers, words) = refused(&server, "").await;
    assert_eq!((status, words.as_str()), (503, "all 1 places are taken\n"));
    let seconds: u32 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds >= 1);
    drop(caller);
    server.has_sessions(0).await;
    let mut next = Caller::call(&server.authority, "").await.expect("the place is free again");
    next.event_of("start").await;
    server.process.stop().await;
}
