//! The routes over a real socket, and livekit-servers that do not come up.

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::routing::get;
use livekit_token::TokenVerifier;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::http;
use voicegraph_engine::secret::Secret;

use super::token::Keys;
use super::{Entry, LocalServer, Own, Playground, bind, router};

fn fresh() -> Entry {
    let keys = Keys { key: "key".to_owned(), secret: Secret::new("a secret of the tests") };
    Entry::Fresh { keys, metadata: r#"{"pipeline":"clinic"}"#.to_owned() }
}

async fn serve(entry: Entry) -> SocketAddr {
    let playground = Playground {
        url: "ws://127.0.0.1:7880".to_owned(),
        agent: "clinic".to_owned(),
        pipeline: None,
        entry,
    };
    let listener = bind(0).await.unwrap();
    let address = listener.local_addr().unwrap();
    let figures = Router::new().route("/edges", get(|| async { "the edges" }));
    let router = router(playground, Own::of(address), figures).unwrap();
    tokio::spawn(http::serve(listener, router, CancellationToken::new()));
    address
}

/// Sends a request of this server's page, and gives the answer.
async fn ask(at: SocketAddr, request: &str) -> String {
    ask_as(at, request, &format!("host: {at}\r\norigin: http://{at}")).await
}

async fn ask_as(at: SocketAddr, request: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let head = format!("{request} HTTP/1.1\r\n{headers}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn body(answer: &str) -> Value {
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn the_page_and_its_assets_are_there() {
    let at = serve(fresh()).await;
    let page = ask(at, "GET /").await;
    for part in [
        "HTTP/1.1 200",
        "content-type: text/html; charset=utf-8",
        "cache-control: no-cache",
        "connect-src 'self' ws://127.0.0.1:7880 http://127.0.0.1:7880;",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
    ] {
        assert!(page.contains(part), "no {part:?} in {page}");
    }
    let sources = page.split('"').filter_map(|part| part.strip_prefix("./assets/"));
    let sources: Vec<&str> = sources.collect();
    assert_eq!(sources.len(), 3, "{sources:?}");
    for source in sources {
        let asset = ask(at, &format!("GET /assets/{source}")).await;
        let media_type = match source.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert!(asset.starts_with("HTTP/1.1 200"), "{source}");
        assert!(asset.contains(&format!("content-type: {media_type}\r\n")), "{source}");
        assert!(asset.contains("max-age=31536000, immutable"), "{source}");
    }
    assert!(ask(at, "GET /assets/other.js").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn each_token_leads_into_a_room_of_its_own_and_calls_the_agent() {
    let at = serve(fresh()).await;
    let mut rooms = Vec::new();
    for _ in 0..2 {
        let ticket = body(&ask(at, "POST /api/token").await);
        assert_eq!(ticket["url"], "ws://127.0.0.1:7880");
        let verifier = TokenVerifier::with_api_key("key", "a secret of the tests");
        let claims = verifier.verify(ticket["token"].as_str().unwrap()).unwrap();
        let agent = &claims.room_config.unwrap().agents[0];
        assert_eq!(agent.agent_name, "clinic");
        assert_eq!(agent.metadata, r#"{"pipeline":"clinic"}"#);
        assert!(claims.video.room_join && !claims.video.room_admin);
        rooms.push(claims.video.room);
    }
    assert_ne!(rooms[0], rooms[1]);
}

#[tokio::test]
async fn a_given_token_is_handed_on() {
    let at = serve(Entry::Given(Secret::new("given"))).await;
    assert_eq!(body(&ask(at, "POST /api/token").await)["token"], "given");
}

#[tokio::test]
async fn the_page_learns_whom_it_calls_and_reads_the_figures() {
    let at = serve(fresh()).await;
    let config = body(&ask(at, "GET /api/config").await);
    assert_eq!(config, serde_json::json!({"url": "ws://127.0.0.1:7880", "agent": "clinic"}));
    assert!(ask(at, "GET /edges").await.ends_with("the edges"));
    assert!(ask(at, "GET /metrics").await.starts_with("HTTP/1.1 404"));
    assert!(ask(at, "GET /api/token").await.starts_with("HTTP/1.1 405"));
}

#[tokio::test]
async fn other_pages_get_nothing() {
    let at = serve(fresh()).await;
    for request in ["POST /api/token", "GET /api/config", "GET /edges", "GET /", "GET /unknown"] {
        let foreign = format!("host: {at}\r\norigin: https://evil.example");
        let rebound = format!("host: evil.example:{}", at.port());
        for headers in [foreign, rebound] {
            let answer = ask_as(at, request, &headers).await;
            assert!(answer.starts_with("HTTP/1.1 403"), "{request} {headers}: {answer}");
        }
    }
}

#[tokio::test]
async fn only_this_machine_reaches_the_server() {
    let address = bind(0).await.unwrap().local_addr().unwrap();
    assert!(address.ip().is_loopback());
}

#[tokio::test]
async fn a_server_that_is_not_there_or_ends_is_told() {
    let missing = LocalServer::start(Path::new("/nowhere/livekit-server")).await;
    let said = missing.unwrap_err().to_string();
    assert!(said.contains("/nowhere/livekit-server cannot be started"), "{said}");
    let ends = LocalServer::start(Path::new("/bin/false")).await.unwrap_err().to_string();
    assert!(ends.contains("livekit-server ended with exit status: 1"), "{ends}");
}
