//! The calls of a real server's API that bring jobs about: dispatch, and rooms.

use serde_json::{Value, json};

use super::hired::keys;
use crate::http;
use crate::livekit::Server;

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
        let (authority, path) = (self.0.http().to_string(), format!("/twirp/livekit.{method}"));
        let token = keys().room_admin(room).expect("the tests' keys are not empty");
        let answer = http::post(&authority, &path, token.expose(), body).await;
        assert_eq!(answer.status, 200, "{method}: {}", answer.body);
        answer.json()
    }
}
