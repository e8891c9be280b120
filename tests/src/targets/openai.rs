//! What OpenAI sends: a streamed answer whose pieces are parted by a record separator (0x1e), and
//! the same bytes as the body of a refusal. Where the answer is text, its cutting changes nothing.

use http::StatusCode;
use voicegraph_nodes::openai_llm::decode;

/// Takes the bytes for an answer of OpenAI.
pub fn openai(bytes: &[u8]) {
    let pieces: Vec<&[u8]> = bytes.split(|byte| *byte == 0x1e).collect();
    let (whole, cut) = (pieces.concat(), decode::answer(&pieces));
    if std::str::from_utf8(&whole).is_ok() {
        assert_eq!(decode::answer(&[&whole]), cut);
    }
    assert!(decode::refusal(StatusCode::BAD_REQUEST, &whole).starts_with("HTTP 400"));
}
