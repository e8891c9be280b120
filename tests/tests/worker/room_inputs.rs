//! What the caller types and presses in a room, and who else may not.

use std::time::Duration;

use voicegraph_engine::message::UserInput;
use voicegraph_engine::transport::Captured;
use voicegraph_tests::livekit::within;

use crate::room_stage::{AGENT, Agent, Stage, against_both};

against_both!(inputs_of_the_caller_reach_the_graph, others_have_no_say);

const LIMIT: Duration = Duration::from_secs(10);

impl Agent {
    /// The next input; frames before are passed over.
    async fn input(&mut self) -> UserInput {
        within("an input", async {
            loop {
                if let Captured::Input(input, _) = self.source.next().await {
                    return input;
                }
            }
        })
        .await
    }
}

async fn inputs_of_the_caller_reach_the_graph(stage: Stage) {
    let Stage { ada, mut agent, .. } = stage;
    ada.send_text("lk.chat", " Tuesday at two ").await;
    assert_eq!(agent.input().await, UserInput::Text("Tuesday at two".into()));
    for (code, digit, expected) in [(5, "5", '5'), (11, "#", '#')] {
        ada.press(code, digit).await;
        assert_eq!(agent.input().await, UserInput::Digit(expected));
    }
    let answer = ada.call(AGENT, "voicegraph.interrupt", "", LIMIT).await;
    assert_eq!(answer, Ok(String::new()));
    assert_eq!(agent.input().await, UserInput::Interrupt);
}

async fn others_have_no_say(mut stage: Stage) {
    let bob = stage.bob().await;
    bob.meets(AGENT).await;
    bob.send_text("lk.chat", "I am not the caller").await;
    bob.press(1, "1").await;
    let refused = bob.call(AGENT, "voicegraph.interrupt", "", LIMIT).await;
    assert_eq!(refused.unwrap_err().code, Some(1500));
    stage.ada.send_text("lk.chat", &"x".repeat(UserInput::MAX_TEXT + 1)).await;
    stage.ada.press(3, "3").await;
    assert_eq!(stage.agent.input().await, UserInput::Digit('3'));
}
