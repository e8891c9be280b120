//! Tokens with which participants join the rooms of the tests' servers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The name of the key that signs tokens.
pub const KEY: &str = "devkey";

/// What signs them, as in a test nobody guesses.
pub const SECRET: &str = "not-a-secret-but-long-enough-for-a-server";

/// How long a token is good for.
const LIFE: Duration = Duration::from_secs(3600);

/// A token with which `identity` may join `room`, publish, subscribe and change what is told of it.
///
/// # Panics
/// Where the machine's clock shows a time before 1970.
pub fn token(room: &str, identity: &str) -> String {
    let video = json!({ "room": room, "roomJoin": true, "canUpdateOwnMetadata": true });
    signed(json!({ "sub": identity, "video": video }))
}

/// A token with which `identity` may join `room` as an agent, as servers make it for a job.
///
/// # Panics
/// Where the machine's clock shows a time before 1970.
pub fn agent_token(room: &str, identity: &str) -> String {
    let video = json!({
        "agent": true, "room": room, "roomJoin": true, "canPublish": true, "canSubscribe": true,
        "canPublishData": true, "canUpdateOwnMetadata": true,
    });
    signed(json!({ "sub": identity, "kind": "agent", "video": video }))
}

fn signed(mut claims: Value) -> String {
    #[expect(clippy::disallowed_methods, reason = "the server reads the wall clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    (claims["iss"], claims["exp"]) = (KEY.into(), (now + LIFE).as_secs().into());
    let parts = [json!({"alg": "HS256", "typ": "JWT"}), claims];
    let signed = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
