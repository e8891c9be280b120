//! Where pictures would come from. `livekit` names the types; this build takes no pictures.

/// The size of a picture, in pixels.
#[derive(Debug, Clone)]
pub struct VideoResolution {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl Default for VideoResolution {
    fn default() -> Self {
        Self { width: 1280, height: 720 }
    }
}

/// A source of pictures.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub enum RtcVideoSource {
    /// One that a program would feed.
    Native(native::NativeVideoSource),
}

impl RtcVideoSource {
    /// The size of its pictures.
    pub fn video_resolution(&self) -> VideoResolution {
        match self {
            Self::Native(source) => source.video_resolution(),
        }
    }
}

/// The source that a program would feed.
pub mod native {
    use super::VideoResolution;
    use crate::imp::absent;
    use crate::native::packet_trailer::PacketTrailerHandler;
    use crate::video_frame::VideoFrame;

    /// A source that keeps its size and takes no pictures: to publish its track is an error.
    #[derive(Debug, Clone, Default)]
    pub struct NativeVideoSource {
        resolution: VideoResolution,
    }

    impl NativeVideoSource {
        /// A source of that size.
        pub fn new(resolution: VideoResolution, _is_screencast: bool) -> Self {
            Self { resolution }
        }

        /// Does nothing, and warns once: there is no encoder of pictures.
        pub fn capture_frame(&self, _frame: &VideoFrame) {
            absent::warn_once("sending video");
        }

        /// Does nothing, and warns once: no picture is sent that could have a trailer.
        pub fn set_packet_trailer_handler(&self, _handler: PacketTrailerHandler) {
            absent::warn_once("trailers of pictures");
        }

        /// The size of its pictures.
        pub fn video_resolution(&self) -> VideoResolution {
            self.resolution.clone()
        }
    }
}
