//! The official `livekit` crate on our `libwebrtc`, in rooms of real livekit-servers, with the
//! official Python SDK on the other end.

mod calls;
mod content;
mod data;
mod loss;
mod paths;
mod reconnect;
mod rooms;
mod stage;
mod streams;
mod told;
