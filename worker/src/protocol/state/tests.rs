//! What the machine says to what happens, case by case.

use std::time::Duration;

use livekit_protocol as proto;
use proto::server_message::Message as FromServer;
use proto::worker_message::Message as ToServer;

use super::line::MAX_UNDECODABLE;
use super::machine::{Fault, Input, MAX_PENDING};
use super::testing::{Bench, profile, short};
use crate::job::JobEnd;

const SECOND: Duration = Duration::from_secs(1);

/// What happens to a bench, in one word and a job.
#[derive(Clone, Copy)]
enum Step {
    Ask(&'static str),
    Assign(&'static str),
    Terminate(&'static str),
    Succeed(&'static str),
    Fail(&'static str),
    Wait(u64),
    Lose,
    Register,
    Drain,
    Cut,
    Load(f32),
}
use Step::{Ask, Assign, Cut, Drain, Fail, Load, Lose, Register, Succeed, Terminate, Wait};

impl Bench {
    fn take(&mut self, step: Step) {
        match step {
            Ask(id) => self.ask(id),
            Assign(id) => self.assign(id),
            Terminate(id) => self.terminate(id),
            Succeed(id) => self.end(id, JobEnd::Success),
            Fail(id) => self.end(id, JobEnd::Failed("why".to_owned())),
            Wait(ms) => self.pass(Duration::from_millis(ms)),
            Lose => self.on(Input::Lost(Vec::new())),
            Register => self.register(),
            Drain => self.on(Input::Drain),
            Cut => self.on(Input::Cut),
            Load(load) => self.on(Input::Load(load)),
        }
    }
}

/// A worker with two places takes `steps`: it says `said`, and holds `taken` places at the end.
#[track_caller]
fn check(steps: &[Step], said: &[&str], taken: u32) -> Bench {
    let mut bench = Bench::registered(2);
    for step in steps {
        bench.take(*step);
    }
    assert_eq!(bench.said(), said);
    assert_eq!(bench.taken(), taken, "places");
    bench
}

#[test]
fn a_worker_registers_first() {
    let mut bench = Bench::new(2, profile());
    bench.on(Input::Load(0.25));
    bench.on(Input::Opened);
    let ToServer::Register(request) = &bench.sent[0] else { panic!("{:?}", bench.sent) };
    assert_eq!((request.agent_name.as_str(), request.ping_interval), ("clinic", 10));
    assert!(request.allowed_permissions.as_ref().unwrap().can_publish);
    bench.said();
    bench.register();
    assert_eq!(bench.said(), ["register", "ping", "free 0.25 0"]);
    let status = bench.state.status(bench.at());
    assert_eq!((status.worker_id.as_deref(), status.ready), (Some("AW_1"), false));
    bench.receive(FromServer::Pong(proto::WorkerPong::default()));
    assert!(bench.state.status(bench.at()).ready, "jobs come from now on");
}

#[test]
fn a_job_goes_its_way_and_is_told_once() {
    let steps = [Ask("a"), Assign("a"), Succeed("a"), Terminate("a"), Assign("a")];
    let bench = check(&steps, &["yes a", "run a", "ok a"], 0);
    let counts = bench.state.counts;
    assert_eq!((counts.offers, counts.accepted, counts.assigned, counts.finished), (1, 1, 1, 1));
    assert_eq!(counts.ignored, 2, "the termination and the assignment after the end");
    let failed =
        check(&[Ask("a"), Assign("a"), Fail("a")], &["yes a", "run a", "failed a: why"], 0);
    assert_eq!(failed.state.counts.failed, 1);
}

#[test]
fn an_identity_and_the_agents_name_are_never_missing() {
    let mut bench = Bench::registered(1);
    bench.ask("a");
    let ToServer::Availability(answer) = &bench.sent[0] else { panic!("{:?}", bench.sent) };
    assert_eq!(answer.participant_identity, "agent-a");
    assert_eq!(answer.participant_attributes["lk.agent.name"], "clinic");
}

#[test]
fn the_third_of_two_places_is_declined() {
    let steps = [Ask("a"), Ask("b"), Ask("c")];
    let bench = check(&steps, &["yes a", "yes b", "full 0 0", "no c"], 2);
    assert_eq!(bench.state.counts.declined.answer, 1);
}

#[test]
fn full_is_told_at_once_and_so_is_free() {
    let steps = [Ask("a"), Assign("a"), Ask("b"), Assign("b"), Succeed("a")];
    let said = ["yes a", "run a", "yes b", "full 0 1", "run b", "ok a", "free 0 1"];
    check(&steps, &said, 1);
}

#[test]
fn a_repeated_question_takes_no_second_place() {
    check(&[Ask("a"), Ask("a")], &["yes a", "yes a"], 1);
    let steps = [Ask("a"), Assign("a"), Ask("a"), Assign("a")];
    let bench = check(&steps, &["yes a", "run a", "yes a"], 1);
    assert_eq!((bench.state.counts.accepted, bench.started.len()), (1, 1));
    let renewed = [Ask("a"), Wait(5_000), Ask("a"), Wait(5_000)];
    check(&renewed, &["yes a", "free 0 0", "yes a", "ping", "free 0 0"], 1);
}

#[test]
fn an_assignment_that_does_not_come_frees_its_place() {
    let bench = check(&[Ask("a"), Wait(7_499)], &["yes a", "free 0 0"], 1);
    assert_eq!(bench.state.deadline(), Some(bench.now + Duration::from_millis(1)));
    let steps = [Ask("a"), Wait(7_500), Assign("a")];
    let bench = check(&steps, &["yes a", "free 0 0"], 0);
    let counts = bench.state.counts;
    assert_eq!((counts.expired, counts.assigned, counts.ignored), (1, 0, 1));
    assert!(bench.started.is_empty());
}

#[test]
fn a_termination_ends_what_there_is() {
    let bench = check(&[Ask("a"), Terminate("a"), Assign("a")], &["yes a"], 0);
    assert_eq!((bench.state.counts.terminated, bench.state.counts.ignored), (1, 1));
    let steps = [Ask("a"), Assign("a"), Terminate("a"), Terminate("a")];
    let bench = check(&steps, &["yes a", "run a"], 1);
    assert!(bench.started[0].2.terminated.is_cancelled());
    assert_eq!((bench.state.counts.terminated, bench.state.counts.ignored), (1, 1));
    let bench = check(&[Terminate("never")], &[], 0);
    assert_eq!(bench.state.counts.ignored, 1);
}

#[test]
fn a_lost_connection_ends_no_job() {
    let steps = [Ask("a"), Ask("b"), Assign("a"), Lose, Wait(60_000)];
    let bench = check(&steps, &["yes a", "yes b", "full 0 0", "run a"], 1);
    assert_eq!(bench.state.counts.expired, 1, "b cannot be assigned any more");
    let back = [Ask("a"), Assign("a"), Lose, Register];
    let bench = check(&back, &["yes a", "run a", "register", "migrate a", "ping", "free 0 1"], 1);
    assert_eq!(bench.state.counts.reconnects, 1);
    assert!(!bench.started[0].2.terminated.is_cancelled());
}

#[test]
fn what_ended_meanwhile_is_told_after_the_reconnect() {
    let steps = [Ask("a"), Assign("a"), Lose, Succeed("a"), Register, Lose, Register];
    let (back, again) =
        (["register", "ok a", "ping", "free 0 0"], ["register", "ping", "free 0 0"]);
    check(&steps, &[&["yes a", "run a"], &back[..], &again[..]].concat(), 0);
}

#[test]
fn what_could_not_be_sent_is_sent_later() {
    let mut bench = Bench::registered(2);
    bench.ask("a");
    bench.assign("a");
    let unsent = bench.sent.drain(..).collect();
    bench.on(Input::Lost(unsent));
    bench.end("a", JobEnd::Success);
    bench.register();
    assert_eq!(bench.said(), ["register", "run a", "ok a", "ping", "free 0 0"]);
}

#[test]
fn what_is_pending_has_a_limit() {
    let mut bench = Bench::registered(1);
    bench.ask("a");
    bench.assign("a");
    bench.end("a", JobEnd::Success);
    let sent: Vec<_> = bench.sent.drain(..).collect();
    let end = sent.into_iter().find(|message| short(message) == "ok a").expect("it ended");
    bench.on(Input::Lost(vec![end; MAX_PENDING + 3]));
    assert_eq!((bench.state.untold(), bench.state.counts.untold), (MAX_PENDING as u64, 3));
}

#[test]
fn a_drain_is_full_at_once_and_waits_for_jobs() {
    let steps = [Ask("a"), Assign("a"), Drain, Ask("b")];
    let mut bench = check(&steps, &["yes a", "run a", "full 0 1", "no b"], 1);
    assert_eq!(bench.state.counts.declined.draining, 1);
    assert!(!bench.state.is_drained());
    bench.end("a", JobEnd::Success);
    assert!(bench.state.is_drained());
    assert_eq!(bench.said(), ["ok a"]);
}

#[test]
fn a_drain_waits_for_what_was_accepted() {
    let bench = check(&[Ask("a"), Drain, Assign("a")], &["yes a", "full 0 0", "run a"], 1);
    assert!(!bench.state.is_drained());
    let bench = check(&[Ask("a"), Drain, Wait(7_500)], &["yes a", "full 0 0", "full 0 0"], 0);
    assert!(bench.state.is_drained());
}

#[test]
fn a_cut_tells_jobs_to_end() {
    let steps = [Ask("a"), Assign("a"), Ask("b"), Drain, Cut];
    let bench = check(&steps, &["yes a", "run a", "yes b", "full 0 1"], 1);
    assert!(bench.started[0].2.closed.is_cancelled());
    assert!(!bench.state.is_drained(), "it has not ended yet");
}

#[test]
fn load_at_the_threshold_is_full() {
    let bench = check(&[Load(0.69)], &[], 0);
    assert!(!bench.state.status(bench.at()).full);
    let bench = check(&[Load(0.7), Ask("a"), Load(0.5)], &["full 0.7 0", "no a", "free 0.5 0"], 0);
    assert_eq!(bench.state.counts.declined.load, 1);
    check(&[Load(7.0), Wait(2_500)], &["full 1 0", "full 1 0"], 0);
}

/// Two places share 0.7, so one that was accepted counts 0.35 until it runs.
#[test]
fn accepted_jobs_count_before_they_run() {
    let steps = [Load(0.4), Ask("a"), Ask("b"), Assign("a")];
    check(&steps, &["yes a", "full 0.4 0", "no b", "run a", "free 0.4 1"], 1);
    let running = [Load(0.4), Ask("a"), Assign("a"), Ask("b")];
    check(&running, &["yes a", "full 0.4 0", "run a", "free 0.4 1", "yes b", "full 0.4 1"], 2);
}

#[test]
fn without_a_threshold_load_does_not_matter() {
    let mut profile = profile();
    profile.load_threshold = f32::INFINITY;
    let mut bench = Bench::new(2, profile);
    bench.register();
    for step in [Load(1.0), Ask("a"), Ask("b")] {
        bench.take(step);
    }
    assert_eq!(bench.said(), ["register", "ping", "free 0 0", "yes a", "yes b", "full 1 0"]);
}

#[test]
fn pings_and_reports_have_their_pace() {
    let steps = [Wait(2_499), Wait(1), Wait(2_500), Wait(2_500), Wait(2_500)];
    check(&steps, &["free 0 0", "free 0 0", "free 0 0", "ping", "free 0 0"], 0);
}

#[test]
fn a_silent_server_is_given_up() {
    let mut bench = Bench::registered(1);
    for _ in 0..29 {
        bench.pass(SECOND);
    }
    bench.receive(FromServer::Pong(proto::WorkerPong::default()));
    bench.pass(29 * SECOND);
    assert!(bench.dropped.is_empty());
    bench.pass(SECOND);
    assert_eq!(bench.dropped, [Fault::Silent]);
    assert_eq!(bench.state.status(bench.at()).worker_id, None);
}

#[test]
fn a_server_that_does_not_register_is_given_up() {
    let mut bench = Bench::new(1, profile());
    bench.on(Input::Opened);
    bench.ask("a");
    assert_eq!(bench.said(), ["register"], "nothing is answered before");
    bench.pass(10 * SECOND);
    assert_eq!(bench.dropped, [Fault::NotRegistered]);
    assert_eq!(bench.state.deadline(), None);
}

#[test]
fn undecodable_frames_are_borne_for_a_while() {
    let mut bench = Bench::registered(1);
    for _ in 1..MAX_UNDECODABLE {
        bench.on(Input::Undecodable);
    }
    bench.receive(FromServer::Pong(proto::WorkerPong::default()));
    for _ in 1..MAX_UNDECODABLE {
        bench.on(Input::Undecodable);
    }
    assert!(bench.dropped.is_empty());
    bench.on(Input::Undecodable);
    assert_eq!(bench.dropped, [Fault::Undecodable]);
    assert_eq!(bench.state.counts.undecodable, u64::from(2 * MAX_UNDECODABLE - 1));
}

#[test]
fn a_server_that_stops_is_left() {
    let mut bench = Bench::registered(1);
    bench.receive(FromServer::GoAway(proto::agent_http::GoAway::default()));
    assert_eq!(bench.dropped, [Fault::GoAway]);
}

#[test]
fn messages_without_their_job_are_ignored() {
    let mut bench = Bench::registered(1);
    bench.receive(FromServer::Availability(proto::AvailabilityRequest::default()));
    bench.receive(FromServer::Assignment(proto::JobAssignment::default()));
    bench.receive(FromServer::Register(proto::RegisterWorkerResponse::default()));
    assert_eq!((bench.said().len(), bench.state.counts.ignored), (0, 3));
}

#[test]
fn pauses_grow_until_a_connection_lasts() {
    let mut bench = Bench::new(1, profile());
    let mut seen = Vec::new();
    for _ in 0..7 {
        seen.push(bench.state.backoff().as_secs());
        bench.on(Input::OpenFailed);
    }
    assert_eq!(seen, [0, 2, 4, 6, 8, 10, 10]);
    bench.register();
    bench.on(Input::Lost(Vec::new()));
    assert_eq!(bench.state.backoff().as_secs(), 10, "closed at once is no success");
    bench.register();
    bench.pass(10 * SECOND);
    bench.on(Input::Lost(Vec::new()));
    assert_eq!(bench.state.backoff(), Duration::ZERO);
}

#[test]
fn health_says_when_a_server_is_out_of_reach() {
    let mut bench = Bench::new(1, profile());
    for _ in 0..15 {
        bench.on(Input::OpenFailed);
    }
    assert!(!bench.state.status(bench.at()).is_lost());
    bench.on(Input::OpenFailed);
    assert!(bench.state.status(bench.at()).is_lost());
    bench.register();
    assert!(!bench.state.status(bench.at()).is_lost());
}
