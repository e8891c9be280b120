//! The record of a call: once, whatever its end, and never for long.

use std::sync::Mutex;

use super::*;
use crate::call::{CallRecord, RECORD_LIMIT, Unrecorded};

/// How a node keeps records.
#[derive(Clone, Copy, Debug)]
enum Keeping {
    Kept,
    Refused,
    Never,
}

/// A node like the inner one that notes the records it is given.
struct Keeper {
    inner: EarFactory,
    keeping: Keeping,
    given: Arc<Mutex<Vec<CallRecord>>>,
}

#[async_trait]
impl NodeFactory for Keeper {
    fn create(&self) -> Box<dyn Node> {
        self.inner.create()
    }

    async fn record(&self, call: &CallRecord, _: &Connector) -> Result<(), Unrecorded> {
        self.given.lock().unwrap().push(call.clone());
        match self.keeping {
            Keeping::Kept => Ok(()),
            Keeping::Refused => Err(Unrecorded("the book is full".to_owned())),
            Keeping::Never => std::future::pending().await,
        }
    }
}

/// Runs a call to its end; what was given to its node, and how long it all took.
async fn run(behaviour: Behaviour, keeping: Keeping) -> (CallEnd, Vec<CallRecord>, Duration) {
    let (mut session, _) = session(behaviour);
    let given = Arc::new(Mutex::new(Vec::new()));
    let keeper = Keeper { inner: EarFactory(behaviour), keeping, given: Arc::clone(&given) };
    let mut graph = graph(behaviour);
    graph.nodes[1].factory = Arc::new(keeper);
    session.graph = Arc::new(graph);
    session.transport.caller = Some("+441632960101".into());
    session.started_at += Duration::from_secs(60);
    let began = Instant::now();
    let end = session.run().await;
    let given = std::mem::take(&mut *given.lock().unwrap());
    (end, given, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn each_call_is_recorded_once_whatever_its_end() {
    for (behaviour, reason) in [
        (Behaviour::Reads, "finished"),
        (Behaviour::HangsUp, "hung_up"),
        (Behaviour::Fails, "node_failed"),
        (Behaviour::Panics, "node_panicked"),
        (Behaviour::NeverDrains, "drain_timed_out"),
        (Behaviour::IsDeaf, "drain_timed_out"),
        (Behaviour::EndsCancelled, "closed"),
    ] {
        let (end, given, _) = run(behaviour, Keeping::Kept).await;
        assert_eq!(end.reason.name(), reason, "{behaviour:?}");
        let expected = CallRecord {
            end,
            pipeline: "test".into(),
            caller: Some("+441632960101".into()),
            started_at: SystemTime::UNIX_EPOCH + Duration::from_secs(60),
            turns: 0,
        };
        assert_eq!(given, [expected], "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_the_record_is_no_matter_of_the_call() {
    for (keeping, waited) in [
        (Keeping::Kept, Duration::ZERO),
        (Keeping::Refused, Duration::ZERO),
        (Keeping::Never, RECORD_LIMIT),
    ] {
        let (end, given, took) = run(Behaviour::Reads, keeping).await;
        assert_eq!((&end.reason, end.duration), (&EndReason::Finished, Duration::ZERO));
        assert_eq!((given.len(), took), (1, waited), "{keeping:?}");
    }
}
