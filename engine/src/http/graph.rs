//! The graph that new calls get, in the format that the client asks for.

use std::borrow::Cow;

use axum::extract::{RawQuery, State as Extracted};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::State;
use crate::graph::{Graph, render};
use crate::runtime::Runtimes;

/// A format in which a graph can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A drawing.
    Svg,
    /// Text for Mermaid.
    Mermaid,
    /// Text for Graphviz.
    Dot,
    /// Nodes and edges.
    Json,
}

impl Format {
    /// Every format; the first is the one for clients that take any.
    pub const ALL: [Self; 4] = [Self::Svg, Self::Mermaid, Self::Dot, Self::Json];

    /// The value of `format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Mermaid => "mermaid",
            Self::Dot => "dot",
            Self::Json => "json",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The media type, without parameters.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Mermaid => "text/vnd.mermaid",
            Self::Dot => "text/vnd.graphviz",
            Self::Json => "application/json",
        }
    }

    /// The graph in this format.
    pub fn draw(self, graph: &Graph) -> String {
        match self {
            Self::Svg => render::svg(graph),
            Self::Mermaid => render::mermaid(graph),
            Self::Dot => render::dot(graph),
            Self::Json => render::json(graph),
        }
    }

    /// Whether a range of an `Accept` header (`image/*`) covers the format.
    fn is_in(self, range: &str) -> bool {
        let media_type = self.media_type();
        match range.strip_suffix('*') {
            Some("*/") => true,
            Some(kind) => kind.ends_with('/') && media_type.starts_with(kind),
            None => range.eq_ignore_ascii_case(media_type),
        }
    }
}

pub(super) async fn graph(
    Extracted(state): Extracted<State>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let runtime = match named(query.as_deref(), "pipeline") {
        None => Some(state.runtimes.default_one()),
        Some(name) => state.runtimes.get(&name),
    };
    let Some(runtime) = runtime else {
        return (StatusCode::NOT_FOUND, no_pipeline(&state.runtimes)).into_response();
    };
    match choose(query.as_deref(), accept) {
        Some(format) => {
            let text = format.draw(&runtime.pipeline().graph);
            let media_type = format!("{}; charset=utf-8", format.media_type());
            let headers = [
                (header::CONTENT_TYPE, media_type),
                (header::CACHE_CONTROL, "no-cache".to_owned()),
                (header::VARY, "accept".to_owned()),
            ];
            (headers, text).into_response()
        }
        None => (StatusCode::NOT_ACCEPTABLE, refusal()).into_response(),
    }
}

fn no_pipeline(runtimes: &Runtimes) -> String {
    let names = runtimes.iter().map(|one| one.pipeline().graph.name().to_owned());
    format!("ask with ?pipeline= for one of: {}\n", names.collect::<Vec<_>>().join(", "))
}

fn refusal() -> String {
    let formats = Format::ALL.map(|format| format!("{} ({})", format.name(), format.media_type()));
    format!("ask with ?format= or Accept for one of: {}\n", formats.join(", "))
}

/// The format that the query names, else the one that `Accept` likes best; `None` where there is
/// none.
fn choose(query: Option<&str>, accept: Option<&str>) -> Option<Format> {
    match (named(query, "format"), accept) {
        (Some(name), _) => Format::from_name(&name),
        (None, None) => Some(Format::ALL[0]),
        (None, Some(accept)) => best(accept),
    }
}

/// The first value of `key` in the query.
fn named<'a>(query: Option<&'a str>, key: &str) -> Option<Cow<'a, str>> {
    let mut pairs = url::form_urlencoded::parse(query?.as_bytes());
    pairs.find(|(one, _)| one == key).map(|(_, value)| value)
}

/// The format of the highest quality; the first of equals.
fn best(accept: &str) -> Option<Format> {
    let mut best = None;
    for format in Format::ALL {
        let quality = quality(format, accept);
        if quality > best.map_or(0.0, |(_, quality)| quality) {
            best = Some((format, quality));
        }
    }
    best.map(|(format, _)| format)
}

/// The quality that the most specific matching range gives the format (RFC 9110, section 12.5.1).
fn quality(format: Format, accept: &str) -> f32 {
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let range = parts.next().filter(|range| format.is_in(range))?;
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
        let specific = 2 - range.matches('*').count();
        Some((specific, quality.unwrap_or(1.0)))
    });
    ranges.max_by_key(|(specific, _)| *specific).map_or(0.0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_goes_before_the_header() {
        let check = |query, accept, expected| assert_eq!(choose(query, accept), expected);
        check(Some("format=dot"), Some("application/json"), Some(Format::Dot));
        check(Some("x=1&format=mermaid"), None, Some(Format::Mermaid));
        check(Some("format=png"), Some("*/*"), None);
        check(Some("format="), None, None);
        check(None, None, Some(Format::Svg));
    }

    #[test]
    fn the_header_is_weighed() {
        let check = |accept, expected| assert_eq!(choose(None, Some(accept)), expected, "{accept}");
        check("*/*", Some(Format::Svg));
        check("application/json", Some(Format::Json));
        check("text/*", Some(Format::Mermaid));
        check("text/html, application/xhtml+xml, */*;q=0.8", Some(Format::Svg));
        check("image/svg+xml;q=0.1, text/vnd.graphviz;q=0.9", Some(Format::Dot));
        check("*/*, image/svg+xml;q=0", Some(Format::Mermaid));
        check("image/png", None);
        check("application/json;q=0", None);
    }
}
