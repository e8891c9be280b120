//! What the public faces stand on.

#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "a peer connection is what plugs it in")
)]
pub(crate) mod audio;
