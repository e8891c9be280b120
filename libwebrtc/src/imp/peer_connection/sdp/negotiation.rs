//! Offers and answers.
//!
//! ```text
//!           create_offer        set_local          set_remote (answer)
//!   Stable ─────────────> (created) ───> HaveLocalOffer ───────────────> Stable
//!      │ set_remote (offer)                    create_answer, set_local (answer)
//!      └──────────────> HaveRemoteOffer ──────────────────────────────> Stable
//! ```
//!
//! An offer that was created changes nothing until it is set: `livekit` sends its first one inside
//! of the request to join, and drops it where the server knows no such request. str0m offers only
//! what changed; where nothing did, an unchanged direction is set anew.

use str0m::Rtc;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::ChannelConfig;
use str0m::media::{Direction, MediaKind, Mid};
use tracing::debug;

use super::super::channels::{PLACEHOLDER, PLACEHOLDER_STREAMS};
use super::super::core::Core;
use super::super::media::{Key, to_str0m};
use super::super::notice::Notice;
use super::sections::{Section, SectionKind, sections};
use crate::RtcError;
use crate::ice_candidate::IceCandidate;
use crate::peer_connection::{OfferOptions, SignalingState};
use crate::session_description::{SdpType, SessionDescription};

/// Where the exchange of descriptions stands.
pub(in super::super) struct Negotiation {
    pub(in super::super) state: SignalingState,
    pub(in super::super) current_local: Option<SessionDescription>,
    pub(in super::super) current_remote: Option<SessionDescription>,
    /// Whether the descriptions have agreed on a section for data.
    pub(in super::super) has_data: bool,
    /// Whether the next offer looks for a path anew.
    pub(in super::super) restart: bool,
    /// Written, not set.
    created: Option<Offer>,
    /// Set, not answered.
    offered: Option<(Offer, SessionDescription)>,
    /// The peer's offer, and what str0m has answered to it.
    received: Option<(SessionDescription, String)>,
    /// Candidates belong to the first section; all others share its path.
    first_mid: String,
    placeholders: u16,
}

struct Offer {
    pending: Pending,
    /// The sections that transceivers are to have.
    mids: Vec<(Key, Mid)>,
    restart: bool,
}

enum Pending {
    Changes(SdpPendingOffer),
    /// There was nothing that str0m could offer: the last description was offered again.
    Nothing,
}

impl Default for Negotiation {
    fn default() -> Self {
        Self {
            state: SignalingState::Stable,
            current_local: None,
            current_remote: None,
            has_data: false,
            restart: false,
            created: None,
            offered: None,
            received: None,
            first_mid: String::new(),
            placeholders: 0,
        }
    }
}

impl Negotiation {
    pub(in super::super) fn first_mid(&self) -> String {
        self.first_mid.clone()
    }

    /// Whether an offer to look for a path anew waits for its answer.
    pub(in super::super) fn is_restart_offered(&self) -> bool {
        self.offered.as_ref().is_some_and(|(offer, _)| offer.restart)
    }

    pub(in super::super) fn close(&mut self) {
        self.state = SignalingState::Closed;
        self.created = None;
        self.offered = None;
        self.received = None;
    }

    /// A stream that no placeholder has had, so that offers can be dropped.
    fn placeholder(&mut self) -> ChannelConfig {
        let stream = PLACEHOLDER_STREAMS.start + self.placeholders;
        self.placeholders = (self.placeholders + 1) % PLACEHOLDER_STREAMS.len() as u16;
        let label = PLACEHOLDER.to_owned();
        ChannelConfig { label, negotiated: Some(stream), ..ChannelConfig::default() }
    }
}

/// The names of a track that is sent: its stream and its own.
type Names = (String, String);

/// What an offer is to add or change.
#[derive(Default)]
struct Wishes {
    sections: Vec<(Key, MediaKind, Direction, Option<Names>)>,
    directions: Vec<(Mid, Direction)>,
    /// A section whose direction is what it was.
    unchanged: Option<(Mid, Direction)>,
}

impl Core {
    pub(in super::super) fn create_offer(
        &mut self,
        options: &OfferOptions,
    ) -> Result<SessionDescription, RtcError> {
        self.expect_state(SignalingState::Stable, "create an offer")?;
        let restart = options.ice_restart || self.negotiation.restart;
        let wishes = self.wishes();
        let placeholder = (!self.negotiation.has_data && !self.channels.is_empty())
            .then(|| self.negotiation.placeholder());
        let (written, mids) = write_offer(&mut self.rtc, wishes, placeholder, restart);
        let (text, pending) = match written {
            Some((offer, pending)) => (offer.to_sdp_string(), Pending::Changes(pending)),
            None => (self.last_local_as_offer()?, Pending::Nothing),
        };
        self.negotiation.created = Some(Offer { pending, mids, restart });
        Ok(SessionDescription::checked(text, SdpType::Offer))
    }

    fn wishes(&self) -> Wishes {
        let mut wishes = Wishes::default();
        for (key, it) in self.transceivers.iter() {
            let wanted = to_str0m(it.direction);
            let Some(mid) = it.mid else {
                wishes.sections.push((key, it.kind, wanted, it.sent_names.clone()));
                continue;
            };
            match self.rtc.media(mid) {
                Some(media) if media.direction() == wanted => {
                    wishes.unchanged = Some((mid, wanted));
                }
                Some(media) if !media.stopped() => wishes.directions.push((mid, wanted)),
                _ => {}
            }
        }
        wishes
    }

    fn last_local_as_offer(&self) -> Result<String, RtcError> {
        let last = self.negotiation.current_local.as_ref().ok_or_else(|| {
            RtcError::invalid_state("nothing to offer: add a channel or a transceiver first")
        })?;
        let setup = |line: &str| match line {
            "a=setup:active" | "a=setup:passive" => "a=setup:actpass\r\n".to_owned(),
            line => format!("{line}\r\n"),
        };
        Ok(last.text().lines().map(setup).collect())
    }

    pub(in super::super) fn create_answer(&self) -> Result<SessionDescription, RtcError> {
        self.expect_state(SignalingState::HaveRemoteOffer, "create an answer")?;
        let (_, answer) = self.negotiation.received.as_ref().expect("the state says so");
        Ok(SessionDescription::checked(answer.clone(), SdpType::Answer))
    }

    pub(in super::super) fn set_local(
        &mut self,
        description: &SessionDescription,
    ) -> Result<(), RtcError> {
        match description.sdp_type() {
            SdpType::Offer => self.set_local_offer(description),
            SdpType::Answer => self.set_local_answer(description),
            SdpType::Rollback => self.roll_back(),
            SdpType::PrAnswer => Err(RtcError::unsupported("a preliminary answer")),
        }
    }

    fn set_local_offer(&mut self, description: &SessionDescription) -> Result<(), RtcError> {
        self.expect_state(SignalingState::Stable, "set an offer")?;
        let offer = self.negotiation.created.take().ok_or_else(|| {
            RtcError::invalid_state("the offer to set was not the last that was created here")
        })?;
        for (key, mid) in &offer.mids {
            self.transceivers.get_mut(*key).mid = Some(*mid);
        }
        self.note_first_mid(description);
        self.negotiation.restart = false;
        self.negotiation.offered = Some((offer, description.clone()));
        self.set_signaling(SignalingState::HaveLocalOffer);
        Ok(())
    }

    fn set_local_answer(&mut self, description: &SessionDescription) -> Result<(), RtcError> {
        self.expect_state(SignalingState::HaveRemoteOffer, "set an answer")?;
        let (offer, _) = self.negotiation.received.take().expect("the state says so");
        self.note_first_mid(description);
        self.negotiation.current_local = Some(description.clone());
        self.negotiation.current_remote = Some(offer);
        self.set_signaling(SignalingState::Stable);
        Ok(())
    }

    pub(in super::super) fn set_remote(
        &mut self,
        description: &SessionDescription,
    ) -> Result<(), RtcError> {
        match description.sdp_type() {
            SdpType::Offer => self.set_remote_offer(description),
            SdpType::Answer => self.set_remote_answer(description),
            SdpType::Rollback => self.roll_back(),
            SdpType::PrAnswer => Err(RtcError::unsupported("a preliminary answer")),
        }
    }

    fn set_remote_offer(&mut self, description: &SessionDescription) -> Result<(), RtcError> {
        if self.negotiation.state == SignalingState::HaveLocalOffer {
            // Both offered at once: the peer's goes first, ours is made again.
            self.roll_back()?;
        }
        self.expect_state(SignalingState::Stable, "take an offer")?;
        self.negotiation.created = None;
        let offer = SdpOffer::from_sdp_string(description.text()).map_err(refused)?;
        let answer = self.guarded("taking an offer", |rtc| rtc.sdp_api().accept_offer(offer));
        let answer = answer.map_err(refused)?.map_err(refused)?;
        self.negotiation.received = Some((description.clone(), answer.to_sdp_string()));
        self.set_signaling(SignalingState::HaveRemoteOffer);
        self.apply_remote(&sections(description.text()));
        Ok(())
    }

    fn set_remote_answer(&mut self, description: &SessionDescription) -> Result<(), RtcError> {
        self.expect_state(SignalingState::HaveLocalOffer, "take an answer")?;
        let answer = SdpAnswer::from_sdp_string(description.text()).map_err(refused)?;
        if self.is_old_answer(description) {
            return self.roll_back();
        }
        let (offer, local) = self.negotiation.offered.take().expect("the state says so");
        if let Pending::Changes(pending) = offer.pending
            && let Err(error) = self
                .guarded("taking an answer", |rtc| rtc.sdp_api().accept_answer(pending, answer))
                .map_err(refused)?
        {
            self.forget_mids(&offer.mids);
            self.set_signaling(SignalingState::Stable);
            return Err(refused(error));
        }
        self.negotiation.current_local = Some(local);
        self.negotiation.current_remote = Some(description.clone());
        self.set_signaling(SignalingState::Stable);
        self.apply_remote(&sections(description.text()));
        Ok(())
    }

    /// Whether `livekit` takes back its offer, which it does by giving the last answer once more.
    /// An offer that has new sections, or looks for a path anew, cannot have been answered by that.
    fn is_old_answer(&self, answer: &SessionDescription) -> bool {
        let (Some(last), Some((offer, _))) =
            (&self.negotiation.current_remote, &self.negotiation.offered)
        else {
            return false;
        };
        last.text() == answer.text() && (offer.restart || !offer.mids.is_empty())
    }

    fn roll_back(&mut self) -> Result<(), RtcError> {
        match self.negotiation.state {
            SignalingState::HaveLocalOffer => {
                let (offer, _) = self.negotiation.offered.take().expect("the state says so");
                self.forget_mids(&offer.mids);
                self.negotiation.restart |= offer.restart;
                self.set_signaling(SignalingState::Stable);
                Ok(())
            }
            // str0m has applied it.
            SignalingState::HaveRemoteOffer => {
                Err(RtcError::unsupported("taking back the peer's offer"))
            }
            _ => Err(RtcError::invalid_state("there is no offer to take back")),
        }
    }

    fn forget_mids(&mut self, mids: &[(Key, Mid)]) {
        for (key, _) in mids {
            self.transceivers.get_mut(*key).mid = None;
        }
    }

    /// Applies what the peer's description says of each section.
    fn apply_remote(&mut self, sections: &[Section]) {
        let has_data = sections.iter().any(|section| section.kind == SectionKind::Application);
        self.negotiation.has_data |= has_data;
        for key in self.transceivers.apply_remote(sections, &self.rtc) {
            self.tell(Notice::Track(key));
        }
        self.open_waiting_channels();
    }

    pub(in super::super) fn add_candidate(
        &mut self,
        candidate: &IceCandidate,
    ) -> Result<(), RtcError> {
        let negotiation = &self.negotiation;
        if negotiation.current_remote.is_none() && negotiation.received.is_none() {
            let message = "a candidate came before the peer's description";
            return Err(RtcError::invalid_state(message));
        }
        match &candidate.parsed {
            Some(parsed) => self
                .guarded("taking a candidate", |rtc| rtc.add_remote_candidate(parsed.clone()))
                .map_err(refused)?,
            None => debug!("candidate passed over: it names no address"),
        }
        Ok(())
    }

    fn note_first_mid(&mut self, description: &SessionDescription) {
        if let Some(first) = sections(description.text()).into_iter().next() {
            self.negotiation.first_mid = first.mid;
        }
    }

    fn set_signaling(&mut self, state: SignalingState) {
        self.negotiation.state = state;
        self.tell(Notice::Signaling(state));
    }

    fn expect_state(&self, wanted: SignalingState, what: &str) -> Result<(), RtcError> {
        let state = self.negotiation.state;
        if state == wanted {
            return Ok(());
        }
        let message = format!("cannot {what} in state {state:?}, only in {wanted:?}");
        Err(RtcError::invalid_state(message))
    }
}

type Written = Option<(SdpOffer, SdpPendingOffer)>;

/// Has str0m write an offer. None where it sees nothing to offer.
fn write_offer(
    rtc: &mut Rtc,
    wishes: Wishes,
    placeholder: Option<ChannelConfig>,
    restart: bool,
) -> (Written, Vec<(Key, Mid)>) {
    let mut api = rtc.sdp_api();
    if let Some(placeholder) = placeholder {
        api.add_channel_with_config(placeholder);
    }
    let mut mids = Vec::new();
    for (key, kind, direction, names) in wishes.sections {
        let (stream, track) = names.unzip();
        mids.push((key, api.add_media(kind, direction, stream, track, None)));
    }
    for (mid, direction) in wishes.directions {
        api.set_direction(mid, direction);
    }
    if restart {
        api.ice_restart(true);
    }
    if !api.has_changes()
        && let Some((mid, direction)) = wishes.unchanged
    {
        // The other direction has all of this one, where there is one: what stays on is not reset.
        let other = match direction {
            Direction::Inactive => Direction::RecvOnly,
            Direction::RecvOnly | Direction::SendOnly => Direction::SendRecv,
            Direction::SendRecv => Direction::SendOnly,
        };
        api.set_direction(mid, other);
        api.set_direction(mid, direction);
    }
    (api.apply(), mids)
}

fn refused(error: impl std::fmt::Display) -> RtcError {
    RtcError::invalid_sdp(error.to_string())
}
