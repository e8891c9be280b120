//! `voicegraph seed`: sample data for development and staging.

use chrono::{DateTime, Utc};
use voicegraph_database::seed::{self, Guard};

use crate::args::Seed;
use crate::output::print;
use crate::{clock, database};

/// Adds what is missing.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(arguments: &Seed) -> anyhow::Result<()> {
    let settings = database::settings(&arguments.database)?;
    let today = arguments.date.unwrap_or_else(|| DateTime::<Utc>::from(clock::now()).date_naive());
    if arguments.dry_run {
        return print(&seed::script(today));
    }
    let guard = if arguments.force { Guard::Forced } else { Guard::Up };
    seed::seed(&settings, today, arguments.database.env.as_deref(), guard).await?;
    print(&format!("sample data around {today} is there\n"))
}
