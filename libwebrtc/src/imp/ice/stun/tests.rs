//! The vectors of RFC 5769, what we write, and garbage.

use proptest::prelude::*;

use super::*;

const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e\
    74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8\
    cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
const RESPONSE_4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f722000\
    2000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
const RESPONSE_6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f722000\
    2000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed41\
    80280004c8fb0b4c";
const LONG_TERM: &str = "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382\
    afe382b900000015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d70\
    6c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666";

/// The password of all but the last.
const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

/// User and prepared password of the last.
const USER: (&str, &str) = ("マトリックス", "TheMatrIX");

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().map(|c| (c as char).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn check(hex: &str, class: Class, key: &Key) {
    let mut bytes = bytes(hex);
    let message = Message::read(&bytes).unwrap();
    assert_eq!((message.class, message.method), (class, Method::Binding));
    assert!(message.is_signed(key));
    assert!(!message.is_signed(&Key::of(b"another")));
    bytes[30] ^= 1;
    assert!(!Message::read(&bytes).unwrap().is_signed(key), "it was changed");
}

#[test]
fn signatures_of_rfc_5769_are_true() {
    let key = Key::of(PASSWORD);
    check(REQUEST, Class::Request, &key);
    check(RESPONSE_4, Class::Success, &key);
    check(RESPONSE_6, Class::Success, &key);
    check(LONG_TERM, Class::Request, &Key::long_term(USER.0, b"example.org", USER.1));
}

#[test]
fn addresses_of_rfc_5769_are_read() {
    for (hex, address) in [
        (RESPONSE_4, "192.0.2.1:32853"),
        (RESPONSE_6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
    ] {
        let bytes = bytes(hex);
        let found = Message::read(&bytes).unwrap().address(Attribute::XorMappedAddress);
        assert_eq!(found, Some(address.parse().unwrap()));
    }
}

#[test]
fn the_long_term_request_of_rfc_5769_is_written() {
    let bytes = bytes(LONG_TERM);
    let id = Message::read(&bytes).unwrap().id;
    let written = Writer::new(Class::Request, Method::Binding, id)
        .bytes(Attribute::Username, USER.0.as_bytes())
        .bytes(Attribute::Nonce, b"f//499k954d6OL34oL9FSTvy64sA")
        .bytes(Attribute::Realm, b"example.org")
        .signed(&Key::long_term(USER.0, b"example.org", USER.1));
    assert_eq!(written, bytes);
}

#[test]
fn attributes_behind_the_signature_do_not_count() {
    let key = Key::of(PASSWORD);
    let mut bytes = Writer::new(Class::Success, Method::Refresh, [1; 12]).signed(&key);
    bytes.extend(Attribute::Lifetime.number().to_be_bytes());
    bytes.extend([0, 4, 0, 0, 0, 9]);
    bytes[3] += 8;
    let message = Message::read(&bytes).unwrap();
    assert!(message.is_signed(&key));
    assert_eq!(message.number(Attribute::Lifetime), None);
}

fn any_address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        id in any::<Id>(),
        address in any_address(),
        data in prop::collection::vec(any::<u8>(), 0..1500),
        lifetime in any::<u32>(),
    ) {
        let key = Key::of(PASSWORD);
        let bytes = Writer::new(Class::Indication, Method::Send, id)
            .address(Attribute::XorPeerAddress, address)
            .bytes(Attribute::Data, &data)
            .number(Attribute::Lifetime, lifetime)
            .signed(&key);
        let message = Message::read(&bytes).unwrap();
        prop_assert_eq!((message.class, message.method), (Class::Indication, Method::Send));
        prop_assert_eq!(message.id, id);
        prop_assert_eq!(message.address(Attribute::XorPeerAddress), Some(address));
        prop_assert_eq!(message.bytes(Attribute::Data), Some(&data[..]));
        prop_assert_eq!(message.number(Attribute::Lifetime), Some(lifetime));
        prop_assert!(message.is_signed(&key));
    }

    #[test]
    fn garbage_is_read_or_refused(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        is_framed in any::<bool>(),
    ) {
        if is_framed && bytes.len() >= HEADER {
            let length = (bytes.len() - HEADER) as u16;
            bytes[0] = 0;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&COOKIE.to_be_bytes());
        }
        if let Some(message) = Message::read(&bytes) {
            message.is_signed(&Key::of(PASSWORD));
            message.error();
            message.address(Attribute::AlternateServer);
            message.address(Attribute::XorRelayedAddress);
        }
    }
}
