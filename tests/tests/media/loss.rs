//! Speech over wires that lose packets: how far what is heard is from what was said, with our media
//! stack and with the real one side by side.
//!
//! In each room are four: one of each stack on a wire that loses, one of each on a clean one. All
//! speak at once. What the two on lossy wires hear of the clean ones compares the receivers, and
//! both have lost the same packets; what the two on clean wires hear of the others compares the
//! senders.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use futures_util::future::join_all;
use voicegraph_tests::network::{Conditions, Loss};
use voicegraph_tests::sound::Sound;
use voicegraph_tests::spectral::{self, Distance};
use voicegraph_tests::{network, workspace};

use crate::paths::{Member, Site, Stack};

/// The shares of packets that are lost.
const LOSSES: [f64; 3] = [0.0, 0.05, 0.15];

/// The seed of all wires that lose.
const SEED: u64 = 5;

/// How long a path takes each way.
const DELAY: Duration = Duration::from_millis(20);

/// Silence before the speech, in which recording begins.
const LEAD_MS: u64 = 1_000;

/// What is recorded beyond the speech.
const TAIL_MS: u64 = 1_500;

/// The recordings that are spoken, one after the other: 20 s.
const SPEECH: [&str; 3] = ["agent-hours", "agent-tuesday", "agent-greeting"];

/// Of whom, and whether its wire loses.
type Role = (Stack, bool);

const ROLES: [Role; 4] =
    [(Stack::Ours, true), (Stack::Real, true), (Stack::Ours, false), (Stack::Real, false)];

/// What a listener heard of a speaker.
struct Heard {
    speaker: Role,
    listener: Role,
    distance: Distance,
}

fn speech() -> Sound {
    let folder = workspace::root().join("pipelines/clinic/demo");
    let parts = SPEECH.map(|name| Sound::read(&folder.join(name).with_extension("wav")).remove(0));
    let rate_hz = parts[0].rate_hz;
    Sound { rate_hz, samples: parts.into_iter().flat_map(|part| part.samples).collect() }
}

fn name((stack, loses): Role) -> String {
    format!("{stack:?}{}", if loses { "-lossy" } else { "" })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn speech_is_heard_as_well_as_over_the_real_one() {
    let Some(mut site) = Site::new("loss") else { return };
    let machines: Vec<Vec<_>> =
        LOSSES.iter().map(|_| ROLES.iter().map(|_| site.star.client(SEED)).collect()).collect();
    let speech = speech();
    let rooms = LOSSES.iter().zip(machines);
    let rooms = rooms.map(|(&loss, machines)| room(&site, loss, machines, &speech));
    let Some(rooms) = join_all(rooms).await.into_iter().collect::<Option<Vec<_>>>() else { return };
    let mut report = String::new();
    let mut worse = Vec::new();
    for (loss, heard) in LOSSES.iter().zip(&rooms) {
        compare(*loss, heard, &mut report, &mut worse);
    }
    std::io::stderr().write_all(report.as_bytes()).expect("stderr is writable");
    assert!(worse.is_empty(), "{worse:#?}\n{report}");
}

/// Has all four of a room speak and listen.
async fn room(
    site: &Site,
    loss: f64,
    machines: Vec<network::Client>,
    speech: &Sound,
) -> Option<Vec<Heard>> {
    let room = format!("loss-{loss}");
    let joining = ROLES.iter().zip(machines).map(|(&role, machine)| {
        let room = &room;
        async move { site.member(machine, role.0, room, &name(role)).await }
    });
    let members: Option<Vec<_>> = join_all(joining).await.into_iter().collect();
    let members: Vec<(Role, Member)> = ROLES.into_iter().zip(members?).collect();
    let publishing = members.iter().map(|(role, member)| async move {
        member.peer.publish(&name(*role), speech.rate_hz, 1).await;
    });
    join_all(publishing).await;
    for ((_, loses), member) in &members {
        let loss = if *loses && loss > 0.0 { Loss::Random(loss) } else { Loss::None };
        let conditions = Conditions { loss, delay: DELAY, ..Conditions::default() };
        member.machine.wire().set(conditions, conditions);
    }
    let said = [speech.after_silence(LEAD_MS)];
    let speaking =
        join_all(members.iter().map(|(role, it)| async { it.peer.play(&name(*role), &said).await }));
    let length_ms = LEAD_MS + TAIL_MS + speech.length().as_millis() as u64;
    let pairs = members.iter().flat_map(|listener| {
        let others = members.iter().filter(|speaker| speaker.0.1 != listener.0.1);
        others.map(move |speaker| (speaker.0, listener))
    });
    let listening = join_all(pairs.map(|(speaker, (listener, member))| async move {
        let recorded = member.peer.record(&name(speaker), speech.rate_hz, 1, length_ms).await;
        let (sent, received) = (speech.clone(), recorded.into_iter().next()?);
        let distance = tokio::task::spawn_blocking(move || spectral::distance(&sent, &received));
        let distance = distance.await.expect("the comparison does not panic");
        Some(Heard { speaker, listener: *listener, distance })
    }));
    let (_, heard) = tokio::join!(speaking, listening);
    for (role, member) in &members {
        let [up, down] = member.machine.wire().counts();
        let line = format!("{room} {}: up {up:?} down {down:?}\n", name(*role));
        std::io::stderr().write_all(line.as_bytes()).expect("stderr is writable");
    }
    join_all(members.iter().map(|(_, member)| member.peer.leave())).await;
    heard.into_iter().collect()
}

/// Puts both stacks side by side: as listeners to the same speaker, and as speakers to the same
/// listener.
fn compare(loss: f64, heard: &[Heard], report: &mut String, worse: &mut Vec<String>) {
    let db = |speaker: Role, listener: Role| {
        let found = heard.iter().find(|it| it.speaker == speaker && it.listener == listener);
        found.expect("everybody was heard").distance.db
    };
    let percent = loss * 100.0;
    for other in [Stack::Ours, Stack::Real] {
        let clean = (other, false);
        let pairs = [
            (format!("heard of {other:?} by"), [Stack::Ours, Stack::Real].map(|it| db(clean, (it, true)))),
            (format!("heard by {other:?} of"), [Stack::Ours, Stack::Real].map(|it| db((it, true), clean))),
        ];
        for (what, [ours, real]) in pairs {
            let line = format!("{percent:>3} % lost, {what}: ours {ours:.2} dB, real {real:.2} dB");
            writeln!(report, "{line}").expect("text can be written");
            if ours > real {
                worse.push(line);
            }
        }
    }
}
