//! What breaks in a call, and how long until both hear one another again. One of them is on our
//! media stack and has the trouble, the other is on the real one. Each scenario is held at three
//! times of what was seen.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use voicegraph_tests::network::{Conditions, Passage};
use voicegraph_tests::sdk_peer::{Event, SdkPeer};
use voicegraph_tests::sound::Sound;
use voicegraph_tests::workspace::say;

use crate::paths::{Member, Site, Stack};

/// How long all of it may take: what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// A time of recovery may be so many times what was seen, or [`SHORTEST`] where that was next to
/// nothing: a busy machine needs as much for itself.
const TIMES: u32 = 3;
const SHORTEST: Duration = Duration::from_secs(1);

/// What was seen of each scenario on two cores with nothing else on them, in ms: until the slower
/// of the two hears the other. Beside fifteen that compiled, none took more than twice as long.
const SEEN_MS: [(&str, u64); 11] = [
    ("signal_reconnect", 0),
    ("full_reconnect", 200),
    // It waits for an answer that was cut off, and tries again.
    ("disconnect_signal_on_resume", 3_500),
    ("node_failure", 400),
    ("migration", 400),
    ("force_tcp", 500),
    ("server killed", 600),
    ("address changed", 700),
    // Either stack takes 15 s to find a path dead.
    ("UDP blocked for good", 16_800),
    // These two since the end of the outage.
    ("UDP blocked for 5 s", 100),
    ("nothing passes for 5 s", 100),
];

/// How long the scenario of that name may take.
fn limit(name: &str) -> Duration {
    let seen = SEEN_MS.iter().find(|(scenario, _)| *scenario == name);
    let (_, ms) = seen.unwrap_or_else(|| panic!("it is not known how long {name} takes"));
    (TIMES * Duration::from_millis(*ms)).clamp(SHORTEST, LIMIT)
}

/// How often the system is asked what is left.
const STEP: Duration = Duration::from_millis(20);

/// How long tones last: beyond any test.
const TONE_S: u32 = 120;

const RATE_HZ: u32 = 16_000;

/// The amplitude of the tones.
const AMPLITUDE: f64 = 8_000.0;

/// Louder than this is a tone that is heard: half of what is sent.
const LOUD: f64 = AMPLITUDE / 2.0 / std::f64::consts::SQRT_2;

/// Where the loudness is told no more, silence begins.
const SILENT_AFTER: Duration = Duration::from_millis(300);

/// As many loud parts of 100 ms in a row are sound that is back.
const BACK: u32 = 5;

/// What has to be seen before sound that is back counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// The participant says that it has reconnected.
    Reconnected,
    /// Silence, or that.
    Either,
}

/// A call with tones both ways.
struct Call {
    // Members first: they leave before the site goes.
    ours: Member,
    real: Member,
    site: Site,
    name: &'static str,
}

impl Call {
    /// `None`, noted as skipped, where what it needs is missing.
    async fn begin(name: &'static str) -> Option<Self> {
        let mut site = Site::new(&format!("reconnect: {name}"))?;
        let machines = [site.star.client(1), site.star.client(2)];
        let [near, far] = machines;
        let (ours, real) = tokio::join!(
            site.member(near, Stack::Ours, "call", "ours"),
            site.member(far, Stack::Real, "call", "real")
        );
        let (ours, real) = (ours?, real?);
        tokio::join!(publish(&ours.peer, "ours"), publish(&real.peer, "real"));
        tokio::join!(ours.peer.meter("real"), real.peer.meter("ours"));
        let call = Self { ours, real, site, name };
        call.recovered(Instant::now(), None).await;
        Some(call)
    }

    /// Waits until both hear one another, after `sign` has been seen, and says how long after
    /// `begin` each of the two began to hear the other for good: ours, real.
    async fn recovered(&self, begin: Instant, sign: Option<Sign>) -> [Duration; 2] {
        let mut ears = [Ear::new(begin), Ear::new(begin)];
        let mut seen = sign.is_none();
        let mut told = Vec::new();
        let waited = timeout(LIMIT, async {
            while !(seen && ears.iter().all(|ear| ear.run >= BACK)) {
                let (number, event) = self.next().await;
                let silent = ears[number].hear(&event);
                if !matches!(event, Event::Level { .. }) {
                    told.push((begin.elapsed(), number, event.clone()));
                }
                let reconnected = number == 0 && event == Event::Reconnected;
                if !seen && (reconnected || silent && sign == Some(Sign::Either)) {
                    seen = true;
                    ears.iter_mut().for_each(|ear| ear.run = 0);
                }
            }
        });
        let ended = waited.await;
        let runs = ears.each_ref().map(|ear| ear.run);
        let name = self.name;
        assert!(ended.is_ok(), "{name}: {sign:?} seen: {seen}, heard: {runs:?}, told: {told:#?}");
        ears.map(|ear| ear.quiet.saturating_duration_since(begin))
    }

    /// What happens next: to ours is number 0, to the real one 1.
    async fn next(&self) -> (usize, Event) {
        tokio::select! {
            biased;
            event = self.ours.peer.next() => (0, event),
            event = self.real.peer.next() => (1, event),
        }
    }

    /// Tells how long it took, which must be within the scenario's limit, and ends the call:
    /// nothing is left of it.
    async fn end(self, [ours, real]: [Duration; 2]) {
        let line = format!(
            "reconnect: {:<28} ours hears after {:>5.2} s, the real one after {:>5.2} s\n",
            self.name,
            ours.as_secs_f64(),
            real.as_secs_f64()
        );
        say(&line);
        let limit = limit(self.name);
        assert!(ours.max(real) <= limit, "{line}more than {limit:?}");
        self.ours.peer.leave().await;
        self.left_nothing().await;
        drop(self.site);
    }

    /// Waits until ours has no socket any more.
    async fn left_nothing(&self) {
        let closed = timeout(LIMIT, async {
            while udp_sockets(self.ours.peer.id()) > 0 {
                tokio::time::sleep(STEP).await;
            }
        });
        assert!(closed.await.is_ok(), "{}: UDP sockets are left", self.name);
    }
}

/// What one of them hears of the other.
struct Ear {
    /// When it last was quiet.
    quiet: Instant,
    /// When it last was told how loud it is.
    told: Instant,
    /// Loud parts since.
    run: u32,
}

impl Ear {
    fn new(begin: Instant) -> Self {
        Self { quiet: begin, told: begin, run: 0 }
    }

    /// Returns whether there is silence.
    fn hear(&mut self, event: &Event) -> bool {
        let Event::Level { rms, .. } = event else { return false };
        let now = Instant::now();
        let gap = now - self.told > SILENT_AFTER;
        self.told = now;
        let silent = *rms < LOUD;
        if silent || gap {
            self.quiet = now;
            self.run = 0;
        }
        self.run += u32::from(!silent);
        silent || gap
    }
}

/// Publishes a tone that goes on.
async fn publish(peer: &SdkPeer, name: &str) {
    peer.publish(name, RATE_HZ, 1).await;
    let step = std::f64::consts::TAU * 440.0 / f64::from(RATE_HZ);
    let sample = |n: u32| (AMPLITUDE * (step * f64::from(n)).sin()) as i16;
    let samples = (0..RATE_HZ * TONE_S).map(sample).collect();
    peer.begin(name, &[Sound { rate_hz: RATE_HZ, samples }]).await;
}

/// UDP sockets in the namespace of that process.
fn udp_sockets(process: u32) -> usize {
    let table = |name| std::fs::read_to_string(format!("/proc/{process}/net/{name}"));
    let lines = |text: String| text.lines().count() - 1;
    ["udp", "udp6"].map(|name| table(name).map_or(0, lines)).iter().sum()
}

/// Goes through one of the `livekit` crate's scenarios.
async fn scenario(name: &'static str) {
    let Some(call) = Call::begin(name).await else { return };
    let begin = Instant::now();
    call.ours.peer.simulate(name).await;
    let times = call.recovered(begin, Some(Sign::Reconnected)).await;
    call.end(times).await;
}

/// Makes a test of each scenario.
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            scenario(stringify!($name)).await;
        }
    )+};
}

scenarios!(
    signal_reconnect,
    full_reconnect,
    disconnect_signal_on_resume,
    node_failure,
    migration,
    force_tcp,
);

/// The server sends the participant away: no sound is to come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_leave() {
    let Some(call) = Call::begin("server_leave").await else { return };
    call.ours.peer.simulate("server_leave").await;
    call.ours.peer.sees(&Event::Disconnected).await;
    call.left_nothing().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_killed_and_started_again() {
    let Some(call) = Call::begin("server killed").await else { return };
    let begin = Instant::now();
    let server = call.site.server.clone();
    let restarting = tokio::task::spawn_blocking(move || server.restart());
    let times = call.recovered(begin, Some(Sign::Reconnected)).await;
    restarting.await.expect("the server starts again");
    call.end(times).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_changes() {
    let Some(mut call) = Call::begin("address changed").await else { return };
    call.site.star.connect(&mut call.ours.machine, 3);
    let begin = Instant::now();
    call.ours.machine.pull();
    let times = call.recovered(begin, Some(Sign::Either)).await;
    call.end(times).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn udp_is_blocked_for_good() {
    let Some(call) = Call::begin("UDP blocked for good").await else { return };
    let begin = Instant::now();
    pass(&call, Passage::NoUdp);
    let times = call.recovered(begin, Some(Sign::Either)).await;
    call.end(times).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn udp_is_blocked_for_a_while() {
    outage("UDP blocked for 5 s", Passage::NoUdp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_passes_for_a_while() {
    outage("nothing passes for 5 s", Passage::Shut).await;
}

/// Times are from the end of the outage.
async fn outage(name: &'static str, passage: Passage) {
    const LENGTH: Duration = Duration::from_secs(5);
    let Some(call) = Call::begin(name).await else { return };
    pass(&call, passage);
    // What is heard meanwhile does not wait until later.
    let _ = timeout(LENGTH, async {
        loop {
            call.next().await;
        }
    })
    .await;
    pass(&call, Passage::Open);
    let times = call.recovered(Instant::now(), Some(Sign::Either)).await;
    call.end(times).await;
}

fn pass(call: &Call, passage: Passage) {
    let conditions = Conditions { passage, ..Conditions::default() };
    call.ours.machine.wire().set(conditions, conditions);
}
