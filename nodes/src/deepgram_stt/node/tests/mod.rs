//! The node against a provider's end scripted by hand, over an in-memory pipe and a paused clock.

mod calls;
mod faults;
mod server;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::connect::{Connector, Dial, Io, Roots};
use voicegraph_engine::edge::{EdgeMeter, edge};
use voicegraph_engine::event::{Event, Observer, Observers};
use voicegraph_engine::message::{Endpoint, Payload};

use super::super::config::tests::options;
use super::*;
use server::Server;

/// How long a test waits for what must happen; far above any timeout that it sets.
const LIMIT: Duration = Duration::from_secs(120);

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Hands each connection's other end to the test, which may refuse it by dropping it.
struct Pipes {
    ends: mpsc::Sender<DuplexStream>,
    capacity: usize,
}

#[async_trait]
impl Dial for Pipes {
    async fn dial(&self) -> io::Result<Box<dyn Io>> {
        let (near, far) = duplex(self.capacity);
        self.ends.send(far).await.map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Box::new(near))
    }
}

/// What observers were told of faults, each with its time in ms.
#[derive(Clone)]
struct Faults(Arc<Mutex<Vec<String>>>, Instant);

impl Observer for Faults {
    fn on(&self, at: Instant, event: &Event) {
        let Event::Fault { what, retry_in, .. } = event else { return };
        let then = if retry_in.is_some() { "retry" } else { "no retry" };
        let line = format!("{} {what}; {then}", (at - self.1).as_millis());
        self.0.lock().unwrap().push(line);
    }
}

/// A call of the node in progress. Time is counted from its start.
struct Call {
    start: Instant,
    audio: Option<Output<AudioFrame>>,
    speech: Output<Speech>,
    transcript: Input<Transcript>,
    ends: mpsc::Receiver<DuplexStream>,
    cancelled: CancellationToken,
    node: JoinHandle<Result<(), NodeError>>,
    faults: Faults,
    meter: Arc<voicegraph_engine::metrics::NodeMeter>,
}

impl Call {
    fn start(fields: Value) -> Self {
        Self::start_with_pipe(fields, 1 << 20)
    }

    /// A call whose pipe to the provider holds `capacity` bytes.
    fn start_with_pipe(mut fields: Value, capacity: usize) -> Self {
        let start = Instant::now();
        fields["base_url"] = json!("sim://deepgram");
        let (sender, ends) = mpsc::channel(1);
        let dial: Arc<dyn Dial> = Arc::new(Pipes { ends: sender, capacity });
        let simulators = BTreeMap::from([("deepgram".to_owned(), dial)]);
        let connector = Connector::new(&Roots::Given(Vec::new())).with_simulators(simulators);
        let faults = Faults(Arc::default(), start);
        let ctx = Context::for_test(connector, Observers::new(vec![Arc::new(faults.clone())]));
        let (cancelled, meter) = (ctx.cancelled.clone(), Arc::clone(&ctx.meter));
        let mut ports = Ports::default();
        let (audio, near) = wire_up("mic.audio -> stt.audio", &cancelled);
        ports.add_input("audio", near);
        let (speech, near) = wire_up("vad.speech -> stt.speech", &cancelled);
        ports.add_input("speech", near);
        let (near, transcript) = wire_up("stt.transcript -> turn.transcript", &cancelled);
        ports.add_output("transcript", near);
        let stage = DeepgramStt::build(options(fields), "dev").unwrap().create();
        let node = tokio::spawn(stage.run(ports, ctx));
        let audio = Some(audio);
        Self { start, audio, speech, transcript, ends, cancelled, node, faults, meter }
    }

    /// The next connection, accepted.
    async fn accept(&mut self) -> Server {
        Server::accept(self.dialled().await).await
    }

    /// The next connection, before the upgrade.
    async fn dialled(&mut self) -> DuplexStream {
        limited(self.ends.recv()).await.expect("the node lives")
    }

    /// The caller's sound at `level` in frames of 20 ms, in real time.
    async fn say(&mut self, millis: u64, level: i16) {
        for _ in 0..millis / 20 {
            tokio::time::sleep(ms(20)).await;
            self.frame(level).await;
        }
    }

    async fn frame(&mut self, level: i16) {
        let frame = AudioFrame::new(vec![level; 320], AudioFrame::CALLER_RATE_HZ);
        let audio = self.audio.as_mut().expect("the audio is not over");
        audio.send(Envelope::session(Instant::now(), frame)).await.unwrap();
    }

    async fn end_speech(&mut self) {
        let now = Instant::now();
        let ended = Speech::Ended { at: now, decided: now };
        self.speech.send(Envelope::session(now, ended)).await.unwrap();
    }

    fn end_audio(&mut self) {
        self.audio = None;
    }

    /// The next transcript: `~ interim`, `= final`, `. end by silence`, `_ by a gap`.
    async fn told(&mut self) -> String {
        let told = limited(self.transcript.recv()).await.expect("the node lives").body;
        let sign = match (told.is_final, told.endpoint) {
            (false, _) => '~',
            (true, None) => '=',
            (true, Some(Endpoint::Silence)) => '.',
            (true, Some(Endpoint::WordGap)) => '_',
        };
        format!("{sign} {}", told.text)
    }

    /// The node's end, and that it told nothing more.
    async fn end(&mut self) -> Result<(), NodeError> {
        let result = limited(&mut self.node).await.expect("no panic");
        assert!(self.transcript.recv().await.is_none());
        result
    }

    fn faults(&self) -> Vec<String> {
        self.faults.0.lock().unwrap().clone()
    }
}

fn wire_up<T: Payload>(name: &str, session: &CancellationToken) -> (Output<T>, Input<T>) {
    let meter = EdgeMeter::new(name, Limit::count(10_000), Overflow::Fail);
    edge(&meter, session.clone())
}

async fn limited<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("it happens within the limit")
}
