//! The calls of a real server's API that bring jobs about: dispatch, and rooms.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::hired::keys;
use crate::livekit::Server;

/// How long an answer may take: two hundred at once, on two processors.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// The API of a server.
#[derive(Clone, Copy, Debug)]
pub struct Api<'a>(pub &'a Server);

impl Api<'_> {
    /// Asks for the agent in `room`, which is made where it is missing. Gives the dispatch's id.
    ///
    /// # Panics
    /// Where the server does not take it.
    pub async fn dispatch(&self, agent: &str, room: &str, metadata: &str) -> String {
        let body = json!({ "agent_name": agent, "room": room, "metadata": metadata });
        let answer = self.call("AgentDispatchService/CreateDispatch", room, &body).await;
        answer["id"].as_str().expect("a dispatch has an id").to_owned()
    }

    /// Takes a dispatch back.
    ///
    /// # Panics
    /// Where the server does not take it.
    pub async fn delete_dispatch(&self, dispatch: &str, room: &str) {
        let body = json!({ "dispatch_id": dispatch, "room": room });
        self.call("AgentDispatchService/DeleteDispatch", room, &body).await;
    }

    /// The dispatches of `room`.
    ///
    /// # Panics
    /// Where the server does not tell them.
    pub async fn dispatches(&self, room: &str) -> Value {
        let body = json!({ "room": room });
        self.call("AgentDispatchService/ListDispatch", room, &body).await
    }

    /// Makes a room that is closed so many seconds after its last guest has left.
    ///
    /// # Panics
    /// Where the server does not.
    pub async fn create_room(&self, room: &str, departure_timeout_s: u32) {
        let body = json!({ "name": room, "departure_timeout": departure_timeout_s });
        self.call("RoomService/CreateRoom", room, &body).await;
    }

    /// Ends a room.
    ///
    /// # Panics
    /// Where the server does not.
    pub async fn delete_room(&self, room: &str) {
        self.call("RoomService/DeleteRoom", room, &json!({ "room": room })).await;
    }

    async fn call(&self, method: &str, room: &str, body: &Value) -> Value {
        let asked = timeout(ANSWER_LIMIT, self.ask(method, room, body)).await;
        let (status, text) = asked.unwrap_or_else(|_| panic!("no answer to {method}"));
        assert_eq!(status, 200, "{method}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{method}: {error}: {text}"))
    }

    async fn ask(&self, method: &str, room: &str, body: &Value) -> (u16, String) {
        let (authority, body) = (self.0.http(), body.to_string());
        let token = keys().room_admin(room).expect("the tests' keys are not empty");
        let mut stream = TcpStream::connect(authority).await.expect("the server listens");
        let request = format!(
            "POST /twirp/livekit.{method} HTTP/1.0\r\nhost: {authority}\r\n\
             authorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            token.expose(),
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("the server answers in text");
        let (head, text) = answer.split_once("\r\n\r\n").expect("it speaks HTTP");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("an answer has a status"), text.to_owned())
    }
}
