//! STUN messages (RFC 8489), as far as a client of STUN and TURN servers needs them.
//!
//! str0m has a codec of its own for checks between peers. It takes no answer without integrity,
//! which is what servers of plain STUN send, and knows no requested transport.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use aws_lc_rs::hmac;
use md5::{Digest, Md5};

const HEADER: usize = 20;
const COOKIE: u32 = 0x2112_A442;
const SIGNATURE: usize = 20;

/// Which request an answer belongs to.
pub(crate) type Id = [u8; 12];

/// What a message asks for (RFC 8489 section 18.2, RFC 8656 section 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Binding,
    Allocate,
    Refresh,
    Send,
    Data,
    CreatePermission,
    ChannelBind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// What a message says (RFC 8489 section 18.3, RFC 8656 section 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Attribute {
    MappedAddress = 0x0001,
    Username = 0x0006,
    MessageIntegrity = 0x0008,
    ErrorCode = 0x0009,
    ChannelNumber = 0x000C,
    Lifetime = 0x000D,
    XorPeerAddress = 0x0012,
    Data = 0x0013,
    Realm = 0x0014,
    Nonce = 0x0015,
    XorRelayedAddress = 0x0016,
    RequestedTransport = 0x0019,
    XorMappedAddress = 0x0020,
    AlternateServer = 0x8023,
}

impl Attribute {
    fn number(self) -> u16 {
        self as u16
    }
}

/// What signs messages.
#[derive(Clone)]
pub(crate) struct Key(hmac::Key);

impl Key {
    /// The key of a user at a server (RFC 8489, section 9.2.2). The password is taken as it is:
    /// servers make theirs of ASCII, where its preparation changes nothing.
    pub(crate) fn long_term(username: &str, realm: &[u8], password: &str) -> Self {
        let mut digest = Md5::new();
        for part in [username.as_bytes(), b":", realm, b":", password.as_bytes()] {
            digest.update(part);
        }
        Self::of(&digest.finalize())
    }

    fn of(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, bytes))
    }
}

impl Method {
    const ALL: [(Self, u16); 7] = [
        (Self::Binding, 0x001),
        (Self::Allocate, 0x003),
        (Self::Refresh, 0x004),
        (Self::Send, 0x006),
        (Self::Data, 0x007),
        (Self::CreatePermission, 0x008),
        (Self::ChannelBind, 0x009),
    ];
}

/// The first two bytes: class and method, interleaved.
fn kind(class: Class, method: Method) -> u16 {
    let (_, method) = Method::ALL.into_iter().find(|(it, _)| *it == method).expect("all are there");
    let class = match class {
        Class::Request => 0x000,
        Class::Indication => 0x010,
        Class::Success => 0x100,
        Class::Error => 0x110,
    };
    // No method of ours has bits beyond the lowest four.
    method | class
}

fn read_kind(kind: u16) -> Option<(Class, Method)> {
    let class = match kind & 0x110 {
        0x000 => Class::Request,
        0x010 => Class::Indication,
        0x100 => Class::Success,
        _ => Class::Error,
    };
    let (method, _) = Method::ALL.into_iter().find(|(_, it)| *it == kind & !0x110)?;
    Some((class, method))
}

/// A message as it is written.
pub(crate) struct Writer {
    bytes: Vec<u8>,
    id: Id,
}

impl Writer {
    pub(crate) fn new(class: Class, method: Method, id: Id) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend(kind(class, method).to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(COOKIE.to_be_bytes());
        bytes.extend(id);
        Self { bytes, id }
    }

    /// An attribute; values longer than a message may be are the caller's mistake.
    pub(crate) fn bytes(mut self, attribute: Attribute, value: &[u8]) -> Self {
        let length = u16::try_from(value.len()).expect("values are short");
        self.bytes.extend(attribute.number().to_be_bytes());
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(value);
        let padding = value.len().wrapping_neg() % 4;
        self.bytes.extend(std::iter::repeat_n(0, padding));
        self.end(0)
    }

    pub(crate) fn number(self, attribute: Attribute, value: u32) -> Self {
        self.bytes(attribute, &value.to_be_bytes())
    }

    /// An address, of those that are hidden from meddling routers.
    pub(crate) fn address(self, attribute: Attribute, address: SocketAddr) -> Self {
        let port = address.port() ^ (COOKIE >> 16) as u16;
        let (family, ip) = match address.ip() {
            IpAddr::V4(ip) => (1, ip.octets().to_vec()),
            IpAddr::V6(ip) => (2, ip.octets().to_vec()),
        };
        let mut value = vec![0, family];
        value.extend(port.to_be_bytes());
        value.extend(ip.iter().zip(mask(&self.id)).map(|(byte, mask)| byte ^ mask));
        self.bytes(attribute, &value)
    }

    /// Signs all that was written so far, and ends the message.
    pub(crate) fn signed(self, key: &Key) -> Vec<u8> {
        let unsigned = self.end(4 + SIGNATURE);
        let signature = hmac::sign(&key.0, &unsigned.bytes);
        unsigned.bytes(Attribute::MessageIntegrity, signature.as_ref()).bytes
    }

    pub(crate) fn unsigned(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes the length into the header, with so much more to come.
    fn end(mut self, more: usize) -> Self {
        let length = u16::try_from(self.bytes.len() - HEADER + more).expect("messages are short");
        self.bytes[2..4].copy_from_slice(&length.to_be_bytes());
        self
    }
}

/// A message as it was read; its attributes are whole.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) class: Class,
    pub(crate) method: Method,
    pub(crate) id: Id,
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// None where it is no message, or one that no client gets.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(HEADER)?;
        let (class, method) = read_kind(u16::from_be_bytes([header[0], header[1]]))?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[4..8] != COOKIE.to_be_bytes() || length != body.len() || length % 4 != 0 {
            return None;
        }
        let id = header[8..20].try_into().expect("it has twelve bytes");
        let message = Self { class, method, id, bytes };
        let last = message.attributes().last();
        let end = last.map_or(HEADER, |(at, _, value)| at + 4 + value.len().next_multiple_of(4));
        (end == bytes.len()).then_some(message)
    }

    /// Where each begins, its number and its value.
    fn attributes(&self) -> impl Iterator<Item = (usize, u16, &'a [u8])> {
        let bytes = self.bytes;
        let mut at = HEADER;
        std::iter::from_fn(move || {
            let head = bytes.get(at..at + 4)?;
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let value = bytes.get(at + 4..at + 4 + length)?;
            let found = (at, u16::from_be_bytes([head[0], head[1]]), value);
            at += 4 + length.next_multiple_of(4);
            Some(found)
        })
    }

    /// The first attribute of that name. What follows the signature does not count.
    pub(crate) fn bytes(&self, attribute: Attribute) -> Option<&'a [u8]> {
        let signature = Attribute::MessageIntegrity.number();
        let mut signed = self.attributes().take_while(|(_, it, _)| *it != signature);
        signed.find(|(_, it, _)| *it == attribute.number()).map(|(_, _, value)| value)
    }

    pub(crate) fn number(&self, attribute: Attribute) -> Option<u32> {
        Some(u32::from_be_bytes(self.bytes(attribute)?.try_into().ok()?))
    }

    /// An address; hidden ones are uncovered.
    pub(crate) fn address(&self, attribute: Attribute) -> Option<SocketAddr> {
        let value = self.bytes(attribute)?;
        let (head, ip) = value.split_at_checked(4)?;
        let is_plain = matches!(attribute, Attribute::MappedAddress | Attribute::AlternateServer);
        let mask = if is_plain { [0; 16] } else { mask(&self.id) };
        let port = u16::from_be_bytes([head[2] ^ mask[0], head[3] ^ mask[1]]);
        let ip: Vec<u8> = ip.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        let ip = match (head[1], value.len()) {
            (1, 8) => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?)),
            (2, 20) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?)),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// Why a request was refused: a number from 300 on, and words.
    pub(crate) fn error(&self) -> Option<(u16, String)> {
        /// More words than any error needs.
        const WORDS: usize = 128;
        let (head, words) = self.bytes(Attribute::ErrorCode)?.split_at_checked(4)?;
        let words = String::from_utf8_lossy(&words[..words.len().min(WORDS)]);
        Some((u16::from(head[2] & 7) * 100 + u16::from(head[3]), words.into_owned()))
    }

    /// Whether whoever wrote it has the key.
    pub(crate) fn is_signed(&self, key: &Key) -> bool {
        let signature = Attribute::MessageIntegrity.number();
        let Some((at, _, value)) = self.attributes().find(|(_, it, _)| *it == signature) else {
            return false;
        };
        // The length that was signed ends with the signature.
        let Ok(length) = u16::try_from(at + 4 + SIGNATURE - HEADER) else { return false };
        let mut signed = self.bytes[..at].to_vec();
        signed[2..4].copy_from_slice(&length.to_be_bytes());
        hmac::verify(&key.0, &signed, value).is_ok()
    }
}

fn mask(id: &Id) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(id);
    mask
}

/// A name for a request, that nobody guesses.
pub(crate) fn fresh_id() -> Id {
    let mut id = Id::default();
    aws_lc_rs::rand::fill(&mut id).expect("the machine has randomness");
    id
}

#[cfg(test)]
mod tests;
