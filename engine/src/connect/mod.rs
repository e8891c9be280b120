//! The one door to the outside: a node opens a stream to a provider here and nowhere else.
//!
//! In production that is TCP with rustls. In simulation it is an in-memory pipe to a stand-in in
//! the same runtime, chosen by the URL's scheme (`sim://deepgram`), so that a whole call runs under
//! a paused clock.

mod endpoint;
mod hold;
mod tls;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub use endpoint::{Endpoint, EndpointError};
pub use hold::Hold;
pub use tls::Roots;

/// A byte stream to a provider.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A stand-in for a provider in the same runtime.
#[async_trait]
pub trait Dial: Send + Sync {
    /// Opens a stream to it.
    ///
    /// # Errors
    /// As a real connection may: the stand-in refuses or is gone.
    async fn dial(&self) -> io::Result<Box<dyn Io>>;
}

/// Why no stream could be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The network said no.
    #[error("could not connect to {endpoint}: {source}")]
    Refused {
        /// Where to.
        endpoint: String,
        /// What the network said.
        source: io::Error,
    },
    /// Nobody answered in time.
    #[error("could not connect to {endpoint} within {} ms", limit.as_millis())]
    TimedOut {
        /// Where to.
        endpoint: String,
        /// The time that was given.
        limit: Duration,
    },
    /// The URL names a simulator that this process does not run.
    #[error("no simulator named {name:?} runs in this process")]
    NoSimulator {
        /// The name in the URL.
        name: String,
    },
}

/// Opens streams to providers. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    tls: TlsConnector,
    simulators: Arc<BTreeMap<String, Arc<dyn Dial>>>,
    virtual_time: bool,
}

impl Connector {
    /// A connector that trusts `roots`.
    pub fn new(roots: &Roots) -> Self {
        Self { tls: tls::connector(roots), simulators: Arc::default(), virtual_time: false }
    }

    /// The same, with stand-ins for the endpoints `sim://<name>`.
    #[must_use]
    pub fn with_simulators(self, simulators: BTreeMap<String, Arc<dyn Dial>>) -> Self {
        Self { simulators: Arc::new(simulators), ..self }
    }

    /// The same, for calls under a paused clock.
    #[must_use]
    pub fn in_virtual_time(self) -> Self {
        Self { virtual_time: true, ..self }
    }

    /// Holds virtual time for as long as something is waited for that does not run in it, a
    /// database for example. Where time is real there is nothing to hold.
    pub fn hold_time(&self) -> Option<Hold> {
        self.virtual_time.then(Hold::begin)
    }

    /// Opens a stream to `endpoint` within `limit`: TCP without Nagle's delay, TLS where the
    /// endpoint asks for it.
    ///
    /// # Errors
    /// [`ConnectError`]: refused, too late, or no such simulator.
    pub async fn connect(
        &self,
        endpoint: &Endpoint,
        limit: Duration,
    ) -> Result<Box<dyn Io>, ConnectError> {
        let simulator = match endpoint.simulator() {
            Some(name) => Some(self.simulator(name)?),
            None => None,
        };
        let opening = async {
            match simulator {
                Some(simulator) => simulator.dial().await,
                None => self.dial(endpoint).await,
            }
        };
        match tokio::time::timeout(limit, opening).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(source)) => {
                Err(ConnectError::Refused { endpoint: endpoint.to_string(), source })
            }
            Err(_) => Err(ConnectError::TimedOut { endpoint: endpoint.to_string(), limit }),
        }
    }

    fn simulator(&self, name: &str) -> Result<Arc<dyn Dial>, ConnectError> {
        let found = self.simulators.get(name).map(Arc::clone);
        found.ok_or_else(|| ConnectError::NoSimulator { name: name.to_owned() })
    }

    async fn dial(&self, endpoint: &Endpoint) -> io::Result<Box<dyn Io>> {
        let tcp = TcpStream::connect((endpoint.host(), endpoint.port())).await?;
        tcp.set_nodelay(true)?;
        match endpoint.server_name()? {
            Some(name) => Ok(Box::new(self.tls.connect(name, tcp).await?)),
            None => Ok(Box::new(tcp)),
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("simulators", &self.simulators.keys()).finish()
    }
}
