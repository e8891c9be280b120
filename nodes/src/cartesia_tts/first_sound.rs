//! The marks, the wait and the meter that belong to a turn's first sound.

use tokio::time::Instant;
use voicegraph_engine::metrics::NodeMeter;
use voicegraph_engine::turn::{Mark, Turn, WaitGuard};

/// How far a turn is from its first sound.
pub(super) struct FirstSound<'a> {
    turn: &'a Turn,
    requested: Option<Instant>,
    came: bool,
    wait: Option<WaitGuard<'a>>,
}

impl<'a> FirstSound<'a> {
    /// Nothing was sent yet.
    pub(super) fn new(turn: &'a Turn) -> Self {
        Self { turn, requested: None, came: false, wait: None }
    }

    /// The turn.
    pub(super) fn turn(&self) -> &Turn {
        self.turn
    }

    /// Notes that text is sent.
    pub(super) fn requested(&mut self) {
        self.requested.get_or_insert_with(|| {
            self.turn.mark(Mark::TtsRequested);
            Instant::now()
        });
    }

    /// Notes that sound came.
    pub(super) fn came(&mut self, meter: &NodeMeter) {
        if let Some(requested) = self.requested.filter(|_| !self.came) {
            self.came = true;
            self.turn.mark(Mark::TtsFirstAudio);
            meter.record(requested.elapsed());
        }
    }

    /// Begins or ends the turn's wait for the provider.
    pub(super) fn wait_while(&mut self, waiting: bool) {
        match waiting {
            true => {
                self.wait.get_or_insert_with(|| self.turn.wait());
            }
            false => self.wait = None,
        }
    }
}
