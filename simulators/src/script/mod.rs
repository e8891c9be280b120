//! The script: one TOML text that says how all three providers behave and what the caller says.
//! It comes in as text plus the WAV files it names, and goes out checked; nothing else here is
//! decided at run time.

mod error;
mod files;
mod source;

use serde::Deserialize;

pub use error::{Place, ScriptError};
pub use files::{Files, Folder};
pub(crate) use source::Source;

use crate::{caller, cartesia, deepgram, openai};

/// How everybody behaves; [`Script::from_toml`] is the only way to one with content.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// What the caller says, and when.
    pub caller: caller::Script,
    /// How speech is heard.
    pub deepgram: deepgram::Script,
    /// What is answered.
    pub openai: openai::Script,
    /// How text is spoken.
    pub cartesia: cartesia::Script,
}

/// The script as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    #[serde(default)]
    caller: caller::Options,
    #[serde(default)]
    deepgram: deepgram::Options,
    #[serde(default)]
    openai: openai::Options,
    #[serde(default)]
    cartesia: cartesia::Options,
}

impl Script {
    /// Reads a script; `files` gives the WAVs it names. Without `[[deepgram.utterances]]` the
    /// caller's lines are what is heard.
    pub fn from_toml(text: &str, files: &dyn Files) -> Result<Self, ScriptError> {
        let source = Source::new(text, files);
        let options: Options = toml::from_str(text).map_err(|error| source.syntax(&error))?;
        let caller = options.caller.build(&source)?;
        Ok(Self {
            deepgram: options.deepgram.build(&source, &caller)?,
            openai: options.openai.build(&source)?,
            cartesia: options.cartesia.build(&source)?,
            caller,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use voicegraph_engine::message::UserInput;

    use super::*;

    /// One second of 16 kHz silence under each name but `missing.wav`.
    struct Silence;

    impl Files for Silence {
        fn read(&self, path: &str) -> io::Result<Vec<u8>> {
            match path {
                "missing.wav" => Err(io::ErrorKind::NotFound.into()),
                "text.wav" => Ok(b"no sound".to_vec()),
                _ => Ok(wav(&[0; 16_000])),
            }
        }
    }

    fn wav(samples: &[i16]) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        samples.iter().for_each(|&sample| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    /// Checks that `text` is refused with all of `parts` in the message.
    fn check(text: &str, parts: &[&str]) {
        let message = Script::from_toml(text, &Silence).unwrap_err().to_string();
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in `{message}`");
        }
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        check("[deepgram]\nfinal_dealy_ms = 1", &["line 2, column 1", "final_dealy_ms"]);
        check("[deepgram]\nfinal_delay_ms = \"x\"", &["line 2, column 18", "invalid type"]);
        check("[open", &["line 1"]);
    }

    #[test]
    fn misspelt_keys_get_what_was_meant() {
        check("[deepgram]\nfinal_dealy_ms = 1", &["expected one of", "final_delay_ms"]);
        check("[telepathy]\n", &["telepathy", "deepgram"]);
    }

    #[test]
    fn faults_must_exist_and_have_their_keys() {
        let fault = |rest: &str| format!("[[deepgram.faults]]\n{rest}");
        check(&fault("kind = \"burn\""), &["line 2, column 8", "`burn`", "`stall`"]);
        check(&fault("kind = \"status\""), &["needs `status`"]);
        check(&fault("kind = \"refuse\"\nafter_ms = 3"), &["`after_ms`", "`refuse`"]);
        check(&fault("kind = \"status\"\nstatus = 200"), &["200", "400 to 599"]);
        check("[[openai.faults]]\nkind = \"close\"\ncode = 1000", &["`close`", "`stall`"]);
    }

    #[test]
    fn caller_lines_say_exactly_one_time() {
        let line = |rest: &str| format!("[caller]\nspeech = \"a.wav\"\n[[caller.lines]]\n{rest}");
        check(&line("text = \"a\"\nto_ms = 9"), &["line 3", "exactly one of", "`at_ms`"]);
        check(&line("text = \"a\"\nat_ms = 1\nduring_agent_ms = 2"), &["exactly one of"]);
        check(&line("text = \"a\"\nat_ms = 1\nto_ms = 2000"), &["2000", "1000 ms"]);
        check(&line("text = \"a\"\nat_ms = 1\nfrom_ms = 7\nto_ms = 7"), &["`from_ms`"]);
    }

    #[test]
    fn speech_must_be_readable() {
        let line = |wav: &str| format!("[[cartesia.lines]]\ntext = \"a\"\nspeech = \"{wav}\"");
        check(&line("missing.wav"), &["line 3, column 10", "missing.wav"]);
        check(&line("text.wav"), &["line 3, column 10", "not a WAV file"]);
        check("[[caller.lines]]\ntext = \"a\"\nat_ms = 1", &["line 1", "speech"]);
    }

    #[test]
    fn an_empty_script_is_valid() {
        Script::from_toml("", &Silence).unwrap();
    }

    #[test]
    fn caller_lines_become_samples() {
        let text = "[caller]\nspeech = \"a.wav\"\n[[caller.lines]]\ntext = \"a\"\nfrom_ms = 250\n\
                    to_ms = 750\nafter_agent_ms = 40";
        let script = Script::from_toml(text, &Silence).unwrap();
        let caller::What::Voice(samples) = &script.caller.lines[0].what else { panic!("a voice") };
        assert_eq!(samples.len(), 8_000);
    }

    #[test]
    fn caller_lines_may_be_typed_or_pressed() {
        let line = |rest: &str| format!("[[caller.lines]]\nat_ms = 1\n{rest}");
        let given = |rest: &str| {
            let script = Script::from_toml(&line(rest), &Silence).unwrap();
            assert!(script.deepgram.utterances.is_empty(), "nothing is said");
            script.caller.lines[0].what.clone()
        };
        let digits = ['1', '#'].map(UserInput::Digit).to_vec();
        assert_eq!(given("keys = \"1#\""), caller::What::Input(digits));
        let typed = vec![UserInput::Text("at two".into())];
        assert_eq!(given("typed = \"at two\""), caller::What::Input(typed));
        assert_eq!(given("button = true"), caller::What::Input(vec![UserInput::Interrupt]));
        check(
            &line("typed = \"a\"\nkeys = \"1\""),
            &["line 1", "exactly one of", "`button = true`"],
        );
        check(&line("keys = \"1x\""), &["a digit is one of", "`keys = "]);
        check(&line("typed = \" \""), &["must not be empty"]);
    }
}
