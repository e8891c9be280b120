//! A room with our guest and the SDK's in it.

use voicegraph_tests::livekit::{Guest, Server, Version};
use voicegraph_tests::sdk_peer::SdkPeer;

/// Two participants who see one another: `ada`, the `livekit` crate on our `libwebrtc`, and `bob`,
/// the Python SDK on the real one. Dropping it ends both without a farewell; leaving, for whose end
/// the crate waits 3 s, has its own tests.
pub(crate) struct Stage {
    pub(crate) ada: Guest,
    pub(crate) bob: SdkPeer,
    pub(crate) server: &'static Server,
}

impl Stage {
    /// Both in a room called `room` of the shared server. `None`, noted as skipped, where what they
    /// need is missing.
    pub(crate) async fn open(room: &str, version: Version) -> Option<Self> {
        let suite = format!("media {room} {}", version.name());
        let server = Server::shared(&suite, version)?;
        let (ada, bob) = tokio::join!(
            Guest::join(server, room, "ada"),
            SdkPeer::join(&suite, server, room, "bob")
        );
        let (mut ada, bob) = (ada, bob?);
        ada.sees("bob").await;
        bob.meets("ada").await;
        Some(Self { ada, bob, server })
    }
}

/// Has them do what `play` says, in a room of its name.
pub(crate) async fn play(room: &str, version: Version, play: impl AsyncFnOnce(Stage)) {
    if let Some(stage) = Stage::open(room, version).await {
        play(stage).await;
    }
}

/// Makes each function over a stage a test against both servers: `NAME::new` and `NAME::old`.
macro_rules! against_both {
    ($($play:ident),+ $(,)?) => {
        voicegraph_tests::against_both!(crate::stage::play: $($play),+);
    };
}
pub(crate) use against_both;
