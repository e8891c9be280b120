//! A stream whose writes can be slowed down to dribs of a few bytes, from outside and while it is
//! in use: the fault `slow`.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How slowly a connection writes: bytes per drib and the time between two, or as fast as it can.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace(Arc<Mutex<Option<(usize, Duration)>>>);

impl Pace {
    /// Sets it for all that is written from now on.
    pub(super) fn set(&self, slowness: Option<(usize, Duration)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = slowness;
    }

    fn get(&self) -> Option<(usize, Duration)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `Io`, with writes at a [`Pace`].
pub(super) struct Paced<Io> {
    io: Io,
    pace: Pace,
    /// Ends when the next drib may be written.
    pause: Option<Pin<Box<Sleep>>>,
}

impl<Io> Paced<Io> {
    /// Wraps `io`.
    pub(super) fn new(io: Io, pace: Pace) -> Self {
        Self { io, pace, pause: None }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Paced<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Paced<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some((most, every)) = self.pace.get() else {
            return Pin::new(&mut self.io).poll_write(context, bytes);
        };
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let drib = &bytes[..bytes.len().min(most)];
        let written = ready!(Pin::new(&mut self.io).poll_write(context, drib))?;
        self.pause = Some(Box::pin(sleep_until(Instant::now() + every)));
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
