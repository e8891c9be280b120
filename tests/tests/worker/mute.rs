//! Servers that accept and say nothing: who would join a room gives up when its time is over.

use std::sync::Arc;
use std::time::Duration;

use livekit_protocol::Job;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use voicegraph_tests::livekit::{agent_token, within};
use voicegraph_worker::job::Assignment;
use voicegraph_worker::room::{End, RoomCall, Settings};

/// The last thing that a server does.
#[derive(Clone, Copy, Debug)]
enum Mute {
    /// It takes the connection.
    Accepts,
    /// It has opened the websocket.
    Upgrades,
}

/// Starts a server; it holds what has connected until it is dropped.
async fn start(mute: Mute) -> (String, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let serving = async move {
        let (mut streams, mut sockets) = (Vec::new(), Vec::new());
        while let Ok((stream, _)) = listener.accept().await {
            match mute {
                Mute::Accepts => streams.push(stream),
                Mute::Upgrades => sockets.push(tokio_tungstenite::accept_async(stream).await),
            }
        }
    };
    (url, AbortOnDropHandle::new(tokio::spawn(serving)))
}

/// The `livekit` crate by itself would wait for five seconds, and try again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_is_not_joined() {
    for mute in [Mute::Accepts, Mute::Upgrades] {
        let (url, _server) = start(mute).await;
        let assignment = Assignment {
            job: Arc::new(Job { id: "AJ_test".to_owned(), ..Default::default() }),
            url,
            token: agent_token("mute", "agent-AJ_test").into(),
            terminated: CancellationToken::new(),
            closed: CancellationToken::new(),
        };
        let settings = Settings { join_limit: Duration::from_secs(1), ..Settings::default() };
        let joined = within("the end", RoomCall::join(&assignment, &settings)).await;
        let late = End::NotJoined("not done within 1 s".to_owned());
        assert_eq!(joined.err(), Some(late), "{mute:?}");
    }
}
