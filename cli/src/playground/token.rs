//! Tokens for LiveKit: those of people who join rooms, and those for its API.
//!
//! Made by LiveKit's crate `livekit-token`, which reads the wall clock, as servers do.

use std::time::Duration;

use livekit_protocol::{RoomAgentDispatch, RoomConfiguration};
use livekit_token::{AccessToken, VideoGrants};
use voicegraph_engine::secret::Secret;

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
    /// The agents that get a job if this guest's joining creates the room.
    pub agents: Vec<RoomAgentDispatch>,
    /// How long the token may be used for joining.
    pub life: Duration,
}

/// A job for the agent of that name; `metadata` is what the agent is told.
pub fn job(agent_name: &str, metadata: &str) -> RoomAgentDispatch {
    let (agent_name, metadata) = (agent_name.to_owned(), metadata.to_owned());
    RoomAgentDispatch { agent_name, metadata, ..Default::default() }
}

impl Keys {
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
        let token = self.token(grants, guest.life);
        let token = token.with_identity(&guest.identity).with_name(&guest.name);
        if guest.agents.is_empty() {
            return sign(token);
        }
        let agents = guest.agents.clone();
        sign(token.with_room_config(RoomConfiguration { agents, ..Default::default() }))
    }

    /// With which the API's calls for `room` are made.
    ///
    /// # Errors
    /// [`TokenError`] where key or secret is empty.
    pub fn room_admin(&self, room: &str) -> Result<Secret, TokenError> {
        let room = room.to_owned();
        sign(self.token(VideoGrants { room_admin: true, room, ..Default::default() }, API_LIFE))
    }

    fn token(&self, grants: VideoGrants, life: Duration) -> AccessToken {
        let token = AccessToken::with_api_key(&self.key, self.secret.expose());
        token.with_ttl(life).with_grants(grants)
    }
}

fn sign(token: AccessToken) -> Result<Secret, TokenError> {
    token.to_jwt().map(Secret::new).map_err(|error| TokenError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use livekit_token::{Claims, TokenVerifier};

    use super::*;

    fn keys() -> Keys {
        Keys { key: "key".to_owned(), secret: Secret::new("a secret of the tests") }
    }

    fn guest(room: &str) -> Guest {
        Guest {
            room: room.to_owned(),
            identity: "ada".to_owned(),
            name: "Ada".to_owned(),
            agents: vec![job("clinic", "{}")],
            life: Duration::from_secs(60),
        }
    }

    fn claims(token: &Secret) -> Claims {
        let verifier = TokenVerifier::with_api_key("key", "a secret of the tests");
        verifier.verify(token.expose()).unwrap()
    }

    #[test]
    fn a_guest_brings_the_agent() {
        let claims = claims(&keys().guest(&guest("r")).unwrap());
        assert!(claims.video.room_join && claims.video.can_update_own_metadata());
        assert_eq!((claims.sub.as_str(), claims.video.room.as_str()), ("ada", "r"));
        assert_eq!(claims.exp - claims.nbf, 60);
        assert_eq!(claims.room_config.unwrap().agents, [job("clinic", "{}")]);
    }

    #[test]
    fn the_api_may_touch_one_room_alone() {
        let video = claims(&keys().room_admin("r").unwrap()).video;
        assert!(video.room_admin && !video.room_join && !video.room_create);
        assert_eq!(video.room, "r");
    }

    #[test]
    fn what_is_missing_is_told_without_the_secret() {
        let nameless = Keys { key: String::new(), ..keys() };
        for error in [nameless.guest(&guest("r")), keys().guest(&guest(""))] {
            let said = error.unwrap_err().to_string();
            assert!(said.starts_with("no token can be made") && !said.contains("tests"), "{said}");
        }
        assert!(!format!("{:?}", keys()).contains("tests"));
    }
}
