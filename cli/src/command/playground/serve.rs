//! Starts the parts in order, serves the page, and ends them in the opposite order.

use anyhow::Context;
use axum::Router;
use tokio_util::sync::CancellationToken;
use voicegraph_engine::http;
use voicegraph_playground::{Entry, Own, bind, router};

use super::agent::Agent;
use super::graph::Ready;
use super::place::{Access, Place};
use crate::args::Playground;
use crate::output::print;
use crate::simulators;
use crate::stop::StopSignals;

/// What the agent is told with each call: nothing, so it takes its pipeline as it is.
const METADATA: &str = "";

/// Serves until it is told to stop. The page's address is the first line of standard output.
pub(crate) fn run(arguments: &Playground) -> anyhow::Result<()> {
    let ready = match arguments.token {
        Some(_) => None,
        None => Some(Ready::make(arguments)?),
    };
    serve(arguments, ready.as_ref())
}

#[tokio::main]
async fn serve(arguments: &Playground, ready: Option<&Ready>) -> anyhow::Result<()> {
    let mut stop_signals = StopSignals::listen();
    let mut place = tokio::select! {
        biased;
        () = stop_signals.next() => return Ok(()),
        place = Place::find(arguments) => place?,
    };
    let agent = tokio::select! {
        biased;
        () = stop_signals.next() => return Ok(()),
        agent = agent(arguments, &place, ready) => agent?,
    };
    let stop = CancellationToken::new();
    let serving = page(arguments, &place, ready, agent.as_ref(), stop.clone()).await?;
    let serving = tokio::spawn(serving);
    let lost = tokio::select! {
        biased;
        () = stop_signals.next() => None,
        lost = place.lost() => Some(lost),
    };
    stop.cancel();
    if let Some(agent) = agent {
        let hurry = agent.hurry();
        let stopping = agent.stop();
        tokio::pin!(stopping);
        tokio::select! {
            biased;
            () = stop_signals.next() => hurry.cancel(),
            stopped = &mut stopping => stopped?,
        }
    }
    serving.await.context("the server panicked")?;
    lost.map_or(Ok(()), Err)
}

/// The agent, where it is to run here.
async fn agent(
    arguments: &Playground,
    place: &Place,
    ready: Option<&Ready>,
) -> anyhow::Result<Option<Agent>> {
    let (Access::Keys(keys), Some(ready)) = (&place.access, ready) else { return Ok(None) };
    let connector = simulators::connector(simulators::script(&arguments.script)?);
    let (name, graph) = (&arguments.agent, ready.graph.clone());
    Agent::start(name, &place.url, keys.clone(), graph, connector).await.map(Some)
}

/// Listens, says where, and gives what serves the page.
async fn page(
    arguments: &Playground,
    place: &Place,
    ready: Option<&Ready>,
    agent: Option<&Agent>,
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let entry = match &place.access {
        Access::Keys(keys) => Entry::Fresh { keys: keys.clone(), metadata: METADATA.to_owned() },
        Access::Token(token) => Entry::Given(token.clone()),
    };
    let playground = voicegraph_playground::Playground {
        url: place.url.clone(),
        agent: arguments.agent.clone(),
        pipeline: ready.map(|ready| ready.graph.name().to_owned()),
        entry,
    };
    let port = arguments.port;
    let listener = bind(port).await;
    let listener = listener.with_context(|| format!("cannot listen at 127.0.0.1:{port}"))?;
    let at = listener.local_addr().context("the listener has no address")?;
    let figures = agent.map_or_else(Router::new, |agent| agent.figures.clone());
    let router = router(playground, Own::of(at), figures)?;
    print(&format!("http://{at}\n"))?;
    eprintln!("voicegraph: open that page and press the button; rooms are at {}", place.url);
    Ok(http::serve(listener, router, stop))
}
