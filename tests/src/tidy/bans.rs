//! Names that must not be used, each with where and why.

use super::Finding;
use super::paths::{Named, named};
use super::source::Source;

/// A banned name.
struct Ban {
    /// Part of a path: `std::thread::sleep`, or `unbounded_channel` wherever it comes from.
    names: &'static [&'static str],
    /// Where it is banned: beginnings of file paths; empty for everywhere.
    within: &'static [&'static str],
    /// Where it is not, even so.
    except: &'static [&'static str],
    /// What to do, and why.
    instead: &'static str,
}

const LIBRARIES: &[&str] =
    &["engine/", "database/", "nodes/", "simulators/", "libwebrtc/", "worker/"];

const BANS: &[Ban] = &[
    Ban {
        names: &["unbounded_channel", "mpsc::unbounded"],
        within: &[],
        except: &[],
        instead: "use a bounded channel with a named limit: what piles up is late for the call",
    },
    Ban {
        names: &[
            "tokio::spawn",
            "tokio::task::spawn",
            "tokio::task::spawn_blocking",
            "tokio::task::spawn_local",
            "std::thread::spawn",
        ],
        within: &[],
        except: &[
            "engine/src/session/",
            "engine/src/runtime/",
            "engine/src/connect/hold.rs",
            "libwebrtc/src/imp/peer_connection/driver.rs",
            "worker/src/room/joined.rs",
            "cli/",
            "benches/",
        ],
        instead: "join futures within `run`: only session and runtime spawn, so that nothing outlives its call",
    },
    Ban {
        names: &["tokio::task::JoinSet"],
        within: &["nodes/"],
        except: &[],
        instead: "join futures within `run`: a node is one task",
    },
    Ban {
        names: &["std::time::Instant", "std::time::SystemTime::now", "std::thread::sleep"],
        within: LIBRARIES,
        // str0m takes the time in this type; clippy still forbids to read the clock.
        except: &[
            "libwebrtc/src/fuzzing.rs",
            "libwebrtc/src/imp/feed/",
            "libwebrtc/src/imp/ice/",
            "libwebrtc/src/imp/peer_connection/",
        ],
        instead: "use tokio::time, which a paused clock governs",
    },
    Ban {
        names: &["std::env::var", "std::env::var_os", "std::env::vars", "std::env::vars_os"],
        within: LIBRARIES,
        except: &[],
        instead: "take it as an argument: only the command line reads the environment",
    },
    Ban {
        names: &["println!", "print!", "eprintln!", "eprint!"],
        within: LIBRARIES,
        except: &[],
        instead: "use tracing, or return the text: the terminal belongs to the command line",
    },
];

/// Each use of a banned name outside test code.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let holds = |ban: &&Ban| {
        let begins = |part: &&str| source.path.starts_with(part);
        (ban.within.is_empty() || ban.within.iter().any(begins)) && !ban.except.iter().any(begins)
    };
    let bans: Vec<&Ban> = BANS.iter().filter(holds).collect();
    let banned = |used: Named| {
        let is_used = |ban: &&&Ban| ban.names.iter().any(|name| contains(&used.path, name));
        let ban = bans.iter().find(is_used)?;
        let advice = format!("`{}`: {}", used.path, ban.instead);
        Some(source.finding(used.line, "banned", advice))
    };
    named(source).into_iter().filter_map(banned).collect()
}

/// Whether the words of `part` stand in `path` in a row.
fn contains(path: &str, part: &str) -> bool {
    let path: Vec<_> = path.split("::").collect();
    let part: Vec<_> = part.split("::").collect();
    path.windows(part.len()).any(|words| words == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> bool {
        !check(&Source::parse(path, text)).is_empty()
    }

    #[test]
    fn each_ban_holds_in_a_node() {
        for ban in BANS {
            for name in ban.names {
                let sign = if name.ends_with('!') { "()" } else { "" };
                let text = format!("fn f() {{ {name}{sign}; }}");
                assert!(found("nodes/src/mic/node.rs", &text), "{text}");
            }
        }
    }

    #[test]
    fn an_import_does_not_hide_it() {
        let time = "use std::{time::{Duration, Instant as Clock}};";
        assert!(found("engine/src/edge/queue.rs", time));
        let channel = "use tokio::sync::mpsc; fn f() { mpsc::unbounded_channel::<u8>(); }";
        assert!(found("engine/src/edge/queue.rs", channel));
        assert!(found("nodes/src/mic/node.rs", "use tokio::task; fn f() { task::spawn(a); }"));
    }

    #[test]
    fn it_holds_only_where_it_should() {
        let spawn = "fn f() { tokio::spawn(a); }";
        assert!(found("engine/src/edge/queue.rs", spawn));
        assert!(!found("engine/src/session/supervise.rs", spawn));
        assert!(!found("cli/src/main.rs", "fn f() { println!(); std::env::var(a); }"));
        assert!(!found(
            "engine/src/a.rs",
            "#[cfg(test)] mod tests { fn f() { tokio::spawn(a); } }"
        ));
        assert!(!found("engine/src/a.rs", "use tokio::time::Instant; fn f() { Instant::now(); }"));
    }
}
