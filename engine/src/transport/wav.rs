//! Reads a WAV file as the caller's voice: any rate, any number of channels, to mono at 16 kHz.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hound::{SampleFormat, WavReader, WavSpec};

use super::Resampler;
use crate::message::AudioFrame;

/// The longest file that is read, since its sound is held in memory: 115 MB at 16 kHz.
pub const LONGEST_FILE: Duration = Duration::from_secs(3_600);

/// So many samples are resampled at once.
const CHUNK: usize = 4_096;

/// The rates of files that are read, in Hz: all that is in use for sound.
const RATES_HZ: RangeInclusive<u32> = 4_000..=384_000;

/// Why a sound file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file system said no.
    #[error("could not open {path:?}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// It is no WAV file, or a broken one.
    #[error("could not read {path:?} as WAV: {source}; write PCM of 8 to 32 bits or 32-bit float")]
    Wav {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: hound::Error,
    },
    /// Its rate is none of sound.
    #[error("{path:?} has {rate_hz} samples per second; files of 4000 to 384000 are read")]
    Rate {
        /// The file.
        path: PathBuf,
        /// Samples per second.
        rate_hz: u32,
    },
    /// It holds no sound.
    #[error("{path:?} holds no sound")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It is longer than [`LONGEST_FILE`].
    #[error("{path:?} lasts {} s, over {} s", length.as_secs(), LONGEST_FILE.as_secs())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How long it lasts.
        length: Duration,
    },
    /// The recording could not be written.
    #[error("could not write the recording {path:?}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: hound::Error,
    },
}

/// Reads the file at `path` as mono sound at [`AudioFrame::CALLER_RATE_HZ`].
///
/// # Errors
/// [`FileError`]: not there, not WAV, without sound, or too long.
pub fn read_voice(path: &Path) -> Result<Vec<i16>, FileError> {
    let file = File::open(path).map_err(|source| FileError::Open { path: path.into(), source })?;
    decode_voice(BufReader::new(file), path)
}

/// The same from the bytes of a file; `path` is what errors call it by.
///
/// # Errors
/// [`FileError`]: not WAV, without sound, or too long.
pub fn decode_voice(bytes: impl Read, path: &Path) -> Result<Vec<i16>, FileError> {
    let broken = |source| FileError::Wav { path: path.into(), source };
    let reader = WavReader::new(bytes).map_err(broken)?;
    let spec = reader.spec();
    let rate = NonZeroU32::new(spec.sample_rate).filter(|rate| RATES_HZ.contains(&rate.get()));
    let rate = rate.ok_or(FileError::Rate { path: path.into(), rate_hz: spec.sample_rate })?;
    let length = Duration::from_secs(u64::from(reader.duration() / rate));
    if length > LONGEST_FILE {
        return Err(FileError::TooLong { path: path.into(), length });
    }
    let resampler = Resampler::new(rate, AudioFrame::CALLER_RATE_HZ);
    let mut voice = Voice { resampler, samples: Vec::new(), mono: Vec::with_capacity(CHUNK) };
    voice.read(reader, spec).map_err(broken)?;
    if voice.samples.is_empty() {
        return Err(FileError::Empty { path: path.into() });
    }
    Ok(voice.samples)
}

/// The voice as far as it was read.
struct Voice {
    resampler: Resampler,
    samples: Vec<i16>,
    /// Mixed, not yet resampled.
    mono: Vec<i16>,
}

impl Voice {
    fn read(
        &mut self,
        mut reader: WavReader<impl Read>,
        spec: WavSpec,
    ) -> Result<(), hound::Error> {
        match spec.sample_format {
            SampleFormat::Float => {
                let to_i16 = |sample: f32| (sample * f32::from(i16::MAX)).round() as i16;
                self.take(reader.samples::<f32>().map(|sample| sample.map(to_i16)), spec.channels)
            }
            SampleFormat::Int => {
                let to_i16 = |sample: i32| scale(sample, spec.bits_per_sample);
                self.take(reader.samples::<i32>().map(|sample| sample.map(to_i16)), spec.channels)
            }
        }
    }

    /// Takes interleaved samples to the last whole one of all channels.
    fn take(
        &mut self,
        mut samples: impl Iterator<Item = Result<i16, hound::Error>>,
        channels: u16,
    ) -> Result<(), hound::Error> {
        let mut frame = Vec::with_capacity(usize::from(channels));
        loop {
            frame.clear();
            for sample in samples.by_ref().take(usize::from(channels)) {
                frame.push(sample?);
            }
            if frame.len() < usize::from(channels) {
                break;
            }
            self.mono.push(mean(&frame));
            if self.mono.len() == CHUNK {
                self.resampler.push(&self.mono, &mut self.samples);
                self.mono.clear();
            }
        }
        self.resampler.push(&self.mono, &mut self.samples);
        self.resampler.flush(&mut self.samples);
        Ok(())
    }
}

/// A sample of `bits`, as 16 bits.
fn scale(sample: i32, bits: u16) -> i16 {
    let scaled = if bits > 16 { sample >> (bits - 16) } else { sample << (16 - bits) };
    i16::try_from(scaled).unwrap_or(if scaled < 0 { i16::MIN } else { i16::MAX })
}

/// The mean of the channels.
fn mean(frame: &[i16]) -> i16 {
    let sum: i32 = frame.iter().copied().map(i32::from).sum();
    let count = i32::try_from(frame.len()).expect("channels are counted with 16 bits");
    i16::try_from(sum / count).expect("a mean lies between its terms")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(
        spec: WavSpec,
        mut fill: impl FnMut(&mut hound::WavWriter<io::BufWriter<File>>),
    ) -> tempfile::TempPath {
        let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let mut writer = hound::WavWriter::create(&file, spec).unwrap();
        fill(&mut writer);
        writer.finalize().unwrap();
        file
    }

    fn spec(channels: u16, sample_rate: u32, bits: u16, sample_format: SampleFormat) -> WavSpec {
        WavSpec { channels, sample_rate, bits_per_sample: bits, sample_format }
    }

    #[test]
    fn every_format_becomes_mono_16_bits() {
        let bits = [(8, 64), (16, 1 << 14), (24, 1 << 22), (32, 1 << 30)];
        for (bits, half) in bits {
            let file = write(spec(2, 16_000, bits, SampleFormat::Int), |writer| {
                (0..320).for_each(|_| (0..2).for_each(|_| writer.write_sample(half).unwrap()));
            });
            assert_eq!(read_voice(&file).unwrap(), vec![1 << 14; 320], "{bits} bits");
        }
        let file = write(spec(1, 16_000, 32, SampleFormat::Float), |writer| {
            [0.5_f32, -1.0, 2.0].iter().for_each(|s| writer.write_sample(*s).unwrap());
        });
        assert_eq!(read_voice(&file).unwrap(), [16_384, -32_767, 32_767]);
    }

    #[test]
    fn channels_are_averaged_and_rates_changed() {
        let file = write(spec(2, 48_000, 16, SampleFormat::Int), |writer| {
            (0..4_800).for_each(|_| {
                writer.write_sample(3_000_i16).unwrap();
                writer.write_sample(-1_000_i16).unwrap();
            });
        });
        let voice = read_voice(&file).unwrap();
        assert_eq!(voice.len(), 1_600);
        assert!(voice[100..1_500].iter().all(|s| (s - 1_000).abs() <= 3));
    }

    #[test]
    fn what_is_no_sound_says_so() {
        let missing = read_voice(Path::new("/nowhere/in.wav")).unwrap_err().to_string();
        assert!(
            missing.starts_with("could not open \"/nowhere/in.wav\": No such file"),
            "{missing}"
        );
        let text = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&text, "[pipeline]\nname = \"clinic\"\n").unwrap();
        let broken = read_voice(text.path()).unwrap_err().to_string();
        assert!(broken.contains("as WAV") && broken.contains("write PCM"), "{broken}");
        let odd = write(spec(1, 100, 16, SampleFormat::Int), |_| {});
        assert!(read_voice(&odd).unwrap_err().to_string().contains("100 samples per second"));
        let empty = write(spec(1, 16_000, 16, SampleFormat::Int), |_| {});
        assert!(matches!(read_voice(&empty), Err(FileError::Empty { .. })));
    }
}
