//! A wire between two namespaces: packets from one TUN device to the other, each after its fate.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_tun::Tun;

use super::fate::{Conditions, Counts, Fate};
use super::namespace::{Namespace, ip};

/// The longest packet; the devices' MTU is below.
const MAX_PACKET: usize = 2_048;

/// Packets on their way; what comes beyond is lost, as in a full queue.
const MAX_QUEUED: usize = 4_096;

/// Where there is nothing to deliver the carrier wakes up as seldom.
const IDLE: Duration = Duration::from_secs(60);

/// What both directions have to share with who holds the wire.
type Fates = Arc<Mutex<[Fate; 2]>>;

/// Two devices and a thread that carries packets between them. Dropping it takes the devices away,
/// as a cable that is pulled out of both machines.
#[derive(Debug)]
pub struct Wire {
    fates: Fates,
    stop: watch::Sender<bool>,
    carrier: Option<JoinHandle<()>>,
}

/// One end of a wire: the device's name there.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    pub(super) namespace: &'a Namespace,
    pub(super) device: &'a str,
}

impl Wire {
    /// Puts a wire between two namespaces. Its devices are up and have no address yet.
    ///
    /// # Panics
    /// Where the devices cannot be made.
    pub(super) fn between(a: End<'_>, b: End<'_>, seed: u64) -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("there are descriptors for a runtime");
        let (tuns, names): (Vec<_>, Vec<_>) = {
            let _inside = runtime.enter();
            [new_device(), new_device()].into_iter().unzip()
        };
        for (end, name) in [a, b].into_iter().zip(&names) {
            let target = end.namespace.name();
            ip(&["link", "set", name, "netns", target, "name", end.device]);
            end.namespace.ip(&format!("link set {} up", end.device));
        }
        let fates = Arc::new(Mutex::new([Fate::new(seed), Fate::new(seed)]));
        let (stop, stopped) = watch::channel(false);
        let shared = fates.clone();
        let carry = move || {
            hurry();
            runtime.block_on(carry(tuns, shared, stopped));
        };
        let carrier = std::thread::Builder::new().name("wire".to_owned()).spawn(carry);
        Self { fates, stop, carrier: Some(carrier.expect("there is room for a thread")) }
    }

    /// Sets what happens to packets from the first end to the second, and back.
    pub fn set(&self, there: Conditions, back: Conditions) {
        let mut fates = self.fates.lock().unwrap_or_else(PoisonError::into_inner);
        fates[0].set(there);
        fates[1].set(back);
    }

    /// The packets of RTP since the conditions were set, there and back.
    pub fn counts(&self) -> [Counts; 2] {
        let fates = self.fates.lock().unwrap_or_else(PoisonError::into_inner);
        [fates[0].counts(), fates[1].counts()]
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        let _ = self.carrier.take().map(JoinHandle::join);
    }
}

/// Has this thread go before others: a cable is not slower on a busy machine.
fn hurry() {
    let own = std::fs::read_link("/proc/thread-self").ok();
    let id = own.as_deref().and_then(Path::file_name).unwrap_or_default();
    let _ = Command::new("renice").args(["-n", "-15", "-p"]).arg(id).output();
}

/// A TUN device with a name that no other has: it is made here, and moved then.
fn new_device() -> (Tun, String) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("vg{}-{number}", std::process::id());
    let made = Tun::builder().name(&name).build().expect("the place of tests lets us make devices");
    (made.into_iter().next().expect("one was asked for"), name)
}

/// A packet on its way: when it is due, the order in which it came, and to which end.
type Travelling = Reverse<(Instant, u64, usize, Vec<u8>)>;

async fn carry(tuns: Vec<Tun>, fates: Fates, mut stopped: watch::Receiver<bool>) {
    let mut travelling: BinaryHeap<Travelling> = BinaryHeap::new();
    let mut number = 0;
    let (mut from_a, mut from_b) = ([0; MAX_PACKET], [0; MAX_PACKET]);
    loop {
        let due = travelling.peek().map_or_else(|| Instant::now() + IDLE, |next| next.0.0);
        let (to, packet) = tokio::select! {
            biased;
            _ = stopped.changed() => return,
            () = sleep_until(due) => {
                deliver(&tuns, &mut travelling);
                continue;
            }
            read = tuns[0].recv(&mut from_a) => (1, read.map(|length| &from_a[..length])),
            read = tuns[1].recv(&mut from_b) => (0, read.map(|length| &from_b[..length])),
        };
        // A device that was taken out of its namespace gives errors: the wire is of no use then.
        let Ok(packet) = packet else { return };
        let mut fates = fates.lock().unwrap_or_else(PoisonError::into_inner);
        for delay in fates[1 - to].delays(packet) {
            if travelling.len() < MAX_QUEUED {
                number += 1;
                let due = Instant::now() + delay;
                travelling.push(Reverse((due, number, to, packet.to_vec())));
            }
        }
    }
}

fn deliver(tuns: &[Tun], travelling: &mut BinaryHeap<Travelling>) {
    let now = Instant::now();
    while travelling.peek().is_some_and(|next| next.0.0 <= now) {
        let Some(Reverse((_, _, to, packet))) = travelling.pop() else { return };
        // A device that is down takes nothing, as a cable in nothing.
        let _ = tuns[to].try_send(&packet);
    }
}
