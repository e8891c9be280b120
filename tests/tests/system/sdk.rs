//! The official SDKs of Deepgram, OpenAI and Cartesia against `voicegraph simulate`: whoever wrote
//! them knows the wire, and has never seen the simulators.

use std::time::Duration;

use voicegraph_tests::simulate::Simulate;
use voicegraph_tests::{python, workspace};

/// How long all checks may take together. They take about 10 s.
const LIMIT: Duration = Duration::from_secs(120);

#[tokio::test]
async fn official_sdks_accept_the_simulators() {
    let Some(python) = python::with_sdks().await else {
        return workspace::skip("sdk", "no python3 with venv");
    };
    let simulate = Simulate::start(Some(&python::folder().join("script.toml"))).await;
    let output = python::run(&python, &["check.py", &simulate.bases], LIMIT).await;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(" passed, 0 failed"), "{said}");
    simulate.stop().await;
}
