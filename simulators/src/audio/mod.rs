//! Sound as the simulators need it: speech from WAV files, the encodings of the wires, where a
//! recording is loud, and a voice for text that nobody recorded. Samples are i16 mono throughout.

mod buzz;
mod codec;
mod energy;
mod resample;
mod speech;
mod words;

pub(crate) use buzz::buzz;
pub(crate) use codec::Encoding;
pub(crate) use energy::{Framer, Threshold, loud_span};
pub(crate) use speech::Line;
pub use speech::{Speech, SpeechError};
pub(crate) use words::{Timed, spread, units};
