//! A server and clients around it, each in a namespace of its own, each client on its own wire.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::namespace::Namespace;
use super::wire::{End, Wire};

/// Where the server listens.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 1);

/// What carries the server's address: a bridge without ports, as not every kernel has `dummy`.
const ANCHOR: &str = "anchor";

/// The middle of the star.
#[derive(Debug)]
pub struct Star {
    server: Arc<Namespace>,
    wires: u8,
}

/// A machine on a wire of its own, or on two.
#[derive(Debug)]
pub struct Client {
    // Wires first: they are dropped before the namespaces that they lead to.
    wires: Vec<Wire>,
    namespace: Namespace,
    server: Arc<Namespace>,
}

impl Star {
    /// A server's namespace, without clients.
    ///
    /// # Panics
    /// Where it cannot be made: ask [`Namespace::can_be_made`] first.
    pub fn new() -> Self {
        let server = Namespace::new();
        server.ip(&format!("link add {ANCHOR} type bridge"));
        server.ip(&format!("address add {SERVER}/32 dev {ANCHOR}"));
        server.ip(&format!("link set {ANCHOR} up"));
        Self { server: Arc::new(server), wires: 0 }
    }

    /// Where the server's programs run.
    pub fn server(&self) -> &Namespace {
        &self.server
    }

    /// A client with one wire: its first end is the client's.
    pub fn client(&mut self, seed: u64) -> Client {
        let (namespace, server) = (Namespace::new(), self.server.clone());
        let mut client = Client { wires: Vec::new(), namespace, server };
        self.connect(&mut client, seed);
        client
    }

    /// Gives the client one more wire, with an address of its own. Packets take the first that it
    /// has.
    pub fn connect(&mut self, client: &mut Client, seed: u64) {
        self.wires += 1;
        let (number, index) = (self.wires, client.wires.len());
        let [near, far] = [format!("eth{index}"), format!("wire{number}")];
        let a = End { namespace: &client.namespace, device: &near };
        let b = End { namespace: &client.server, device: &far };
        client.wires.push(Wire::between(a, b, seed));
        let address = Ipv4Addr::new(10, 7, number, 2);
        client.namespace.ip(&format!("address add {address}/24 dev {near}"));
        client.namespace.ip(&format!("route add default dev {near} metric {}", 100 + number));
        client.server.ip(&format!("route add {address} dev {far} src {SERVER}"));
    }
}

impl Default for Star {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// Where its programs run.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The wire that it had first of those it has.
    ///
    /// # Panics
    /// Where all were pulled.
    pub fn wire(&self) -> &Wire {
        self.wires.first().expect("a client has a wire")
    }

    /// Pulls the first wire: its device and address are gone.
    ///
    /// # Panics
    /// Where all were pulled.
    pub fn pull(&mut self) {
        drop(self.wires.remove(0));
    }
}
