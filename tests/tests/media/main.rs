//! The official `livekit` crate on our `libwebrtc`, in rooms of real livekit-servers.

mod rooms;
