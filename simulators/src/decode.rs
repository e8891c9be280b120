//! The decoders of what clients send, for fuzzing: each takes any bytes and must neither panic nor
//! hang. They say what was wrong in words.

use crate::{cartesia, deepgram, openai};

/// Reads the query of Deepgram's `/v1/listen`.
pub fn deepgram_query(query: &str) -> Result<(), String> {
    deepgram::decode_query(query).map(drop).map_err(|error| error.to_string())
}

/// Reads a text message to Deepgram.
pub fn deepgram_command(text: &str) -> Result<(), String> {
    deepgram::decode_command(text).map(drop).map_err(|error| error.to_string())
}

/// Reads the body of a chat completion.
pub fn openai_request(body: &[u8]) -> Result<(), String> {
    openai::decode_request(body).map(drop).map_err(|refusal| refusal.message)
}

/// Reads a text message to Cartesia.
pub fn cartesia_request(text: &str) -> Result<(), String> {
    cartesia::decode_request(text).map(drop).map_err(|(_, problem)| problem.message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Any JSON, a few levels deep, with keys that requests have.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-z]{0,8}".prop_map(Value::from),
        ];
        let keys = prop::sample::select(vec![
            "model",
            "messages",
            "role",
            "content",
            "tool_calls",
            "tools",
            "tool_choice",
            "type",
            "function",
            "name",
            "id",
            "voice",
            "mode",
            "output_format",
            "transcript",
            "context_id",
        ]);
        leaf.prop_recursive(4, 32, 6, move |inner| {
            let object = prop::collection::btree_map(keys.clone(), inner.clone(), 0..6);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                object.prop_map(|object| json!(object)),
            ]
        })
    }

    /// Every decoder must come back from `text`, with a reason if it refuses.
    fn check(text: &str) {
        let results = [
            deepgram_query(text),
            deepgram_command(text),
            openai_request(text.as_bytes()),
            cartesia_request(text),
        ];
        assert!(results.iter().all(|result| result.as_ref().err() != Some(&String::new())));
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_or_refused(text in any::<String>()) {
            check(&text);
        }

        #[test]
        fn any_json_is_decoded_or_refused(value in any_json()) {
            check(&value.to_string());
        }
    }
}
