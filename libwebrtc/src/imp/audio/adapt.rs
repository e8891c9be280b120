//! How the encoder follows the network: from receiver reports to a bitrate and an expected loss.
//!
//! Loss of a few packets in a hundred is met with forward error correction at the same bitrate.
//! Only heavy loss is read as a link that is full, as in the loss-based half of the congestion
//! control that browsers have (draft-ietf-rmcat-gcc-02, section 6).

/// Below this share of lost packets the bitrate grows again.
const LOW_LOSS: f32 = 0.02;

/// Above this share it shrinks.
const HIGH_LOSS: f32 = 0.10;

/// The growth at each report.
const GROWTH: f32 = 1.05;

/// The lowest bitrate: wideband voice of 16 kbit/s leaves room for its own repair (libopus gives
/// redundancy to wideband from about 15 kbit/s).
pub(crate) const LOWEST_BPS: u32 = 18_000;

/// What a new report weighs against those before when the loss grows; each later one weighs less
/// when it shrinks, since loss comes in bursts.
const RISE: f32 = 0.5;
const FALL: f32 = 0.15;

/// What an encoder should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advice {
    /// Bits per second.
    pub(crate) bitrate_bps: u32,
    /// Packets of a hundred that are expected to get lost.
    pub(crate) loss_percent: u8,
}

/// Follows receiver reports.
#[derive(Debug)]
pub(crate) struct Adaptation {
    highest_bps: u32,
    bitrate_bps: f32,
    loss: f32,
}

impl Adaptation {
    /// Begins at the highest bitrate, in bits per second, and no loss.
    pub(crate) fn new(highest_bps: u32) -> Self {
        Self { highest_bps, bitrate_bps: highest_bps as f32, loss: 0.0 }
    }

    /// Sets the highest bitrate, in bits per second. Where nothing was lost, it is also the
    /// bitrate.
    pub(crate) fn set_highest(&mut self, highest_bps: u32) -> Advice {
        let was_highest = self.bitrate_bps >= self.highest_bps as f32;
        self.highest_bps = highest_bps;
        let highest = self.highest_bps as f32;
        self.bitrate_bps = if was_highest { highest } else { self.bitrate_bps.min(highest) };
        self.advice()
    }

    /// Takes a report's share of lost packets, 0.0 to 1.0, and says what to do from now on.
    pub(crate) fn report(&mut self, loss: f32) -> Advice {
        let loss = if loss.is_finite() { loss.clamp(0.0, 1.0) } else { 0.0 };
        let weight = if loss > self.loss { RISE } else { FALL };
        self.loss += weight * (loss - self.loss);
        if loss > HIGH_LOSS {
            self.bitrate_bps *= 1.0 - 0.5 * loss;
        } else if loss < LOW_LOSS {
            self.bitrate_bps *= GROWTH;
        }
        let lowest = LOWEST_BPS.min(self.highest_bps) as f32;
        self.bitrate_bps = self.bitrate_bps.clamp(lowest, self.highest_bps as f32);
        self.advice()
    }

    /// What to do now.
    pub(crate) fn advice(&self) -> Advice {
        let loss_percent = (self.loss * 100.0).round() as u8;
        Advice { bitrate_bps: self.bitrate_bps.round() as u32, loss_percent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(reports: &[f32]) -> Advice {
        let mut adaptation = Adaptation::new(48_000);
        for &loss in reports {
            adaptation.report(loss);
        }
        adaptation.advice()
    }

    #[test]
    fn light_loss_is_repaired_at_the_same_bitrate() {
        let advice = after(&[0.05; 10]);
        assert_eq!(advice, Advice { bitrate_bps: 48_000, loss_percent: 5 });
    }

    #[test]
    fn heavy_loss_shrinks_the_bitrate_to_its_floor_and_no_further() {
        assert_eq!(after(&[0.2]).bitrate_bps, 43_200);
        let advice = after(&[0.5; 40]);
        assert_eq!(advice, Advice { bitrate_bps: LOWEST_BPS, loss_percent: 50 });
    }

    #[test]
    fn a_clean_network_gives_it_back() {
        let reports: Vec<f32> = [0.4; 10].into_iter().chain([0.0; 40]).collect();
        assert_eq!(after(&reports), Advice { bitrate_bps: 48_000, loss_percent: 0 });
    }

    #[test]
    fn a_report_that_is_no_number_changes_little() {
        assert_eq!(after(&[f32::NAN, -3.0]), Advice { bitrate_bps: 48_000, loss_percent: 0 });
        assert_eq!(after(&[f32::INFINITY]).loss_percent, 0);
    }
}
