//! The targets, which are the tests' own, under libFuzzer.

#[path = "../../src/targets/mod.rs"]
pub mod targets;

/// Tells of panics, and goes on where they are caught: one of str0m's ends a connection, and the
/// fuzzer would have it end the run. One that is not caught still does.
pub fn survive_panics() {
    std::panic::set_hook(Box::new(|panic| eprintln!("panic: {panic}")));
}
