//! The node kinds of voicegraph, one folder each. [`registry`] is the one list of them.

pub mod cartesia_tts;
pub mod db_tool;
pub mod deepgram_stt;
pub mod mic;
pub mod openai_llm;
pub mod provider;
pub mod speaker;
#[cfg(test)]
mod testing;
pub mod turn_detector;
pub mod vad;

use voicegraph_engine::registry::Registry;

/// Every kind that a pipeline may name.
pub fn registry() -> Registry {
    Registry::new()
        .with::<mic::Mic>()
        .with::<vad::Vad>()
        .with::<deepgram_stt::DeepgramStt>()
        .with::<openai_llm::OpenAiLlm>()
        .with::<db_tool::DbTool>()
        .with::<cartesia_tts::CartesiaTts>()
        .with::<turn_detector::TurnDetector>()
        .with::<speaker::Speaker>()
}
