//! `voicegraph migrate`: the schema's versions, up, down, and where a database stands.

use std::fmt::Write as _;

use voicegraph_database::migrate::{self, Migrator, Script, State};
use voicegraph_database::verify;

use crate::args::{Down, Migrate, Migration, Status, Up, Verify};
use crate::database;
use crate::output::print;

/// Does what is asked, and prints what was done.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(arguments: &Migrate) -> anyhow::Result<()> {
    match &arguments.action {
        Migration::Up(arguments) => up(arguments).await,
        Migration::Down(arguments) => down(arguments).await,
        Migration::Status(arguments) => status(arguments).await,
        Migration::Verify(arguments) => verify(arguments).await,
    }
}

async fn up(arguments: &Up) -> anyhow::Result<()> {
    let migrator = Migrator::new(&database::settings(&arguments.database)?);
    if arguments.dry_run {
        let plan = migrator.plan_up(arguments.to).await?;
        return print(&sql(&plan, "up", |script| &script.up));
    }
    print(&report(&migrator.up(arguments.to).await?, "made", "nothing to make"))
}

async fn down(arguments: &Down) -> anyhow::Result<()> {
    let migrator = Migrator::new(&database::settings(&arguments.database)?);
    let down = arguments.to.map_or(migrate::Down::Steps(arguments.steps), migrate::Down::To);
    if arguments.dry_run {
        let plan = migrator.plan_down(down).await?;
        return print(&sql(&plan, "down", |script| &script.down));
    }
    print(&report(&migrator.down(down).await?, "taken back", "nothing to take back"))
}

async fn status(arguments: &Status) -> anyhow::Result<()> {
    let versions = Migrator::new(&database::settings(&arguments.database)?).status().await?;
    let mut text = String::new();
    for version in versions {
        let state = match version.state {
            State::Applied => "applied",
            State::Pending => "pending",
            State::Edited => "applied, edited since",
            State::Unknown => "applied, not known to this program",
        };
        writeln!(text, "{:04} {}: {state}", version.version, version.name)?;
    }
    print(&text)
}

/// Any difference fails the command, so that a deploy can stand on it.
async fn verify(arguments: &Verify) -> anyhow::Result<()> {
    let found = verify::verify(&database::settings(&arguments.database)?).await?;
    if found.is_empty() {
        return print("the schema is as the migrations make it\n");
    }
    print(&found.iter().map(|difference| format!("{difference}\n")).collect::<String>())?;
    anyhow::bail!("{} differences between the database and the migrations", found.len())
}

fn report(done: &[Script], verb: &str, nothing: &str) -> String {
    if done.is_empty() {
        return format!("{nothing}\n");
    }
    done.iter().map(|script| format!("{:04} {}: {verb}\n", script.version, script.name)).collect()
}

/// The scripts as one text that a person can read, and `psql` or `sqlite3` run.
fn sql(plan: &[Script], way: &str, half: impl Fn(&Script) -> &str) -> String {
    let text = |script: &Script| {
        format!("-- {:04}_{}.{way}.sql\n{}\n", script.version, script.name, half(script))
    };
    plan.iter().map(text).collect()
}
