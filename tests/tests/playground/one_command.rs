//! `voicegraph playground`: one command gives a page on which one talks to the clinic.

use voicegraph_tests::program::Process;
use voicegraph_tests::scenario::clinic;
use voicegraph_tests::sound::Sound;

use crate::local_server::program;
use voicegraph_tests::browser::Browser;

const SUITE: &str = "playground command";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_command_gives_a_talking_page() {
    let Some(server) = program(SUITE) else { return };
    let arguments = ["playground", "--port", "0", "--livekit-server", server.to_str().unwrap()];
    let mut playground = Process::start(&arguments, &[]);
    let page = playground.line_with("http://127.0.0.1:").await;
    let folder = tempfile::tempdir().unwrap();
    let voice = folder.path().join("question.wav");
    question().write(&voice);
    let browser = Browser::visit(SUITE, "clinic.mjs", page.trim(), &voice).await;
    let Some(mut browser) = browser else { return };
    browser.room().await;
    let report = browser.report().await;
    assert_eq!(report.complaints, [] as [&str; 0]);
    assert!(report.mic_dbfs > -50.0 && report.agent_dbfs > -40.0, "{report:?}");
    let said = |line: &str| report.conversation.iter().any(|it| it.starts_with(line));
    assert!(
        said("You: Hello, when are you open this week?") && said("You: When are you open"),
        "{report:?}"
    );
    assert!(report.turns.len() >= 2 && report.live_edges >= 7, "{report:?}");
    let numbers: Vec<u32> = report.turns.iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|later, earlier| later > earlier), "a row each: {numbers:?}");
    playground.terminate().await;
    assert!(playground.ended().await.success());
}

/// The demo's caller, who lets the agent greet, asks one question and listens.
fn question() -> Sound {
    let caller = Sound::read(&clinic().join("demo/caller.wav")).remove(0);
    let mut question = caller.part(0, 2_100).after_silence(12_000);
    let silence = question.samples_in(60_000);
    question.samples.extend(std::iter::repeat_n(0, silence));
    question
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    for (arguments, part) in [
        (&["--livekit-server", "/nowhere/livekit-server"][..], "cannot be started"),
        (&["--url", "wss://a.example"], "set LIVEKIT_API_KEY and LIVEKIT_API_SECRET"),
        (&["--url", "clinic", "--token", "t"], "no address of a LiveKit server"),
    ] {
        let mut playground =
            Process::start(&[&["playground", "--port", "0"], arguments].concat(), &[]);
        playground.line_with(part).await;
        assert_eq!(playground.ended().await.code(), Some(1));
    }
}
