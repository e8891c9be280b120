//! Two connections as a whole, in memory and under virtual time: ICE, DTLS, SRTP and SCTP are
//! str0m's true ones, the network between them misbehaves from a seed.

mod audio;
mod data;
mod garbage;
mod limits;
mod moved;
mod repair;
mod voice;
mod world;

/// Runs a test in a runtime whose clock only the test moves.
fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime").block_on(test)
}
