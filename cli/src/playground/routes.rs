//! The playground's routes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::Serialize;
use voicegraph_engine::secret::Secret;

use super::guard::{self, Own};
use super::policy::{Policy, UrlError};
use super::token::{self, Guest, Keys, TokenError};
use super::{page, random};

/// How long a token may be used for joining: the page does at once.
const TOKEN_LIFE: Duration = Duration::from_secs(600);

/// Answers that are another each time.
const NO_STORE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

/// What the page is for.
#[derive(Clone, Debug)]
pub struct Playground {
    /// The room server, as the browser reaches it: `ws://…` or `wss://…`.
    pub url: String,
    /// The name by which the agent is called.
    pub agent: String,
    /// The pipeline that the agent runs, where it runs in this process.
    pub pipeline: Option<String>,
    /// How the page comes into a room.
    pub entry: Entry,
}

/// How a page comes into a room.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Each time into a fresh room. Joining it calls the agent, which is told `metadata`.
    Fresh {
        /// What signs the tokens.
        keys: Keys,
        /// What the agent is told.
        metadata: String,
    },
    /// Each time with the same token, which someone else made.
    Given(Secret),
}

/// What the handlers read from.
#[derive(Clone)]
struct Shared {
    playground: Arc<Playground>,
    policy: Policy,
}

impl FromRef<Shared> for Policy {
    fn from_ref(shared: &Shared) -> Self {
        shared.policy.clone()
    }
}

impl FromRef<Shared> for Arc<Playground> {
    fn from_ref(shared: &Shared) -> Self {
        Arc::clone(&shared.playground)
    }
}

/// The routes of a server with the names `own`. What they do not know is asked of `figures`: the
/// engine's `/edges`, `/turns`, `/graph` and its others, or nothing.
///
/// # Errors
/// [`UrlError`] where `playground.url` is no address of a room server.
pub fn router(playground: Playground, own: Own, figures: Router) -> Result<Router, UrlError> {
    let policy = Policy::new(&playground.url)?;
    let shared = Shared { playground: Arc::new(playground), policy };
    Ok(Router::new()
        .route("/", get(page::page))
        .route("/assets/{name}", get(page::asset))
        .route("/api/config", get(config))
        .route("/api/token", post(ticket))
        .with_state(shared)
        .fallback_service(figures)
        .layer(middleware::from_fn_with_state(own, guard::guard)))
}

/// What the page is told at its start.
#[derive(Serialize)]
struct Config<'a> {
    url: &'a str,
    agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<&'a str>,
}

async fn config(State(playground): State<Arc<Playground>>) -> Response {
    let Playground { url, agent, pipeline, .. } = &*playground;
    let pipeline = pipeline.as_deref();
    ([NO_STORE], Json(Config { url, agent, pipeline })).into_response()
}

/// A place in a room.
#[derive(Serialize)]
struct Ticket<'a> {
    url: &'a str,
    token: &'a str,
}

async fn ticket(State(playground): State<Arc<Playground>>) -> Response {
    match token(&playground) {
        Ok(token) => {
            let ticket = Ticket { url: &playground.url, token: token.expose() };
            ([NO_STORE], Json(ticket)).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

fn token(playground: &Playground) -> Result<Secret, TokenError> {
    match &playground.entry {
        Entry::Given(token) => Ok(token.clone()),
        Entry::Fresh { keys, metadata } => keys.guest(&Guest {
            room: format!("playground-{}", random::hex(1)),
            identity: format!("caller-{}", random::hex(1)),
            name: "Caller".to_owned(),
            metadata: String::new(),
            attributes: BTreeMap::new(),
            agents: vec![token::job(&playground.agent, metadata)],
            life: TOKEN_LIFE,
        }),
    }
}
