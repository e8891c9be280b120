//! The node kinds of voicegraph, one folder each.

pub mod cartesia_tts;
pub mod deepgram_stt;
pub mod mic;
pub mod openai_llm;
pub mod provider;
pub mod speaker;
#[cfg(test)]
mod testing;
pub mod turn_detector;
pub mod vad;
