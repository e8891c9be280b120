//! Pictures that were received: none, in this build.

/// The stream for programs.
pub mod native {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_util::Stream;

    use crate::imp::absent;
    use crate::video_frame::VideoFrame;
    use crate::video_track::RtcVideoTrack;

    /// Would be the pictures of a remote track. It ends at once, and the log says why.
    #[derive(Debug)]
    pub struct NativeVideoStream {
        track: RtcVideoTrack,
    }

    impl NativeVideoStream {
        /// A stream that has ended.
        pub fn new(video_track: RtcVideoTrack) -> Self {
            absent::warn_once("receiving video");
            Self { track: video_track }
        }

        /// The track.
        pub fn track(&self) -> RtcVideoTrack {
            self.track.clone()
        }
    }

    impl Stream for NativeVideoStream {
        type Item = VideoFrame;

        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(None)
        }
    }
}
