//! Base URLs of providers, as a configuration may hold them: any text is parsed or refused, and
//! where a parsed one leads to is the same after it was written and parsed again.

use voicegraph_engine::connect::Endpoint;

/// Takes the text for a URL.
pub fn endpoint(bytes: &[u8]) {
    let text = super::text(bytes);
    let Ok(endpoint) = Endpoint::parse(text) else { return };
    let place = (endpoint.authority(), endpoint.path("/"));
    let again = ["ws", "wss", "sim"].map(|scheme| {
        let written = format!("{scheme}://{}{}", place.0, place.1);
        Endpoint::parse(&written).map(|again| (again.authority(), again.path("/")))
    });
    assert!(again.contains(&Ok(place.clone())), "{text:?} leads to {place:?}, then {again:?}");
}
