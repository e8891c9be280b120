//! Sound both ways through two whole connections: source, Opus, RTP, SRTP, the network, the jitter
//! buffer, the stream.

use std::cell::RefCell;
use std::time::Duration;

use super::in_virtual_time;
use super::voice::Heard;
use super::world::{CONNECTED_AT, World};
use crate::imp::audio::tests::call::with_many_seeds;
use crate::imp::audio::tests::network::{Conditions, Jitter, Loss, Outage};
use crate::imp::audio::tests::tone::{Tone, level, purity};

const AMPLITUDE: f64 = 9_000.0;

/// What the tone's level is.
const LOUD: f64 = AMPLITUDE * 0.707;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A call between two who both say a tone; the second one's clock runs faster by that much.
struct Call {
    conditions: Conditions,
    drift_ppm: f64,
    length: Duration,
    /// Nothing is said before this time of the call.
    silence: Duration,
    /// Whether packets carry those before them.
    red: bool,
}

impl Call {
    fn new(conditions: Conditions) -> Self {
        Self { conditions, drift_ppm: 0.0, length: s(20), silence: s(0), red: false }
    }

    /// What each side heard, from the moment on at which both began to talk.
    fn run(&self, seed: u64) -> [Heard; 2] {
        in_virtual_time(async {
            let mut world = World::new(self.drift_ppm);
            world.wants_red = self.red;
            for side in [0, 1] {
                world.speak(side, self.words());
            }
            // The call's times, by the world's clock.
            let mut conditions = self.conditions.clone();
            for outage in &mut conditions.outages {
                let (Outage::Lost(during) | Outage::Held(during)) = outage;
                *during = during.start + CONNECTED_AT..during.end + CONNECTED_AT;
            }
            conditions.link_bps = conditions.link_bps.map(|(at, bps)| (at + CONNECTED_AT, bps));
            world.connect(&conditions, seed).await;
            world.run_until(CONNECTED_AT + self.length).await;
            world.voices.map(|voice| voice.expect("both have one").heard)
        })
    }

    fn words(&self) -> impl FnMut(usize) -> Vec<i16> + 'static {
        let mut tone = Tone::new(440.0, 48_000, AMPLITUDE);
        let mut silent_frames = self.silence.as_millis() / 10;
        move |count| {
            if silent_frames == 0 {
                return tone.take(count);
            }
            silent_frames -= 1;
            vec![0; count]
        }
    }
}

/// The samples in a stretch of the call.
fn between(heard: &Heard, from: Duration, to: Duration) -> &[i16] {
    let at = |time: Duration| (time.as_millis() * 48) as usize;
    &heard.samples[at(from)..at(to).min(heard.samples.len())]
}

/// The share of frames of 10 ms in which less than half of the tone's level is heard.
fn gaps(samples: &[i16]) -> f64 {
    let frames: Vec<_> = samples.chunks_exact(480).collect();
    let quiet = frames.iter().filter(|frame| level(frame) < 0.5 * LOUD).count();
    quiet as f64 / frames.len() as f64
}

/// The tone's purity after the first seconds, in which the sender does not know of the loss yet.
fn settled_purity(heard: &Heard) -> f64 {
    purity(between(heard, s(5), s(3_600)), 440.0, 48_000)
}

/// Each call gives a frame every 10 ms, whatever the network does.
fn is_whole(heard: &Heard, length: Duration) -> bool {
    let frames = length.as_millis() / 10;
    (frames - 2..=frames + 2).contains(&(heard.samples.len() as u128 / 480))
}

/// From mouth to ear: the first loud sample that is heard, less the moment at which its source was
/// given it, the network's 50 ms, and the 20 ms in which its packet was filled (the first sample
/// of the tone is the first of a packet; a frame is given when it is whole, 10 ms after its first
/// sample was said). What is left is ours: Opus' own 6.5 ms, the jitter buffer, and the
/// pace of the stream.
#[test]
fn a_clean_network_adds_little_delay() {
    let call = Call { silence: s(5), length: s(10), ..Call::new(Conditions::clean()) };
    for heard in call.run(1) {
        let begin = heard.samples.iter().position(|sample| sample.abs() > 3_000).unwrap();
        // The stream's first frame is played at the beginning of the call.
        let heard_at = Duration::from_secs_f64(begin as f64 / 48_000.0);
        let added = heard_at.saturating_sub(s(5) + ms(20) + ms(50));
        assert!(added >= ms(6) && added <= ms(60), "{added:?}");
        let stats = heard.stats.last().unwrap();
        let touched = [stats.concealed, stats.restored, stats.removed, stats.inserted, stats.lost];
        assert_eq!(touched, [0; 5], "{stats:?}");
        assert!(purity(between(&heard, s(6), s(10)), 440.0, 48_000) > 0.999);
        assert_eq!(gaps(between(&heard, s(6), s(10))), 0.0);
    }
}

/// As in a room of livekit-server, which wants redundancy.
#[test]
fn a_tone_stays_pure_at_a_tenth_lost() {
    with_many_seeds(8, |seed| {
        let conditions = Conditions { loss: Loss::Random(0.1), ..Conditions::clean() };
        let call = Call { length: s(15), red: true, ..Call::new(conditions) };
        for heard in call.run(seed) {
            let pure = settled_purity(&heard);
            assert!(pure >= 0.99, "purity {pure}, {:?}", heard.stats.last());
            assert!(gaps(between(&heard, s(1), s(15))) < 0.01);
        }
    });
}

/// A call's draw loses more or less than a tenth, so that one alone may be a little below.
#[test]
fn a_tone_stays_pure_at_a_tenth_lost_without_redundancy() {
    let found = RefCell::new(Vec::new());
    with_many_seeds(5, |seed| {
        let conditions = Conditions { loss: Loss::Random(0.1), ..Conditions::clean() };
        for heard in (Call { length: s(15), ..Call::new(conditions) }).run(seed) {
            let pure = settled_purity(&heard);
            assert!(pure >= 0.985, "purity {pure}, {:?}", heard.stats.last());
            assert!(gaps(between(&heard, s(1), s(15))) < 0.01);
            found.borrow_mut().push(pure);
        }
    });
    let found = found.into_inner();
    let mean = found.iter().sum::<f64>() / found.len() as f64;
    assert!(mean >= 0.99, "{mean} of {found:?}");
}

/// What is lost, late or out of order leaves no more gaps than that it explains.
#[test]
fn sound_goes_on_whatever_the_network_does() {
    let clean = Conditions::clean;
    let worst = Conditions {
        loss: Loss::Burst { share: 0.1, length: 3.0 },
        jitter: Jitter::Shuffled(ms(100)),
        duplicated: 0.05,
        ..clean()
    };
    let networks = [
        (Conditions { loss: Loss::Random(0.02), ..clean() }, 0.01),
        (Conditions { loss: Loss::Random(0.3), ..clean() }, 0.06),
        (Conditions { loss: Loss::Burst { share: 0.1, length: 3.0 }, ..clean() }, 0.13),
        (Conditions { loss: Loss::Burst { share: 0.2, length: 4.0 }, ..clean() }, 0.25),
        (Conditions { jitter: Jitter::Queued(ms(40)), ..clean() }, 0.01),
        (Conditions { jitter: Jitter::Shuffled(ms(200)), ..clean() }, 0.01),
        (Conditions { jitter: Jitter::Queued(ms(200)), ..clean() }, 0.01),
        (Conditions { duplicated: 0.2, ..clean() }, 0.0),
        (Conditions { link_bps: Some((s(3), 45_000.0)), ..clean() }, 0.1),
        (worst, 0.15),
    ];
    with_many_seeds(1, |seed| {
        for (conditions, gap_share) in &networks {
            let call = Call { length: s(12), ..Call::new(conditions.clone()) };
            for heard in call.run(seed) {
                assert!(is_whole(&heard, call.length), "{} samples", heard.samples.len());
                let gaps = gaps(between(&heard, s(5), s(12)));
                let stats = heard.stats.last();
                let made_up = stats.map_or(0.0, |it| it.concealed as f64 / it.played as f64);
                assert!(gaps <= 2.0 * made_up, "{conditions:?}: {gaps} unexplained, {stats:?}");
                assert!(gaps <= *gap_share, "{conditions:?}: {gaps} gaps, {stats:?}");
            }
        }
    });
}

/// Of two whose clocks differ one hears a fast sender and the other a slow one.
#[test]
fn clocks_that_differ_are_followed_without_a_mark() {
    let call = Call { drift_ppm: 200.0, length: s(120), ..Call::new(Conditions::clean()) };
    let mut corrected = 0;
    for heard in call.run(1) {
        let stats = heard.stats.last().unwrap();
        corrected += stats.removed + stats.inserted;
        assert_eq!((stats.concealed, stats.discarded, stats.late), (0, 0, 0), "{stats:?}");
        assert!(heard.stats.iter().all(|stats| stats.actual_delay <= ms(60)), "{stats:?}");
        assert!(settled_purity(&heard) > 0.995, "{}", settled_purity(&heard));
        assert_eq!(gaps(between(&heard, s(1), s(120))), 0.0);
    }
    assert!(corrected > 100, "24 ms are 1 152 samples, {corrected} were corrected");
}

#[test]
fn sound_is_back_after_five_seconds_of_nothing() {
    with_many_seeds(1, |seed| {
        for outage in [Outage::Lost(s(8)..s(13)), Outage::Held(s(8)..s(13))] {
            let conditions = Conditions { outages: vec![outage.clone()], ..Conditions::clean() };
            for heard in Call::new(conditions).run(seed) {
                let after = between(&heard, ms(13_500), s(20));
                assert_eq!(gaps(after), 0.0, "{outage:?}: {:?}", heard.stats.last());
                let pure = purity(after, 440.0, 48_000);
                assert!(pure > 0.99, "{outage:?}: {pure} {:?}", heard.stats.last());
                let stats = heard.stats.last().unwrap();
                assert!(stats.actual_delay <= ms(100), "{outage:?}: {stats:?}");
            }
        }
    });
}

/// Keys, names and handshakes are random, and decide nothing of what is heard.
#[test]
fn a_run_replays_from_its_seed() {
    let conditions = Conditions {
        jitter: Jitter::Shuffled(ms(80)),
        loss: Loss::Burst { share: 0.1, length: 2.0 },
        duplicated: 0.02,
        link_bps: Some((s(4), 60_000.0)),
        outages: vec![Outage::Lost(s(6)..s(7))],
        ..Conditions::clean()
    };
    let call = Call { drift_ppm: 100.0, length: s(12), ..Call::new(conditions) };
    assert!(call.run(11) == call.run(11), "SEED=11");
    assert!(call.run(11) != call.run(12), "SEED=11 and 12");
}
