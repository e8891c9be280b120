//! A TCP connection that carries datagrams, perhaps inside of TLS. It is polled by the connection's
//! one task; nothing here waits, and what does not fit is lost, as on a full link.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::ClientConnection;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::frames::{FRAME_LIMIT, Frames, Framing};
use super::tls;

/// How long a connection may take to stand.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// How many bytes wait for a slow stream: a second at 2 Mbit/s.
const QUEUE_LIMIT: usize = 256 << 10;

type Connecting = Pin<Box<dyn Future<Output = io::Result<Wire>> + Send>>;

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
    Open(Wire),
}

/// A connection that stands.
struct Wire {
    tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Stream {
    /// Begins to connect to a peer, from the address `from`.
    pub(crate) fn to_peer(from: IpAddr, to: SocketAddr) -> Self {
        Self::new(Box::pin(connect(Some(from), to)), Framing::Length)
    }

    /// Begins to connect to a relay at the first of the addresses that takes the connection; with
    /// TLS where `host` is to prove that it is that.
    pub(crate) fn to_relay(addresses: Vec<SocketAddr>, host: Option<String>) -> Self {
        let connecting = async move {
            let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
            for address in addresses {
                match connect(None, address).await {
                    Ok(wire) => return secured(wire, host.as_deref()),
                    Err(error) => last = error,
                }
            }
            Err(last)
        };
        Self::new(Box::pin(connecting), Framing::Turn)
    }

    fn new(connecting: Connecting, framing: Framing) -> Self {
        Self {
            state: State::Connecting(connecting),
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
            State::Open(wire) => wire.tcp.local_addr().ok(),
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
                let wire = ready!(connecting.as_mut().poll(context))?;
                self.state = State::Open(wire);
            }
            self.poll_flush(context)?;
            if let Some(datagram) = self.frames.poll().map_err(io::Error::other)? {
                buffer[..datagram.len()].copy_from_slice(datagram);
                return Poll::Ready(Ok(datagram.len()));
            }
            if self.poll_fill(context)?.is_pending() {
                // TLS may have had something to say to what it read.
                self.poll_flush(context)?;
                return Poll::Pending;
            }
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while self.flush()? {
            let State::Open(wire) = &self.state else { return Ok(()) };
            let Poll::Ready(ready) = wire.tcp.poll_write_ready(context) else { return Ok(()) };
            ready?;
        }
        Ok(())
    }

    /// Sends what can be sent at once. Returns whether the socket is full.
    fn flush(&mut self) -> io::Result<bool> {
        let State::Open(wire) = &mut self.state else { return Ok(false) };
        wire.flush(&mut self.queue)
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let State::Open(wire) = &mut self.state else { return Poll::Pending };
        loop {
            match wire.fill(self.frames.room()) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Ok(length) => {
                    self.frames.filled(length);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            ready!(wire.tcp.poll_read_ready(context))?;
        }
    }
}

impl Wire {
    /// Sends of `queue` what can be sent at once. Returns whether the socket is full.
    fn flush(&mut self, queue: &mut VecDeque<u8>) -> io::Result<bool> {
        loop {
            let written = match &mut self.tls {
                None if queue.is_empty() => return Ok(false),
                None => Direct(&self.tcp).write(queue.as_slices().0),
                Some(tls) => {
                    let taken = tls.writer().write(queue.as_slices().0)?;
                    queue.drain(..taken);
                    if !tls.wants_write() {
                        return Ok(false);
                    }
                    tls.write_tls(&mut Direct(&self.tcp)).map(|_| 0)
                }
            };
            match written {
                Ok(written) => drop(queue.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads what is there; none is the end.
    fn fill(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return Direct(&self.tcp).read(room) };
        loop {
            match tls.reader().read(room) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            if tls.read_tls(&mut Direct(&self.tcp))? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }
}

/// A socket as rustls wants it, without waiting.
struct Direct<'a>(&'a TcpStream);

impl Read for Direct<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(room)
    }
}

impl Write for Direct<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn connect(from: Option<IpAddr>, to: SocketAddr) -> io::Result<Wire> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    let tcp = timeout(CONNECT_LIMIT, socket.connect(to)).await??;
    // Datagrams are whole when they are written.
    tcp.set_nodelay(true)?;
    Ok(Wire { tcp, tls: None })
}

fn secured(mut wire: Wire, host: Option<&str>) -> io::Result<Wire> {
    if let Some(host) = host {
        wire.tls = Some(Box::new(tls::client(host).map_err(io::Error::other)?));
    }
    Ok(wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that is not open yet.
    fn stream() -> Stream {
        Stream::to_peer([192, 0, 2, 1].into(), ([192, 0, 2, 2], 5_000).into())
    }

    #[test]
    fn what_finds_the_queue_full_is_lost_and_counted() {
        let mut stream = stream();
        let datagram = [7; 1_024];
        for _ in 0..2 * QUEUE_LIMIT / datagram.len() {
            stream.send(&datagram);
        }
        let framed = datagram.len() + 2;
        let kept = (QUEUE_LIMIT - datagram.len()) / framed + 1;
        assert_eq!(stream.queue.len(), kept * framed);
        assert_eq!(stream.dropped as usize, 2 * QUEUE_LIMIT / datagram.len() - kept);
    }

    #[test]
    fn what_is_too_long_is_lost_and_counted() {
        let mut stream = stream();
        stream.send(&[7; FRAME_LIMIT]);
        stream.send(&[7; FRAME_LIMIT + 1]);
        assert_eq!((stream.queue.len(), stream.dropped), (FRAME_LIMIT + 2, 1));
    }
}
