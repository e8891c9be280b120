//! What a child process says, line by line.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{BufReader, Lines};
use tokio::process::ChildStdout;
use tokio::time::timeout;

/// The rest of the next line that begins with `word`.
///
/// # Errors
/// Where it does not come within `limit`, or the child ends.
pub async fn line(
    lines: &mut Lines<BufReader<ChildStdout>>,
    word: &str,
    limit: Duration,
) -> anyhow::Result<String> {
    let found = timeout(limit, async {
        while let Some(line) = lines.next_line().await? {
            if let Some(rest) = line.strip_prefix(word) {
                return Ok(rest.trim().to_owned());
            }
        }
        bail!("the load has ended")
    });
    found.await.with_context(|| format!("no `{word}` within {limit:?}"))?
}
