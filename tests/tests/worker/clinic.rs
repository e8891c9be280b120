//! The clinic as its callers know it: what is said in its calls, and how its simulated providers
//! behave.

use voicegraph_tests::scenario::clinic;
use voicegraph_tests::sound::Sound;

/// Ben Carrow of the sample data: the clinic knows callers by their number.
pub(crate) const BEN: &str = "+441632960102";

/// The clinic's greeting.
pub(crate) const GREETING: &str = "Riverside Clinic, good morning. How can I help you?";

/// What callers ask.
pub(crate) const QUESTION: &str = "When are you open this week?";

/// What the model says of the opening hours.
pub(crate) const HOURS: &str = "We are open Monday to Friday from eight to six, and on Saturday \
     from nine to noon. On Sundays the clinic is closed, and in an emergency you can always call \
     the hospital across the street.";

/// How often a caller may ask one question.
const TIMES: usize = 40;

/// How providers behave where callers are understood as a test says.
const PROVIDERS: &str = r#"
[deepgram]
final_delay_ms = 150
after_last = "silence"

[openai]
first_token_ms = 250
token_ms = 5

[cartesia]
first_byte_ms = 90
chunk_ms = 40
speed = 10.0
"#;

/// A script with the demo's voice, in which callers are heard saying this, in order. `more` of the
/// script follows.
pub(crate) fn heard(words: &[&str], more: &str) -> String {
    let heard = |words: &&str| format!("[[deepgram.utterances]]\nheard = \"{words}\"\n");
    let heard: String = words.iter().map(heard).collect();
    let rule = format!("[[openai.rules]]\nuser = \"open this week\"\nreply = \"{HOURS}\"\n");
    let line = |(text, file): (&str, &str)| {
        let file = clinic().join("demo").join(file);
        format!("[[cartesia.lines]]\ntext = \"{text}\"\nspeech = \"{}\"\n", file.display())
    };
    let lines = [(GREETING, "agent-greeting.wav"), (HOURS, "agent-hours.wav")].map(line);
    format!("{PROVIDERS}{heard}{rule}{}{more}", lines.concat())
}

/// The demo's script, and a caller who may ask the [`QUESTION`] again and again. `more` of the
/// script follows.
pub(crate) fn demo(more: &str) -> String {
    let demo = clinic().join("demo");
    let script = std::fs::read_to_string(demo.join("script.toml")).unwrap();
    let script = script.replace("speech = \"", &format!("speech = \"{}/", demo.display()));
    let question = format!("[[deepgram.utterances]]\nheard = \"{QUESTION}\"\n");
    script + &question.repeat(TIMES) + more
}

/// The sound of a line of the demo's caller, counted from 0.
pub(crate) fn line(number: usize) -> Sound {
    let voice = Sound::read(&clinic().join("demo/caller.wav")).remove(0);
    let (from, to) = [(0, 2_041), (2_541, 4_947), (5_447, 6_865), (7_365, 8_387)][number];
    voice.part(from, to)
}

/// The sound of the opening hours, as the voice is given it to say.
pub(crate) fn hours() -> Sound {
    Sound::read(&clinic().join("demo/agent-hours.wav")).remove(0)
}
