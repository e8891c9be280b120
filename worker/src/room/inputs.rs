//! What the caller types or presses: chat messages, keys of the telephone, a button that calls.
//!
//! Only the linked participant is listened to. A page's button for "be silent" calls the method
//! [`INTERRUPT`] of the agent, with any payload; the answer is empty.

use futures_util::{Stream, StreamExt as _};
use livekit::participant::LocalParticipant;
use livekit::prelude::{RpcError, RpcErrorCode};
use tokio::sync::mpsc;
use tokio::time::Instant;
use voicegraph_engine::message::{BadInput, UserInput};
use voicegraph_engine::transport::Captured;

/// The topic of chat messages.
pub(super) const CHAT: &str = "lk.chat";

/// The method that makes the agent be silent.
pub(super) const INTERRUPT: &str = "voicegraph.interrupt";

/// Inputs that may wait for the graph; more are dropped and counted.
pub(super) const MAX_WAITING: usize = 32;

/// The most that is read of a chat message, in bytes: no character has more than four.
const LONGEST_CHAT: usize = 4 * UserInput::MAX_TEXT;

/// Why a chat message is no input. What it says is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadChat {
    #[error(transparent)]
    Input(#[from] BadInput),
    #[error("it broke off")]
    BrokeOff,
}

/// Reads a chat message to its end, or until it is too long.
pub(super) async fn read<E>(
    mut chunks: impl Stream<Item = Result<String, E>> + Unpin,
) -> Result<UserInput, BadChat> {
    let mut text = String::new();
    while let Some(chunk) = chunks.next().await {
        text.push_str(&chunk.map_err(|_| BadChat::BrokeOff)?);
        if text.len() > LONGEST_CHAT {
            return Err(BadInput::TooLong.into());
        }
    }
    Ok(UserInput::text(&text)?)
}

/// The key that a DTMF packet tells: in its digit, or else in its code (RFC 4733, section 3.2).
pub(crate) fn key(code: u32, digit: Option<&str>) -> Result<UserInput, BadInput> {
    const KEYS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
    let mut digits = digit.unwrap_or_default().chars();
    let key = match (digits.next(), digits.next()) {
        (Some(key), None) => Some(key),
        (None, _) => usize::try_from(code).ok().and_then(|code| KEYS.get(code)).copied(),
        _ => None,
    };
    UserInput::digit(key.ok_or(BadInput::NoKey)?)
}

/// Gives the graph an input; `false` where too many wait.
pub(super) fn give(graph: &mpsc::Sender<Captured>, input: UserInput) -> bool {
    let given = graph.try_send(Captured::Input(input, Instant::now())).is_ok();
    if !given {
        tracing::warn!("input of the caller was dropped: too many wait");
    }
    given
}

/// Lets `caller` call [`INTERRUPT`].
pub(super) fn serve(agent: &LocalParticipant, caller: String, graph: mpsc::Sender<Captured>) {
    agent.register_rpc_method(INTERRUPT.to_owned(), move |call| {
        let answer = if call.caller_identity.as_str() != caller {
            Err("only the participant with whom the agent talks may interrupt it")
        } else if !give(&graph, UserInput::Interrupt) {
            Err("too many inputs wait for the agent")
        } else {
            Ok(String::new())
        };
        let refuse =
            |why: &str| RpcError::new(RpcErrorCode::ApplicationError as u32, why.to_owned(), None);
        let answer = answer.map_err(refuse);
        Box::pin(async { answer })
    });
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::stream::{iter, pending};

    use super::*;

    fn chat(chunks: &[&str]) -> impl Stream<Item = Result<String, ()>> + Unpin {
        iter(chunks.iter().map(|chunk| Ok((*chunk).to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn a_chat_message_is_read_to_its_end() {
        let longest = "\u{1f600}".repeat(UserInput::MAX_TEXT);
        for (chunks, text) in
            [(&[" Tuesday", " at two "][..], "Tuesday at two"), (&[&longest], &longest)]
        {
            let expected = UserInput::Text(text.into());
            assert_eq!(read(chat(chunks)).now_or_never(), Some(Ok(expected)));
        }
    }

    #[test]
    fn a_chat_message_without_end_is_not_read_on() {
        let longest = " ".repeat(LONGEST_CHAT);
        let refused = read(chat(&[&longest, " "]).chain(pending())).now_or_never();
        assert_eq!(refused, Some(Err(BadInput::TooLong.into())));
        let waits = read(chat(&[&longest]).chain(pending())).now_or_never();
        assert_eq!(waits, None, "so much may be read");
    }

    #[test]
    fn a_chat_message_that_breaks_off_is_no_input() {
        let broken = chat(&["Cancel my"]).chain(iter([Err(())]));
        assert_eq!(read(broken).now_or_never(), Some(Err(BadChat::BrokeOff)));
    }

    #[test]
    fn a_key_is_told_by_digit_or_code() {
        assert_eq!(key(0, Some("5")), Ok(UserInput::Digit('5')));
        assert_eq!(key(11, None), Ok(UserInput::Digit('#')));
        assert_eq!(key(10, Some("")), Ok(UserInput::Digit('*')));
        assert_eq!(key(16, None), Err(BadInput::NoKey));
        assert_eq!(key(1, Some("12")), Err(BadInput::NoKey));
    }

    #[test]
    fn what_does_not_fit_is_dropped() {
        let (graph, mut given) = mpsc::channel(1);
        assert!(give(&graph, UserInput::Interrupt));
        assert!(!give(&graph, UserInput::Digit('1')));
        let input = given.try_recv().expect("the first");
        assert!(matches!(input, Captured::Input(UserInput::Interrupt, _)));
    }
}
