//! The unchanged `livekit` crate stands on this one: its types are ours.

use livekit::webrtc::prelude::{AudioFrame, PeerConnectionFactory, RtcConfiguration};

/// Compiles only if `livekit` was built against this crate.
fn ours(frame: AudioFrame<'static>) -> libwebrtc::audio_frame::AudioFrame<'static> {
    frame
}

#[test]
fn livekit_uses_this_crate() {
    let frame = ours(AudioFrame::new(48_000, 1, 480));
    assert_eq!(frame.data.len(), 480);
}

#[test]
fn a_connection_outside_of_a_runtime_is_refused() {
    let factory = PeerConnectionFactory::default();
    let error = factory.create_peer_connection(RtcConfiguration::default()).unwrap_err();
    assert!(error.message.contains("tokio runtime"), "{error}");
}

#[tokio::test]
async fn what_is_left_out_says_so() {
    use livekit::webrtc::peer_connection_factory::native::PeerConnectionFactoryExt;
    use livekit::webrtc::prelude::*;
    use livekit::webrtc::video_source::native::NativeVideoSource;

    let factory = PeerConnectionFactory::default();
    let connection = factory.create_peer_connection(RtcConfiguration::default()).unwrap();
    let track = factory.create_video_track("camera", NativeVideoSource::default());
    let init = RtpTransceiverInit {
        direction: RtpTransceiverDirection::SendOnly,
        stream_ids: Vec::new(),
        send_encodings: Vec::new(),
    };
    let error = connection.add_transceiver(track.into(), init).unwrap_err();
    assert!(error.message.contains("not supported by this build"), "{error}");

    let mut relay = RtcConfiguration::default();
    relay.ice_transport_type = IceTransportsType::NoHost;
    let error = connection.set_configuration(relay).unwrap_err();
    assert!(error.message.contains("TURN"), "{error}");
}
