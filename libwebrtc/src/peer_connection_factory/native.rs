//! What a factory does outside of browsers: tracks of a program's own, and sound devices.

use std::sync::Arc;

use super::PeerConnectionFactory;
use crate::audio_source::native::NativeAudioSource;
use crate::audio_track::RtcAudioTrack;
use crate::imp::absent;
use crate::imp::track::Track;
use crate::video_source::native::NativeVideoSource;
use crate::video_track::RtcVideoTrack;

/// What a warning calls them.
const DEVICES: &str = "sound devices";

/// Tracks, and the machine's microphones and loudspeakers ("recording" and "playout").
///
/// This build opens no device. `livekit` begins with
/// [`acquire_platform_adm`](Self::acquire_platform_adm), which refuses, and reports that as an
/// error; all that would follow answers what is true of a machine without devices.
pub trait PeerConnectionFactoryExt {
    /// A track of sound that `source` feeds.
    fn create_audio_track(&self, label: &str, source: NativeAudioSource) -> RtcAudioTrack;

    /// A track of the microphone. It stays silent, and the log says so once.
    fn create_device_audio_track(&self, label: &str) -> RtcAudioTrack;

    /// A track of pictures. To send it is an error.
    fn create_video_track(&self, label: &str, source: NativeVideoSource) -> RtcVideoTrack;

    /// Keeps whether a microphone may be used; warns once where it may, as there is none.
    fn set_adm_recording_enabled(&self, enabled: bool);

    /// What was set last; no at first.
    fn adm_recording_enabled(&self) -> bool;

    /// Keeps whether a loudspeaker may be used; warns once where it may, as there is none.
    fn set_adm_playout_enabled(&self, enabled: bool);

    /// What was set last; no at first.
    fn adm_playout_enabled(&self) -> bool;

    /// Takes hold of the devices: refused, and the log says so once.
    fn acquire_platform_adm(&self) -> bool {
        absent::warn_once(DEVICES);
        false
    }

    /// Lets go of the devices. As nobody holds them, there is nothing to do.
    fn release_platform_adm(&self) {}

    /// How many hold the devices: nobody.
    fn platform_adm_ref_count(&self) -> i32 {
        0
    }

    /// Whether anybody holds the devices: no.
    fn is_platform_adm_active(&self) -> bool {
        false
    }

    /// How many microphones there are: none.
    fn recording_devices(&self) -> i16 {
        0
    }

    /// A microphone's name: empty, as of any index that is not there.
    fn recording_device_name(&self, _index: u16) -> String {
        String::new()
    }

    /// A microphone's name that outlasts its index: empty.
    fn recording_device_guid(&self, _index: u16) -> String {
        String::new()
    }

    /// Chooses a microphone: there is no such.
    fn set_recording_device(&self, _index: u16) -> bool {
        false
    }

    /// Chooses a microphone by its lasting name: there is no such.
    fn set_recording_device_by_guid(&self, _guid: &str) -> bool {
        false
    }

    /// Opens the microphone: it fails.
    fn init_recording(&self) -> bool {
        false
    }

    /// Whether the microphone is open: no.
    fn recording_is_initialized(&self) -> bool {
        false
    }

    /// Starts the microphone: it fails.
    fn start_recording(&self) -> bool {
        false
    }

    /// Stops the microphone: it fails, as none runs.
    fn stop_recording(&self) -> bool {
        false
    }

    /// How many loudspeakers there are: none.
    fn playout_devices(&self) -> i16 {
        0
    }

    /// A loudspeaker's name: empty, as of any index that is not there.
    fn playout_device_name(&self, _index: u16) -> String {
        String::new()
    }

    /// A loudspeaker's name that outlasts its index: empty.
    fn playout_device_guid(&self, _index: u16) -> String {
        String::new()
    }

    /// Chooses a loudspeaker: there is no such.
    fn set_playout_device(&self, _index: u16) -> bool {
        false
    }

    /// Chooses a loudspeaker by its lasting name: there is no such.
    fn set_playout_device_by_guid(&self, _guid: &str) -> bool {
        false
    }

    /// Opens the loudspeaker: it fails.
    fn init_playout(&self) -> bool {
        false
    }

    /// Whether the loudspeaker is open: no.
    fn playout_is_initialized(&self) -> bool {
        false
    }

    /// Starts the loudspeaker: it fails.
    fn start_playout(&self) -> bool {
        false
    }

    /// Stops the loudspeaker: it fails, as none runs.
    fn stop_playout(&self) -> bool {
        false
    }

    /// Whether a device can take out echoes: no.
    fn builtin_aec_is_available(&self) -> bool {
        false
    }

    /// Has the device take out echoes: it fails.
    fn enable_builtin_aec(&self, _enable: bool) -> bool {
        false
    }

    /// Whether a device can keep sound equally loud: no.
    fn builtin_agc_is_available(&self) -> bool {
        false
    }

    /// Has the device keep sound equally loud: it fails.
    fn enable_builtin_agc(&self, _enable: bool) -> bool {
        false
    }

    /// Whether a device can take out noise: no.
    fn builtin_ns_is_available(&self) -> bool {
        false
    }

    /// Has the device take out noise: it fails.
    fn enable_builtin_ns(&self, _enable: bool) -> bool {
        false
    }
}

impl PeerConnectionFactoryExt for PeerConnectionFactory {
    fn create_audio_track(&self, label: &str, source: NativeAudioSource) -> RtcAudioTrack {
        RtcAudioTrack { handle: Arc::new(Track::fed_by(label, source)) }
    }

    fn create_device_audio_track(&self, label: &str) -> RtcAudioTrack {
        absent::warn_once(DEVICES);
        RtcAudioTrack { handle: Arc::new(Track::new(label)) }
    }

    fn create_video_track(&self, label: &str, _source: NativeVideoSource) -> RtcVideoTrack {
        RtcVideoTrack { handle: Arc::new(Track::new(label)) }
    }

    fn set_adm_recording_enabled(&self, enabled: bool) {
        if enabled {
            absent::warn_once(DEVICES);
        }
        self.devices.recording.set(enabled);
    }

    fn adm_recording_enabled(&self) -> bool {
        self.devices.recording.is_on()
    }

    fn set_adm_playout_enabled(&self, enabled: bool) {
        if enabled {
            absent::warn_once(DEVICES);
        }
        self.devices.playout.set(enabled);
    }

    fn adm_playout_enabled(&self) -> bool {
        self.devices.playout.is_on()
    }
}
