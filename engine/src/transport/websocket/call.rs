//! One connection from its upgrade to its close.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt, future};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::capture::Capture;
use super::line::{ClientSink, ClientSource, Line, Outgoing};
use super::query::Rates;
use super::wire::{Said, Told, decode};
use super::{End, Place, Settings};
use crate::transport::{Captured, Transport};
use crate::variables::Variables;

/// Frames, 1 s of sound, that may wait for the graph with what was typed between them; beyond, the
/// socket is not read.
const MAX_CAPTURED: usize = 50;

type Heard = mpsc::Sender<Captured>;

/// How a client left.
enum Left {
    /// It said so; it may still be told of the end.
    HungUp,
    /// Its connection is closed or says nothing any more.
    Lost,
}

/// Carries one call. The connection ends with it.
pub(super) async fn converse(
    socket: WebSocket,
    place: Place,
    caller: Option<Arc<str>>,
    rates: Rates,
    settings: Settings,
) {
    let line = Arc::new(Line::new(settings));
    line.tell(&Told::start(rates));
    let (heard, received) = mpsc::channel(MAX_CAPTURED);
    let transport = Transport {
        source: Box::new(ClientSource(received)),
        sink: Box::new(ClientSink::new(Arc::clone(&line), rates.output)),
        caller,
        variables: Variables::default(),
        observer: Some(Arc::clone(&line) as Arc<_>),
    };
    let (to_client, from_client) = socket.split();
    let calling = async {
        let end = place(transport).await;
        let End { reason, message, session } = &end;
        line.tell(&Told::End { reason, message: message.as_deref(), session });
        line.close();
    };
    let writing = async {
        write(to_client, &line, settings).await;
        line.lost.cancel();
    };
    let reading = async {
        match read(from_client, heard, &line, rates, settings).await {
            Left::HungUp => line.gone.cancel(),
            Left::Lost => line.lost.cancel(),
        }
        future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        _ = future::join(calling, writing) => {}
        () = reading => {}
    }
}

/// Reads until the client closes, hangs up or falls silent for too long. The end of `heard` tells
/// the graph.
async fn read(
    mut socket: SplitStream<WebSocket>,
    heard: Heard,
    line: &Line,
    rates: Rates,
    settings: Settings,
) -> Left {
    let mut capture = Capture::new(rates.input);
    loop {
        let message = tokio::select! {
            biased;
            () = line.lost.cancelled() => return Left::Lost,
            message = timeout(settings.idle_timeout, socket.next()) => message,
        };
        let Ok(Some(Ok(message))) = message else { return Left::Lost };
        match message {
            Message::Binary(bytes) => {
                for (frame, at) in capture.push(&bytes, Instant::now()) {
                    if deliver(&heard, Captured::Frame(frame, at), line).await.is_break() {
                        return Left::Lost;
                    }
                }
            }
            Message::Text(text) => match decode(&text) {
                Ok(Said::Playout { played, clear }) => line.report(played, clear),
                Ok(Said::Input(input)) => {
                    let input = Captured::Input(input, Instant::now());
                    if deliver(&heard, input, line).await.is_break() {
                        return Left::Lost;
                    }
                }
                Ok(Said::Hangup) => return Left::HungUp,
                Err(message) => line.tell(&Told::error(&message)),
            },
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => return Left::Lost,
        }
    }
}

/// Gives a frame or an input to the graph. One that takes no more may still be speaking.
async fn deliver(heard: &Heard, captured: Captured, line: &Line) -> ControlFlow<()> {
    tokio::select! {
        biased;
        () = line.lost.cancelled() => ControlFlow::Break(()),
        _ = heard.send(captured) => ControlFlow::Continue(()),
    }
}

/// Writes until the call is over and all is sent, or the client is gone.
async fn write(mut socket: SplitSink<WebSocket, Message>, line: &Line, settings: Settings) {
    loop {
        let next = tokio::select! {
            biased;
            () = line.lost.cancelled() => None,
            next = timeout(settings.idle_timeout / 3, line.next()) => Some(next),
        };
        let message = match next {
            None | Some(Ok(None)) => return close(socket, settings).await,
            Some(Ok(Some(Outgoing::Sound(bytes, _)))) => Message::Binary(bytes),
            Some(Ok(Some(Outgoing::Text(text)))) => Message::Text(text.into()),
            Some(Err(_)) => Message::Ping(Bytes::new()),
        };
        match timeout(settings.send_timeout, socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => return tracing::debug!("client does not read"),
        }
    }
}

async fn close(mut socket: SplitSink<WebSocket, Message>, settings: Settings) {
    let code = close_code::NORMAL;
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static("the call is over") };
    let closing = async {
        socket.send(Message::Close(Some(frame))).await?;
        socket.close().await
    };
    if timeout(settings.send_timeout, closing).await.is_err() {
        tracing::debug!("client does not read");
    }
}
