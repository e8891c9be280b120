//! Reads a WAV file as the caller's voice: any rate, any number of channels, to mono at 16 kHz.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hound::{SampleFormat, WavReader, WavSpec};

use super::Resampler;
use crate::message::AudioFrame;

/// The longest file that is read, since its sound is held in memory: 115 MB at 16 kHz.
pub const LONGEST_FILE: Duration = Duration::from_secs(3_600);

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
    /// It holds no sound.
    #[error("{path:?} holds no sound")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It is longer than [`LONGEST_FILE`].
    #[error("{path:?} lasts {} s; the longest file is {} s", length.as_secs(), LONGEST_FILE.as_secs())]
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
    let rate = NonZeroU32::new(spec.sample_rate).filter(|_| spec.channels > 0);
    let rate = rate.ok_or_else(|| broken(hound::Error::FormatError("no rate or no channels")))?;
    let length = Duration::from_secs(u64::from(reader.duration() / rate));
    if length > LONGEST_FILE {
        return Err(FileError::TooLong { path: path.into(), length });
    }
    let samples = read_samples(reader, spec).map_err(broken)?;
    if samples.len() < usize::from(spec.channels) {
        return Err(FileError::Empty { path: path.into() });
    }
    let mono = mix(&samples, spec.channels);
    Ok(Resampler::all(rate, AudioFrame::CALLER_RATE_HZ, &mono))
}

/// Every sample as 16 bits, the channels interleaved.
fn read_samples(mut reader: WavReader<impl Read>, spec: WavSpec) -> Result<Vec<i16>, hound::Error> {
    match spec.sample_format {
        SampleFormat::Float => {
            let to_i16 = |sample: f32| (sample * f32::from(i16::MAX)).round() as i16;
            reader.samples::<f32>().map(|sample| sample.map(to_i16)).collect()
        }
        SampleFormat::Int => {
            let to_i16 = |sample: i32| scale(sample, spec.bits_per_sample);
            reader.samples::<i32>().map(|sample| sample.map(to_i16)).collect()
        }
    }
}

/// A sample of `bits`, as 16 bits.
fn scale(sample: i32, bits: u16) -> i16 {
    let scaled = if bits > 16 { sample >> (bits - 16) } else { sample << (16 - bits) };
    i16::try_from(scaled).unwrap_or(if scaled < 0 { i16::MIN } else { i16::MAX })
}

/// The mean of the channels.
fn mix(samples: &[i16], channels: u16) -> Vec<i16> {
    let frames = samples.chunks_exact(usize::from(channels));
    let mean = |frame: &[i16]| {
        let sum: i32 = frame.iter().copied().map(i32::from).sum();
        i16::try_from(sum / i32::from(channels)).expect("a mean lies between its terms")
    };
    frames.map(mean).collect()
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
        let empty = write(spec(1, 16_000, 16, SampleFormat::Int), |_| {});
        assert!(matches!(read_voice(&empty), Err(FileError::Empty { .. })));
    }
}
