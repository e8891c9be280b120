//! With whom the agent talks. Pure: every instant is an argument.
//!
//! In come participants who come and go; out goes who is linked, and the end of the call where that
//! one is gone for good. A second participant is never linked, whatever the first one does.

use livekit::participant::ParticipantKind;
use livekit::prelude::DisconnectReason;
use tokio::time::Instant;

use super::end::name_of;
use super::{End, Settings};

/// The participant with whom the agent talks.
#[derive(Debug)]
pub(super) struct Link {
    settings: Settings,
    /// Who is to be linked, where the job names somebody.
    wanted: Option<String>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody has come yet.
    Waiting { until: Instant },
    /// This one is there.
    There { identity: String },
    /// This one's connection was lost.
    Away { identity: String, reason: DisconnectReason, until: Instant },
}

impl Link {
    /// Waits from `now` on: for `wanted`, or for the first of a kind that is talked with.
    pub(super) fn new(settings: &Settings, wanted: Option<String>, now: Instant) -> Self {
        let state = State::Waiting { until: now + settings.caller_limit };
        Self { settings: settings.clone(), wanted, state }
    }

    /// Whether `identity` is the one with whom the agent talks.
    pub(super) fn is(&self, identity: &str) -> bool {
        match &self.state {
            State::There { identity: linked } | State::Away { identity: linked, .. } => {
                linked == identity
            }
            State::Waiting { .. } => false,
        }
    }

    /// A participant is there. `true` where it is linked by that, anew or again.
    pub(super) fn came(&mut self, identity: &str, kind: ParticipantKind) -> bool {
        let linked = match &self.state {
            State::There { .. } => false,
            State::Away { identity: awaited, .. } => awaited == identity,
            State::Waiting { .. } => match &self.wanted {
                Some(wanted) => wanted == identity,
                None => self.settings.kinds.contains(&kind),
            },
        };
        if linked {
            self.state = State::There { identity: identity.to_owned() };
        }
        linked
    }

    /// A participant has left.
    ///
    /// # Errors
    /// The end of the call, where that one will not come back.
    pub(super) fn left(
        &mut self,
        identity: &str,
        reason: DisconnectReason,
        now: Instant,
    ) -> Result<(), End> {
        if !matches!(&self.state, State::There { identity: linked } if linked == identity) {
            return Ok(());
        }
        match reason {
            DisconnectReason::RoomDeleted => return Err(End::RoomDeleted),
            DisconnectReason::ClientInitiated | DisconnectReason::UserRejected => {
                return Err(End::CallerLeft { reason: name_of(reason) });
            }
            _ => {}
        }
        let until = now + self.settings.return_limit;
        self.state = State::Away { identity: identity.to_owned(), reason, until };
        Ok(())
    }

    /// Until when the one who is missing may come.
    pub(super) fn until(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { until } | State::Away { until, .. } => Some(until),
            State::There { .. } => None,
        }
    }

    /// Waits anew from `now` on, where somebody is missing.
    pub(super) fn renew(&mut self, now: Instant) {
        match &mut self.state {
            State::Waiting { until } => *until = now + self.settings.caller_limit,
            State::Away { until, .. } => *until = now + self.settings.return_limit,
            State::There { .. } => {}
        }
    }

    /// The end of the call at [`until`](Self::until).
    pub(super) fn missed(&self) -> End {
        match &self.state {
            State::Away { reason, .. } => {
                End::CallerLost { reason: name_of(*reason), limit: self.settings.return_limit }
            }
            _ => End::NobodyCame { limit: self.settings.caller_limit },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(wanted: Option<&str>) -> Link {
        Link::new(&Settings::default(), wanted.map(str::to_owned), Instant::now())
    }

    fn linked() -> Link {
        let mut link = waiting(None);
        assert!(link.came("ada", ParticipantKind::Standard));
        link
    }

    #[test]
    fn the_first_person_or_telephone_is_linked() {
        let mut link = waiting(None);
        for kind in [ParticipantKind::Agent, ParticipantKind::Egress, ParticipantKind::Ingress] {
            assert!(!link.came("other", kind), "{kind:?}");
        }
        assert!(link.came("sip_1", ParticipantKind::Sip));
        assert!(!link.came("ada", ParticipantKind::Standard));
        assert!(link.is("sip_1") && !link.is("ada"));
        assert_eq!(link.until(), None);
    }

    #[test]
    fn who_is_named_by_the_job_is_linked_and_nobody_else() {
        let mut link = waiting(Some("bob"));
        assert!(!link.came("ada", ParticipantKind::Standard));
        assert!(link.came("bob", ParticipantKind::Ingress));
    }

    #[test]
    fn a_caller_who_leaves_ends_the_call_with_its_reason() {
        for (reason, name) in [
            (DisconnectReason::ClientInitiated, "caller_left"),
            (DisconnectReason::UserRejected, "caller_left"),
            (DisconnectReason::RoomDeleted, "room_deleted"),
        ] {
            let end = linked().left("ada", reason, Instant::now()).expect_err("the end");
            assert_eq!(end.name(), name, "{reason:?}");
        }
    }

    #[test]
    fn a_caller_who_is_lost_may_come_back() {
        let now = Instant::now();
        for reason in [
            DisconnectReason::UnknownReason,
            DisconnectReason::SignalClose,
            DisconnectReason::ConnectionTimeout,
            DisconnectReason::DuplicateIdentity,
        ] {
            let mut link = linked();
            link.left("ada", reason, now).expect("no end yet");
            assert_eq!(link.until(), Some(now + Settings::default().return_limit));
            assert!(link.is("ada"), "it is still the one");
            assert!(!link.came("eve", ParticipantKind::Standard), "nobody takes its place");
            assert!(link.came("ada", ParticipantKind::Standard), "{reason:?}");
            assert_eq!(link.until(), None);
        }
    }

    #[test]
    fn who_does_not_come_is_missed() {
        assert_eq!(waiting(None).missed().name(), "nobody_came");
        let mut link = linked();
        link.left("ada", DisconnectReason::SignalClose, Instant::now()).expect("no end yet");
        assert_eq!(link.missed().name(), "caller_lost");
    }

    #[test]
    fn what_the_agents_own_loss_took_does_not_count() {
        let (now, later) = (Instant::now(), Instant::now() + Settings::default().return_limit);
        let mut link = linked();
        link.renew(later);
        assert_eq!(link.until(), None, "nobody is missing");
        link.left("ada", DisconnectReason::UnknownReason, now).expect("no end yet");
        link.renew(later);
        assert_eq!(link.until(), Some(later + Settings::default().return_limit));
    }

    #[test]
    fn others_come_and_go() {
        let mut link = linked();
        let gone = link.left("eve", DisconnectReason::ClientInitiated, Instant::now());
        assert_eq!(gone, Ok(()));
        assert!(link.is("ada"));
    }
}
