//! A volume that moves without clicks.

/// Samples from nothing to full when sound comes back: 5 ms.
pub(super) const RISE: f32 = 240.0;

/// Samples from full to nothing when what is heard is made up: 120 ms.
pub(super) const FALL: f32 = 5_760.0;

/// Samples from full to nothing when nothing more is expected: 10 ms.
pub(super) const STOP: f32 = 480.0;

/// Where the volume goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Toward {
    /// To full within [`RISE`].
    Full,
    /// To nothing within so many samples.
    Nothing(f32),
    /// It stays.
    Same,
}

/// The volume, 0.0 to 1.0.
#[derive(Debug)]
pub(super) struct Fade {
    volume: f32,
}

impl Fade {
    /// Begins at nothing.
    pub(super) fn new() -> Self {
        Self { volume: 0.0 }
    }

    /// Whether nothing is heard.
    pub(super) fn is_silent(&self) -> bool {
        self.volume <= 0.0
    }

    /// Nothing is heard from now on, until sound comes back.
    pub(super) fn cut(&mut self) {
        self.volume = 0.0;
    }

    /// Moves the volume over `samples`, which are interleaved.
    pub(super) fn apply(&mut self, samples: &mut [i16], channels: usize, toward: Toward) {
        let step = match toward {
            Toward::Full => 1.0 / RISE,
            Toward::Nothing(samples) => -1.0 / samples,
            Toward::Same => 0.0,
        };
        if self.volume >= 1.0 && step >= 0.0 {
            return;
        }
        for moment in samples.chunks_mut(channels) {
            self.volume = (self.volume + step).clamp(0.0, 1.0);
            for sample in moment {
                *sample = (f32::from(*sample) * self.volume).round() as i16;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_volume_moves_without_a_leap_and_stays_in_its_bounds() {
        let mut fade = Fade::new();
        let mut rising = [10_000_i16; 600];
        fade.apply(&mut rising, 2, Toward::Full);
        assert!(rising[0] == rising[1] && rising[0] < 50, "{}", rising[0]);
        assert!(rising.windows(2).all(|pair| (0..50).contains(&(pair[1] - pair[0]))));
        assert_eq!(rising[599], 10_000);
        let mut falling = [10_000_i16; 1_000];
        fade.apply(&mut falling, 1, Toward::Nothing(STOP));
        assert!(falling.windows(2).all(|pair| (0..50).contains(&(pair[0] - pair[1]))));
        assert_eq!(falling[500..], [0; 500]);
        assert!(fade.is_silent());
    }

    #[test]
    fn full_volume_leaves_sound_as_it_is() {
        let mut fade = Fade { volume: 1.0 };
        let mut sound = [1, -2, 3];
        fade.apply(&mut sound, 1, Toward::Full);
        fade.apply(&mut sound, 1, Toward::Same);
        assert_eq!(sound, [1, -2, 3]);
    }
}
