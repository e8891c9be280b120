//! A track as its users hold it: a name, two switches, and who feeds it or listens to it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::feed::Feed;
use super::listener::Listener;
use crate::audio_source::native::NativeAudioSource;
use crate::media_stream_track::RtcTrackState;

/// How many may listen to a track at once.
const LISTENERS_LIMIT: usize = 64;

/// A track, local or remote.
pub(crate) struct Track {
    id: String,
    enabled: AtomicBool,
    ended: AtomicBool,
    /// What feeds a local track of sound.
    feed: Option<Arc<Feed>>,
    listeners: Mutex<Vec<Arc<Listener>>>,
    /// How many listen: asked each time the connection's task wakes.
    listener_count: AtomicUsize,
    /// The task of the connection that a remote track comes from.
    driver: OnceLock<Arc<Notify>>,
}

impl Track {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            enabled: AtomicBool::new(true),
            ended: AtomicBool::new(false),
            feed: None,
            listeners: Mutex::default(),
            listener_count: AtomicUsize::new(0),
            driver: OnceLock::new(),
        }
    }

    pub(crate) fn fed_by(id: &str, source: NativeAudioSource) -> Self {
        Self { feed: Some(source.into_feed()), ..Self::new(id) }
    }

    /// A remote track: its connection's task is told when somebody begins to listen.
    pub(crate) fn set_driver(&self, driver: Arc<Notify>) {
        let _ = self.driver.set(driver);
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn feed(&self) -> Option<&Arc<Feed>> {
        self.feed.as_ref()
    }

    /// Whether it is heard from a connection.
    pub(crate) fn is_remote(&self) -> bool {
        self.driver.get().is_some()
    }

    pub(crate) fn enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// Whether that changed anything.
    pub(crate) fn set_enabled(&self, enabled: bool) -> bool {
        self.enabled.swap(enabled, Ordering::Relaxed) != enabled
    }

    pub(crate) fn state(&self) -> RtcTrackState {
        if self.ended.load(Ordering::Relaxed) { RtcTrackState::Ended } else { RtcTrackState::Live }
    }

    /// Ends it for good, and those who listen hear no more.
    pub(crate) fn end(&self) {
        let mut listeners = self.listeners.lock();
        self.ended.store(true, Ordering::Relaxed);
        self.listener_count.store(0, Ordering::Relaxed);
        for listener in listeners.drain(..) {
            listener.end();
        }
    }

    /// Has `listener` hear what comes from now on. One at an ended track, or one too many, hears
    /// the end at once; then the answer is no.
    pub(crate) fn listen(&self, listener: Arc<Listener>) -> bool {
        let mut listeners = self.listeners.lock();
        if self.ended.load(Ordering::Relaxed) || listeners.len() >= LISTENERS_LIMIT {
            listener.end();
            return false;
        }
        listeners.push(listener);
        self.listener_count.store(listeners.len(), Ordering::Relaxed);
        drop(listeners);
        if let Some(driver) = self.driver.get() {
            driver.notify_one();
        }
        true
    }

    pub(crate) fn leave(&self, listener: &Arc<Listener>) {
        let mut listeners = self.listeners.lock();
        listeners.retain(|it| !Arc::ptr_eq(it, listener));
        self.listener_count.store(listeners.len(), Ordering::Relaxed);
    }

    pub(crate) fn has_listeners(&self) -> bool {
        self.listener_count.load(Ordering::Relaxed) > 0
    }

    /// The most channels that anybody wants to hear.
    pub(crate) fn wanted_channels(&self) -> u32 {
        self.listeners.lock().iter().map(|it| it.channels()).max().unwrap_or(1)
    }

    /// Pushes a frame of 10 ms at 48 kHz to all who listen.
    pub(crate) fn push(&self, frame: &[i16], channels: u32) {
        for listener in self.listeners.lock().iter() {
            listener.push(frame, channels);
        }
    }
}

impl fmt::Debug for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Track")
            .field("id", &self.id)
            .field("enabled", &self.enabled())
            .field("state", &self.state())
            .field("is_fed", &self.feed.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_listen_than_the_limit() {
        let track = Track::new("voice");
        let listener = || Arc::new(Listener::new(48_000, 1, 1).unwrap());
        assert!((0..LISTENERS_LIMIT).all(|_| track.listen(listener())));
        assert!(!track.listen(listener()));
    }
}
