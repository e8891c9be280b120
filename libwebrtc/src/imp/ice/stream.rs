//! A TCP connection that carries datagrams, perhaps inside of TLS. It is polled by the connection's
//! one task; nothing here waits, and what does not fit is lost, as on a full link.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::frames::{FRAME_LIMIT, Frames, Framing};

/// How long a connection may take to stand.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How many bytes wait for a slow stream: a second at 2 Mbit/s.
const QUEUE_LIMIT: usize = 256 << 10;

type Connecting = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// A connection to a server or a peer.
pub(crate) struct Stream {
    state: State,
    framing: Framing,
    /// What is not sent yet, framed.
    queue: VecDeque<u8>,
    frames: Frames,
    /// How many datagrams found the queue full.
    pub(crate) dropped: u64,
}

enum State {
    Connecting(Connecting),
    Open(TcpStream),
}

impl Stream {
    /// Begins to connect, from the address `from` where one is given.
    pub(crate) fn connect(from: Option<IpAddr>, to: SocketAddr, framing: Framing) -> Self {
        Self {
            state: State::Connecting(Box::pin(connect(from, to))),
            framing,
            queue: VecDeque::new(),
            frames: Frames::new(framing),
            dropped: 0,
        }
    }

    /// Where it is bound, once it is open.
    pub(crate) fn local(&self) -> Option<SocketAddr> {
        match &self.state {
            State::Connecting(_) => None,
            State::Open(stream) => stream.local_addr().ok(),
        }
    }

    /// Sends a datagram, or queues it, or loses it where the queue is full.
    pub(crate) fn send(&mut self, datagram: &[u8]) {
        if datagram.len() > FRAME_LIMIT || self.queue.len() + datagram.len() > QUEUE_LIMIT {
            self.dropped += 1;
            return;
        }
        let (header, padding) = self.framing.around(datagram);
        self.queue.extend(header.into_iter().flatten());
        self.queue.extend(datagram);
        self.queue.extend(std::iter::repeat_n(0, padding));
        // An error shows itself again where it is polled.
        let _ = self.flush();
    }

    /// The next datagram into `buffer`; meanwhile what waits is sent. An error is the stream's end.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            if let State::Connecting(connecting) = &mut self.state {
                let stream = ready!(connecting.as_mut().poll(context))?;
                self.state = State::Open(stream);
            }
            self.poll_flush(context)?;
            if let Some(datagram) = self.frames.take().map_err(io::Error::other)? {
                buffer[..datagram.len()].copy_from_slice(datagram);
                return Poll::Ready(Ok(datagram.len()));
            }
            ready!(self.poll_fill(context))?;
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while self.flush()? {
            let State::Open(stream) = &self.state else { return Ok(()) };
            let Poll::Ready(ready) = stream.poll_write_ready(context) else { return Ok(()) };
            ready?;
        }
        Ok(())
    }

    /// Sends what can be sent at once. Returns whether something waits still.
    fn flush(&mut self) -> io::Result<bool> {
        let State::Open(stream) = &self.state else { return Ok(!self.queue.is_empty()) };
        while !self.queue.is_empty() {
            match stream.try_write(self.queue.as_slices().0) {
                Ok(written) => drop(self.queue.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let State::Open(stream) = &self.state else { return Poll::Pending };
        loop {
            ready!(stream.poll_read_ready(context))?;
            match stream.try_read(self.frames.room()) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Ok(length) => {
                    self.frames.filled(length);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

async fn connect(from: Option<IpAddr>, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    let stream = timeout(CONNECT_LIMIT, socket.connect(to)).await??;
    // Datagrams are whole when they are written.
    stream.set_nodelay(true)?;
    Ok(stream)
}
