//! Who calls.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use livekit::participant::{ParticipantKind, RemoteParticipant};

/// The attribute in which LiveKit's SIP service tells the caller's number.
const PHONE_NUMBER: &str = "sip.phoneNumber";

/// The participant with whom the agent talks, as it was when the call began.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    /// Unique within the room.
    pub identity: String,
    /// For people.
    pub name: String,
    /// A person, or a telephone.
    pub kind: ParticipantKind,
    /// Free text.
    pub metadata: String,
    /// `sip.phoneNumber`, `sip.callID` and others of telephones; an application's own of people.
    pub attributes: BTreeMap<String, String>,
}

impl Caller {
    /// Who a telephone's number, or else the identity, says.
    pub fn id(&self) -> Arc<str> {
        let number = self.attributes.get(PHONE_NUMBER).filter(|number| !number.is_empty());
        number.unwrap_or(&self.identity).as_str().into()
    }
}

impl From<&RemoteParticipant> for Caller {
    fn from(participant: &RemoteParticipant) -> Self {
        Self {
            identity: participant.identity().into(),
            name: participant.name(),
            kind: participant.kind(),
            metadata: participant.metadata(),
            attributes: participant.attributes().into_iter().collect(),
        }
    }
}

/// What a caller is called is the caller's own: logs get the kind.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(attributes: &[(&str, &str)]) -> Caller {
        let pairs = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Caller {
            identity: "sip_1".to_owned(),
            name: String::new(),
            kind: ParticipantKind::Sip,
            metadata: String::new(),
            attributes: pairs.collect(),
        }
    }

    #[test]
    fn a_telephone_is_known_by_its_number() {
        assert_eq!(&*caller(&[(PHONE_NUMBER, "+441632960001")]).id(), "+441632960001");
        assert_eq!(&*caller(&[(PHONE_NUMBER, "")]).id(), "sip_1");
        assert_eq!(&*caller(&[]).id(), "sip_1");
    }

    #[test]
    fn a_log_does_not_say_who_calls() {
        let text = format!("{:?}", caller(&[(PHONE_NUMBER, "+441632960001")]));
        assert!(!text.contains("+44") && !text.contains("sip_1"), "{text}");
    }
}
