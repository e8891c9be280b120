//! The options of `vad`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use voicegraph_engine::node::Problem;

/// Options of `vad`, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The probability from which sound begins to count as speech, 0 to 1. Default 0.5, as the
    /// detector's documentation advises. Lower hears more noise; 0.7 bears a sudden loud hiss, at
    /// which the detector holds white noise to be speech with up to 0.68, and hears an onset up to
    /// 50 ms later; above 0.9 short words are not heard at all.
    #[serde(default = "activation")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub activation: f32,
    /// The probability below which speech counts as silence, 0 to `activation`. Default 0.35. At
    /// `activation` a wavering voice is cut into pieces; near 0 noise keeps speech from ever
    /// ending.
    #[serde(default = "deactivation")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub deactivation: f32,
    /// How long sound must be speech before it is told, in ms, 0 to 1000. Default 60: a click or a
    /// keystroke is shorter, the shortest word is longer. It delays how soon the agent falls silent
    /// for an interruption; 0 tells of the first 16 ms.
    #[serde(default = "min_speech_ms")]
    #[schemars(range(min = 0, max = 1000))]
    pub min_speech_ms: u32,
    /// How long silence must last before speech counts as ended, in ms, 100 to 5000. Default 200:
    /// longer than the silence inside a word (a stop consonant, up to 150 ms). A pause within a
    /// sentence may be longer, and to wait it out is the turn detector's matter (`min_delay_ms`);
    /// what is told early here lets the recogniser finish its words meanwhile. It also limits how
    /// well a turn detector can tell a cough from an interruption.
    #[serde(default = "min_silence_ms")]
    #[schemars(range(min = 100, max = 5000))]
    pub min_silence_ms: u32,
}

fn activation() -> f32 {
    0.5
}

fn deactivation() -> f32 {
    0.35
}

fn min_speech_ms() -> u32 {
    60
}

fn min_silence_ms() -> u32 {
    200
}

impl Default for Options {
    fn default() -> Self {
        Self {
            activation: activation(),
            deactivation: deactivation(),
            min_speech_ms: min_speech_ms(),
            min_silence_ms: min_silence_ms(),
        }
    }
}

/// Options that fit together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub(super) activation: f32,
    pub(super) deactivation: f32,
    pub(super) min_speech: Duration,
    pub(super) min_silence: Duration,
}

impl Options {
    /// Checks what the schema cannot express.
    ///
    /// # Errors
    /// Every mistake found.
    pub fn build(self) -> Result<Settings, Vec<Problem>> {
        let Self { activation, deactivation, .. } = self;
        if deactivation > activation {
            let what = format!("{deactivation} is above `activation`, which is {activation}");
            let help = format!("write a probability from 0 to {activation}");
            return Err(vec![Problem::new("deactivation", what).help(help)]);
        }
        Ok(Settings {
            activation,
            deactivation,
            min_speech: Duration::from_millis(self.min_speech_ms.into()),
            min_silence: Duration::from_millis(self.min_silence_ms.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thresholds_must_not_cross() {
        let crossed = Options { activation: 0.3, ..Options::default() };
        let problems = crossed.build().expect_err("0.35 is above 0.3");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, "deactivation");
        assert!(Options { activation: 0.35, ..Options::default() }.build().is_ok());
    }
}
