//! The smallest pipeline whose model has a tool on PostgreSQL, every provider being simulated.

/// The pipeline. Its variables are `DATABASE_URL` and `AUTHORITY`, a PEM file.
pub const PIPELINE: &str = r#"
[pipeline]
name = "booking"

[nodes]
mic = { kind = "mic" }
vad = { kind = "vad" }
stt = { kind = "deepgram_stt", base_url = "sim://deepgram", api_key = "${KEY:-simulated}" }
turn = { kind = "turn_detector" }
tts = { kind = "cartesia_tts", base_url = "sim://cartesia", api_key = "${KEY:-simulated}", voice = "v" }
speaker = { kind = "speaker" }

[nodes.llm]
kind = "openai_llm"
base_url = "sim://openai/v1"
api_key = "${KEY:-simulated}"
model = "gpt-4.1-mini"
system = "You are a receptionist."

[nodes.booking]
kind = "db_tool"
database.url = "${DATABASE_URL:?}"
database.root_certificates = "${AUTHORITY:?}"
database.acquire_timeout_ms = 20000

[[nodes.booking.tools]]
name = "count"
description = "Counts."
effect = "read"
sql = "select 1 as one"

[edges]
"mic.audio -> vad.audio" = {}
"mic.audio -> stt.audio" = {}
"vad.speech -> turn.speech" = {}
"stt.transcript -> turn.transcript" = {}
"turn.turn -> llm.turn" = {}
"llm.call -> booking.call" = {}
"llm.text -> tts.text" = {}
"tts.audio -> speaker.audio" = {}
"#;
