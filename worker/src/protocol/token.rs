//! Tokens for LiveKit: a worker's own, those of people who join rooms, and those for its API.
//!
//! Made by LiveKit's crate `livekit-token`, which signs with HMAC-SHA-256 by an implementation of
//! its own, and reads the wall clock, as servers do.

use std::collections::BTreeMap;
use std::time::Duration;

use livekit_protocol::{RoomAgentDispatch, RoomConfiguration};
use livekit_token::{AccessToken, VideoGrants};
use voicegraph_engine::secret::Secret;

/// How long a worker's token is good for: the Python worker's 6 h. It is used at once, and each
/// connection gets a new one.
const WORKER_LIFE: Duration = Duration::from_secs(6 * 3600);

/// How long a token for the API is good for: it is used at once.
const API_LIFE: Duration = Duration::from_secs(600);

/// The key with which a project's tokens are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Its name, `LIVEKIT_API_KEY`; it stands in each token.
    pub key: String,
    /// What signs, `LIVEKIT_API_SECRET`.
    pub secret: Secret,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no token can be made: {0}")]
pub struct TokenError(String);

/// Who joins which room.
#[derive(Clone, Debug, PartialEq)]
pub struct Guest {
    /// The room; it need not exist yet.
    pub room: String,
    /// Unique within the room.
    pub identity: String,
    /// For people; may be empty.
    pub name: String,
    /// Free text that others in the room can read; may be empty.
    pub metadata: String,
    /// The same by name.
    pub attributes: BTreeMap<String, String>,
    /// The agents that get a job if this guest's joining creates the room.
    pub agents: Vec<RoomAgentDispatch>,
    /// How long the token may be used for joining.
    pub life: Duration,
}

impl Keys {
    /// With which a worker connects.
    ///
    /// # Errors
    /// [`TokenError`] where key or secret is empty.
    pub fn worker(&self) -> Result<Secret, TokenError> {
        self.sign(VideoGrants { agent: true, ..Default::default() }, WORKER_LIFE, |token| token)
    }

    /// With which the API's calls for `room` are made: dispatch, and the room itself.
    ///
    /// # Errors
    /// [`TokenError`] where key or secret is empty.
    pub fn room_admin(&self, room: &str) -> Result<Secret, TokenError> {
        let room = room.to_owned();
        let grants = VideoGrants {
            room_admin: true,
            room_create: true,
            room_list: true,
            room,
            ..Default::default()
        };
        self.sign(grants, API_LIFE, |token| token)
    }

    /// With which `guest` joins, publishes, subscribes and changes its own attributes.
    ///
    /// # Errors
    /// [`TokenError`] where key, secret, room or identity is empty.
    pub fn guest(&self, guest: &Guest) -> Result<Secret, TokenError> {
        let grants = VideoGrants {
            room_join: true,
            room: guest.room.clone(),
            can_update_own_metadata: Some(true),
            ..Default::default()
        };
        self.sign(grants, guest.life, |token| {
            let token = token
                .with_identity(&guest.identity)
                .with_name(&guest.name)
                .with_metadata(&guest.metadata)
                .with_attributes(guest.attributes.clone());
            if guest.agents.is_empty() {
                return token;
            }
            let agents = guest.agents.clone();
            token.with_room_config(RoomConfiguration { agents, ..Default::default() })
        })
    }

    fn sign(
        &self,
        grants: VideoGrants,
        life: Duration,
        more: impl FnOnce(AccessToken) -> AccessToken,
    ) -> Result<Secret, TokenError> {
        let token = AccessToken::with_api_key(&self.key, self.secret.expose());
        let token = more(token.with_ttl(life).with_grants(grants));
        token.to_jwt().map(Secret::new).map_err(|error| TokenError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use livekit_token::TokenVerifier;

    use super::*;

    fn keys() -> Keys {
        Keys { key: "key".to_owned(), secret: Secret::new("a secret of the tests") }
    }

    fn claims(token: &Secret) -> livekit_token::Claims {
        let verifier = TokenVerifier::with_api_key("key", "a secret of the tests");
        verifier.verify(token.expose()).expect("we signed it")
    }

    #[test]
    fn a_worker_needs_the_agent_grant_alone() {
        let claims = claims(&keys().worker().unwrap());
        assert_eq!(claims.video, VideoGrants { agent: true, ..Default::default() });
        assert_eq!((claims.iss.as_str(), claims.sub.as_str()), ("key", ""));
        assert_eq!(claims.exp - claims.nbf, 6 * 3600);
    }

    #[test]
    fn a_guest_may_bring_an_agent() {
        let agent_name = "clinic".to_owned();
        let guest = Guest {
            room: "r".to_owned(),
            identity: "ada".to_owned(),
            name: "Ada".to_owned(),
            metadata: String::new(),
            attributes: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
            agents: vec![RoomAgentDispatch { agent_name, ..Default::default() }],
            life: Duration::from_secs(60),
        };
        let claims = claims(&keys().guest(&guest).unwrap());
        assert!(claims.video.room_join && claims.video.can_update_own_metadata());
        assert_eq!((claims.sub.as_str(), claims.attributes["a"].as_str()), ("ada", "b"));
        assert_eq!(claims.room_config.unwrap().agents, guest.agents);
    }

    #[test]
    fn what_is_missing_is_an_error_without_the_secret() {
        let empty = Keys { key: String::new(), ..keys() };
        let error = empty.worker().expect_err("no key").to_string();
        assert!(error.contains("API Key") && !error.contains("tests"), "{error}");
        assert!(!format!("{:?}", keys()).contains("tests"));
    }
}
