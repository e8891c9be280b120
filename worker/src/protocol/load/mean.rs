//! The mean of the last few samples.

use std::collections::VecDeque;

/// So many samples are kept: 2.5 s of them, as the Python worker does.
const WINDOW: usize = 5;

/// The mean of the last [`WINDOW`] samples.
#[derive(Clone, Debug, Default)]
pub struct Mean {
    samples: VecDeque<f32>,
}

impl Mean {
    /// Takes in a sample, and gives the mean.
    pub fn add(&mut self, sample: f32) -> f32 {
        if self.samples.len() == WINDOW {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
        self.samples.iter().sum::<f32>() / self.samples.len() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_sample_goes() {
        let mut mean = Mean::default();
        assert_eq!(mean.add(1.0), 1.0);
        assert_eq!(mean.add(0.0), 0.5);
        for _ in 0..3 {
            mean.add(0.0);
        }
        assert_eq!(mean.add(0.0), 0.0);
    }
}
