//! A picture, uncompressed: planes of brightness and colour.
//!
//! The types are whole, so that programs with pictures compile. No picture is encoded, sent or
//! received in this build: see `video_source` and `video_stream`.

use std::fmt;

/// How far a picture is to be turned before it is shown, clockwise.
#[derive(Debug, Copy, Clone, Default, PartialEq, Eq)]
pub enum VideoRotation {
    /// Not at all.
    #[default]
    VideoRotation0,
    /// By a quarter.
    VideoRotation90,
    /// By a half.
    VideoRotation180,
    /// By three quarters.
    VideoRotation270,
}

/// What travels beside a picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrameMetadata {
    /// The sender's time, in a unit of the sender's choice; LiveKit's clients use microseconds.
    pub user_timestamp: Option<u64>,
    /// The sender's number of the picture.
    pub frame_id: Option<u32>,
    /// Anything else.
    pub user_data: Option<Vec<u8>>,
}

/// A picture with its time.
#[derive(Debug, Clone)]
pub struct VideoFrame {
    /// How it is to be turned.
    pub rotation: VideoRotation,
    /// When it was taken, in microseconds; 0 is now.
    pub timestamp_us: i64,
    /// What travels beside it.
    pub frame_metadata: Option<FrameMetadata>,
    /// The picture.
    pub buffer: I420Buffer,
}

impl VideoFrame {
    /// A picture of now, with nothing beside it.
    pub fn new(rotation: VideoRotation, buffer: I420Buffer) -> Self {
        Self { rotation, timestamp_us: 0, frame_metadata: None, buffer }
    }
}

/// Planes of 8 bits: brightness (Y) for each pixel, colour (U, V) for each square of four.
#[derive(Clone)]
pub struct I420Buffer {
    width: u32,
    height: u32,
    planes: [Vec<u8>; 3],
}

impl I420Buffer {
    /// A picture of that size in pixels, all zero, which is dark green.
    pub fn new(width: u32, height: u32) -> Self {
        let pixels = |width: u32, height: u32| vec![0; width as usize * height as usize];
        let colour = || pixels(width.div_ceil(2), height.div_ceil(2));
        Self { width, height, planes: [pixels(width, height), colour(), colour()] }
    }

    /// From left to right, in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// From top to bottom, in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The planes Y, U and V, row by row without gaps.
    pub fn data(&self) -> (&[u8], &[u8], &[u8]) {
        let [y, u, v] = &self.planes;
        (y, u, v)
    }

    /// The same planes, to be drawn on.
    pub fn data_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        let [y, u, v] = &mut self.planes;
        (y, u, v)
    }

    /// A copy: this is the only form of picture here.
    pub fn to_i420(&self) -> Self {
        self.clone()
    }
}

impl fmt::Debug for I420Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I420Buffer({}x{})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_of_four_pixels_shares_its_colour() {
        for (size, lengths) in [((4, 2), (8, 2, 2)), ((3, 3), (9, 4, 4)), ((0, 7), (0, 0, 0))] {
            let mut buffer = I420Buffer::new(size.0, size.1);
            let (y, u, v) = buffer.data();
            assert_eq!((y.len(), u.len(), v.len()), lengths, "{buffer:?}");
            buffer.data_mut().0.fill(7);
            assert!(buffer.to_i420().data().0.iter().all(|&it| it == 7));
        }
    }
}
