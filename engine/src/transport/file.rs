//! A call whose caller is a WAV file, and whose agent is recorded.
//!
//! The file is played into the graph at the pace of a microphone, then silence for a while, so that
//! the end of the last words can be heard, then the caller only listens. Under tokio's paused clock
//! the same call takes as long as its computing.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;

use super::microphone::{Microphone, frames};
use super::playback::Playback;
use super::{Captured, FileError, Recording, Source, Transport, read_voice};
use crate::message::AudioFrame;
use crate::variables::Variables;

/// The silence after the file that lets an endpointer hear the end of the last words: longer than
/// the longest wait that pipelines usually configure, 3 s.
pub const DEFAULT_TAIL: Duration = Duration::from_secs(4);

/// A call from the file at `input`, followed by `tail` of silence, heard into `recording`.
///
/// # Errors
/// [`FileError`] where the file cannot be read.
pub fn call(
    input: &Path,
    tail: Duration,
    recording: Option<Recording>,
) -> Result<Transport, FileError> {
    Ok(transport(&read_voice(input)?, tail, recording))
}

/// The same, from samples at 16 kHz.
pub fn transport(voice: &[i16], tail: Duration, recording: Option<Recording>) -> Transport {
    let source = FileSource::new(voice, tail, recording.clone());
    let sink = Playback::new(recording);
    Transport {
        source: Box::new(source),
        sink: Box::new(sink),
        caller: None,
        variables: Variables::default(),
        observer: None,
    }
}

struct FileSource {
    frames: std::vec::IntoIter<AudioFrame>,
    /// When the silence after the file is over, counted from the start.
    end: Duration,
    microphone: Microphone,
}

impl FileSource {
    fn new(voice: &[i16], tail: Duration, recording: Option<Recording>) -> Self {
        let frames = frames(voice);
        let count = u32::try_from(frames.len()).expect("an hour has 180 000 frames");
        let end = AudioFrame::LENGTH * count + tail;
        Self { frames, end, microphone: Microphone::new(recording) }
    }
}

#[async_trait]
impl Source for FileSource {
    async fn next(&mut self) -> Captured {
        if self.microphone.elapsed() >= self.end {
            return Captured::Finished;
        }
        let end = self.microphone.capture().await;
        self.microphone.give(self.frames.next(), end)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use tokio::time::Instant;

    use super::*;
    use crate::transport::Layout;

    const AGENT_HZ: NonZeroU32 = NonZeroU32::new(24_000).unwrap();

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn agent_frame(level: i16) -> AudioFrame {
        AudioFrame::new(vec![level; 480], AGENT_HZ)
    }

    fn level_at(samples: &[i16], channel: usize, at_ms: usize) -> i16 {
        samples[(at_ms * 24) * 2 + channel]
    }

    #[tokio::test(start_paused = true)]
    async fn frames_come_by_the_clock_then_silence_then_the_end() {
        let voice = vec![5; 320 * 2 + 100];
        let mut source = transport(&voice, ms(40), None).source;
        let start = Instant::now();
        let mut frames = Vec::new();
        loop {
            match source.next().await {
                Captured::Frame(frame, at) => {
                    assert_eq!((at, frame.samples().len()), (Instant::now(), 320));
                    frames.push((at - start, frame.samples()[0], frame.samples()[319]));
                }
                other => break assert_eq!(other, Captured::Finished),
            }
        }
        let expected =
            [(ms(20), 5, 5), (ms(40), 5, 5), (ms(60), 5, 0), (ms(80), 0, 0), (ms(100), 0, 0)];
        assert_eq!(frames, expected);
        assert_eq!(Instant::now() - start, ms(100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_reader_does_not_make_the_clock_drift() {
        let mut source = transport(&[1; 3_200], ms(0), None).source;
        let start = Instant::now();
        source.next().await;
        tokio::time::advance(ms(70)).await;
        for k in 2..=5 {
            let Captured::Frame(_, at) = source.next().await else { panic!("a frame") };
            assert_eq!(at - start, ms(20) * k);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_not_yet_due_is_not_lost_when_the_wait_is_dropped() {
        let mut source = transport(&[7; 640], ms(0), None).source;
        let start = Instant::now();
        assert!(tokio::time::timeout(ms(10), source.next()).await.is_err());
        let Captured::Frame(_, at) = source.next().await else { panic!("a frame") };
        assert_eq!(at - start, ms(20));
    }

    #[tokio::test(start_paused = true)]
    async fn the_agent_is_played_without_lead() {
        let mut sink = transport(&[], ms(0), None).sink;
        let start = Instant::now();
        assert_eq!(sink.play(&agent_frame(1)).await, Ok(start));
        assert_eq!(sink.play(&agent_frame(1)).await, Ok(start + ms(20)));
        tokio::time::advance(ms(50)).await;
        assert_eq!(sink.play(&agent_frame(1)).await, Ok(start + ms(70)));
    }

    #[tokio::test(start_paused = true)]
    async fn both_sides_are_recorded_at_their_times() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let recording = Recording::create(file.path(), AGENT_HZ, Layout::Both).unwrap();
        let caller = transport(&[3_000; 16_000], ms(2_000), Some(recording.clone()));
        let (mut source, mut sink) = (caller.source, caller.sink);
        let speaking = async {
            tokio::time::sleep(ms(1_500)).await;
            for _ in 0..10 {
                sink.play(&agent_frame(500)).await.unwrap();
            }
        };
        let hearing = async { while source.next().await != Captured::Finished {} };
        tokio::join!(speaking, hearing);
        recording.finish().unwrap();
        let mut reader = hound::WavReader::open(file.path()).unwrap();
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!((reader.spec().channels, samples.len()), (2, 3 * 24_000 * 2));
        assert!((level_at(&samples, 0, 500) - 3_000).abs() < 10);
        assert_eq!((level_at(&samples, 0, 1_100), level_at(&samples, 1, 1_490)), (0, 0));
        assert_eq!((level_at(&samples, 1, 1_501), level_at(&samples, 1, 1_699)), (500, 500));
        assert_eq!(level_at(&samples, 1, 1_701), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_agent_alone_is_recorded_as_one_channel() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let recording = Recording::create(file.path(), AGENT_HZ, Layout::Agent).unwrap();
        let Transport { mut source, mut sink, .. } = transport(&[], ms(40), Some(recording));
        source.next().await;
        sink.play(&agent_frame(9)).await.unwrap();
        drop((source, sink));
        let mut reader = hound::WavReader::open(file.path()).unwrap();
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!((samples.len(), samples[479], samples[480]), (960, 0, 9));
    }

    #[tokio::test]
    async fn a_recording_that_cannot_be_written_says_where() {
        let path = Path::new("/nowhere/out.wav");
        let refused = Recording::create(path, AGENT_HZ, Layout::Both).err().unwrap();
        let text = refused.to_string();
        assert!(text.starts_with("could not write the recording \"/nowhere/out.wav\""), "{text}");
    }
}
