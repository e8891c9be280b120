//! A visit from the first click to hanging up.

use livekit::prelude::DisconnectReason;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::http;
use voicegraph_engine::secret::Secret;
use voicegraph_playground::token::Keys;
use voicegraph_playground::{Entry, Own, Playground, bind, router};
use voicegraph_tests::livekit::{KEY, SECRET, Server, Version};
use voicegraph_tests::scenario::clinic;

use crate::agent::Agent;
use crate::figures::Figures;
use voicegraph_tests::browser::{Browser, Report};

const SUITE: &str = "playground";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_talks_to_the_agent_on_the_page() {
    let Some(server) = Server::shared(SUITE, Version::New) else { return };
    let figures = Figures::begin().await;
    let page = serve(server, &figures).await;
    // Chromium opens no path with `..` in it.
    let voice = clinic().join("demo/caller.wav").canonicalize().unwrap();
    let browser = Browser::visit(SUITE, "scripted.mjs", &page, &voice).await;
    let Some(mut browser) = browser else { return };
    let mut agent = Agent::join(server, &browser.room().await).await;
    let (heard, report) = tokio::join!(play(&mut agent), browser.report());
    assert!(heard > 300.0, "the caller was heard at {heard}");
    check(&report, server);
}

/// Serves the page, and says where.
async fn serve(server: &Server, figures: &Figures) -> String {
    let keys = Keys { key: KEY.to_owned(), secret: Secret::new(SECRET) };
    let playground = Playground {
        url: server.url(),
        agent: "clinic".to_owned(),
        pipeline: Some("clinic".to_owned()),
        entry: Entry::Fresh { keys, metadata: String::new() },
    };
    let listener = bind(0).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = router(playground, Own::of(address), figures.router.clone()).unwrap();
    tokio::spawn(http::serve(listener, router, CancellationToken::new()));
    format!("http://{address}/")
}

/// The agent's side. Gives the loudness of what it heard of the caller.
async fn play(agent: &mut Agent) -> f64 {
    let heard = agent.listen().await.loudness();
    let caller = agent.caller();
    agent.state("speaking");
    agent.heard(&caller, "SG_1", "I would like", false).await;
    agent.heard(&caller, "SG_1", "I would like an appointment.", true).await;
    agent.say("SG_2", &["Good morning,", " this is", " the clinic."]).await;
    agent.speak().await;
    agent.state("listening");
    let (from, text) = agent.written().await;
    assert_eq!((from, text.as_str()), (caller, "Is Tuesday free?"));
    agent.say("SG_3", &["You wrote: ", &text]).await;
    agent.muted().await;
    agent.say("SG_4", &["You are muted."]).await;
    assert_eq!(agent.left().await, DisconnectReason::ClientInitiated);
    heard
}

/// What the page must have shown.
fn check(report: &Report, server: &Server) {
    assert_eq!(report.complaints, [] as [&str; 0]);
    assert_eq!(
        report.conversation,
        [
            "You: I would like an appointment.",
            "Agent: Good morning, this is the clinic.",
            "You: Is Tuesday free?",
            "Agent: You wrote: Is Tuesday free?",
            "Agent: You are muted.",
        ]
    );
    // A tone of that loudness has -15 dBFS.
    assert!((-18.0..-12.0).contains(&report.agent_dbfs), "{}", report.agent_dbfs);
    assert!(report.mic_dbfs > -50.0, "{report:?}");
    let edges: Vec<&str> = report.edges.iter().map(|row| row[0].as_str()).collect();
    assert!(edges.contains(&"mic.audio -> vad.audio") && edges.len() == 10, "{edges:?}");
    assert!(report.live_edges >= 3, "{}", report.live_edges);
    let turn = report.turns.first().expect("the page waited for it");
    assert!(turn[0].parse::<u32>().is_ok() && turn.len() == 9, "{turn:?}");
    assert!(turn.iter().any(|cell| cell.ends_with(" ms")), "{turn:?}");
    let own = [server.http().to_string()];
    let others: Vec<_> = report.hosts.iter().filter(|host| !own.contains(host)).collect();
    assert_eq!(others.len(), 1, "only the page's server beside the room's: {others:?}");
}
