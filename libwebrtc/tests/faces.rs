//! The unchanged `livekit` crate stands on this one: its types are ours. What this build leaves out
//! says so, each thing in the way that its signature allows.

use std::io::Write;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use livekit::webrtc::native::frame_cryptor::*;
use livekit::webrtc::native::packet_trailer;
use livekit::webrtc::peer_connection_factory::native::PeerConnectionFactoryExt;
use livekit::webrtc::prelude::*;
use livekit::webrtc::video_source::native::NativeVideoSource;
use livekit::webrtc::video_stream::native::NativeVideoStream;
use livekit::{AudioError, PlatformAudio};

/// Compiles only if `livekit` was built against this crate.
fn ours(frame: AudioFrame<'static>) -> libwebrtc::audio_frame::AudioFrame<'static> {
    frame
}

fn connection() -> PeerConnection {
    let factory = PeerConnectionFactory::default();
    factory
        .create_peer_connection(RtcConfiguration::default())
        .expect("nothing was asked for that cannot be")
}

fn init(direction: RtpTransceiverDirection) -> RtpTransceiverInit {
    RtpTransceiverInit { direction, stream_ids: Vec::new(), send_encodings: Vec::new() }
}

fn camera() -> RtcVideoTrack {
    PeerConnectionFactory::default().create_video_track("camera", NativeVideoSource::default())
}

#[track_caller]
fn refused<T>(result: Result<T, RtcError>) {
    let Err(error) = result else { panic!("it is not in this build") };
    assert!(error.message.contains("not supported by this build"), "{error}");
}

fn keys() -> KeyProvider {
    let keys = KeyProvider::new(KeyProviderOptions {
        shared_key: true,
        ratchet_window_size: 0,
        ratchet_salt: b"salt".to_vec(),
        failure_tolerance: -1,
        key_ring_size: 16,
        key_derivation_algorithm: KeyDerivationAlgorithm::HKDF,
    });
    assert!(keys.set_shared_key(0, b"secret".to_vec()));
    keys
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
async fn video_is_not_sent() {
    let connection = connection();
    let send_only = init(RtpTransceiverDirection::SendOnly);
    refused(connection.add_transceiver(camera().into(), send_only));
    refused(connection.add_track(camera().into(), &["stream"]));
    let both_ways = init(RtpTransceiverDirection::SendRecv);
    let section = connection.add_transceiver_for_media(MediaType::Audio, both_ways).unwrap();
    refused(section.sender().set_track(Some(camera().into())));
    let factory = PeerConnectionFactory::default();
    assert!(factory.get_rtp_sender_capabilities(MediaType::Video).codecs.is_empty());
    assert_eq!(VideoEncoderBackend::list_available().into_iter().count(), 0);
}

#[tokio::test]
async fn video_is_not_received() {
    let mut stream = NativeVideoStream::new(camera());
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn codecs_are_not_chosen() {
    let connection = connection();
    let both_ways = init(RtpTransceiverDirection::SendRecv);
    let section = connection.add_transceiver_for_media(MediaType::Audio, both_ways).unwrap();
    refused(section.set_codec_preferences(Vec::new()));
}

#[test]
fn there_are_no_sound_devices() {
    assert!(matches!(PlatformAudio::new(), Err(AudioError::PlatformInitFailed)));
    let factory = PeerConnectionFactory::default();
    assert_eq!((factory.playout_devices(), factory.recording_devices()), (0, 0));
    assert!(!factory.set_recording_device(0) && !factory.set_playout_device(0));
    assert!(!factory.init_recording() && !factory.start_playout());
}

#[test]
fn there_is_one_cipher() {
    let cryptor = DataPacketCryptor::new(EncryptionAlgorithm::AesCbc, keys());
    let error = cryptor.encrypt("ada", 0, b"hello").unwrap_err();
    assert!(error.to_string().contains("not supported by this build"), "{error}");
    let cryptor = DataPacketCryptor::new(EncryptionAlgorithm::AesGcm, keys());
    let packet = cryptor.encrypt("ada", 0, b"hello").unwrap();
    assert_eq!(cryptor.decrypt("bob", &packet).unwrap(), b"hello");
}

/// The log, as it is written.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panicked").extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Asks for each thing whose signature has no room for an error.
fn ask_for_what_is_not_there(section: &RtpTransceiver) {
    let factory = PeerConnectionFactory::with_options(true, true);
    factory.create_device_audio_track("microphone");
    let source = NativeVideoSource::new(VideoResolution { width: 16, height: 16 }, false);
    source.capture_frame(&VideoFrame::new(VideoRotation::default(), I420Buffer::new(16, 16)));
    NativeVideoStream::new(camera());
    let handler = packet_trailer::create_sender_handler(&factory, &section.sender());
    handler.set_enabled(true);
    camera().set_packet_trailer_handler(handler.clone());
    source.set_packet_trailer_handler(handler.clone());
    handler.set_publish_timing_observer(Some(Arc::new(|_| {})));
    let options = AudioSourceOptions { echo_cancellation: true, ..Default::default() };
    let native = livekit::webrtc::audio_source::native::NativeAudioSource::new;
    native(options, 48_000, 1, 0);
}

#[tokio::test]
async fn what_has_no_room_for_an_error_warns_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let connection = connection();
    let both_ways = init(RtpTransceiverDirection::SendRecv);
    let section = connection.add_transceiver_for_media(MediaType::Audio, both_ways).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..3 {
            ask_for_what_is_not_there(&section);
        }
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for what in [
        "sending video",
        "trailers of pictures",
        "times of pictures",
        "pictures without a delay",
        "processing of captured sound",
    ] {
        assert_eq!(log.matches(what).count(), 1, "{what}: {log}");
    }
    // Other tests of this program may have been the first to ask for these.
    assert!(log.matches("sound devices").count() <= 1, "{log}");
    assert!(log.matches("receiving video").count() <= 1, "{log}");
}

#[tokio::test]
async fn our_own_addresses_cannot_be_kept_back() {
    let mut no_host = RtcConfiguration::default();
    no_host.ice_transport_type = IceTransportsType::NoHost;
    let error = connection().set_configuration(no_host).unwrap_err();
    assert!(error.message.contains("without host"), "{error}");
}
