//! Prometheus' own checker of metrics.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::workspace;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Checks that promtool finds nothing to say against `page`, where it is installed.
///
/// # Panics
/// Where it does.
pub async fn accepts(page: &str) {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).kill_on_drop(true);
    let spawned = promtool.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut promtool) = spawned else {
        return workspace::skip("promtool", "no promtool (Debian: prometheus)");
    };
    let mut stdin = promtool.stdin.take().expect("it is a pipe");
    let checking = async {
        stdin.write_all(page.as_bytes()).await.expect("it reads all before it speaks");
        drop(stdin);
        promtool.wait_with_output().await.expect("a child can be waited for")
    };
    let output = timeout(LIMIT, checking).await.expect("it takes seconds at most");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}
