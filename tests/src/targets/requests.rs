//! What clients send to the simulators: any bytes are taken for each kind of request, and what is
//! refused is refused with words.

use voicegraph_simulators::decode;

/// Takes the bytes for a request of each kind.
pub fn requests(bytes: &[u8]) {
    let mut results = vec![decode::openai_request(bytes)];
    if let Ok(text) = std::str::from_utf8(bytes) {
        results.push(decode::deepgram_query(text));
        results.push(decode::deepgram_command(text));
        results.push(decode::cartesia_request(text));
    }
    for refused in results.into_iter().filter_map(Result::err) {
        assert!(!refused.is_empty());
    }
}
