//! An address at which one side of a connection may be reached.

use std::fmt;

use str0m::Candidate;

use crate::session_description::SdpParseError;

/// A candidate as signalling carries it: one line, and the section that it belongs to.
#[derive(Clone)]
pub struct IceCandidate {
    sdp_mid: String,
    sdp_mline_index: i32,
    line: String,
    pub(crate) parsed: Option<Candidate>,
}

impl IceCandidate {
    /// Reads `sdp`, a line that begins with `candidate:` (or `a=candidate:`).
    ///
    /// An empty line means the end of candidates. A line that is well formed and names something
    /// that cannot be reached from here, such as an mDNS name, is kept and never used.
    pub fn parse(
        sdp_mid: &str,
        sdp_mline_index: i32,
        sdp: &str,
    ) -> Result<IceCandidate, SdpParseError> {
        let line = sdp.trim().trim_start_matches("a=").to_owned();
        let parsed = Candidate::from_sdp_string(&line);
        let parsed = match parsed {
            Ok(candidate) => Some(candidate),
            Err(_) if line.is_empty() || names_a_host(&line) => None,
            Err(error) => return Err(SdpParseError { line, description: error.to_string() }),
        };
        Ok(Self { sdp_mid: sdp_mid.to_owned(), sdp_mline_index, line, parsed })
    }

    pub(crate) fn local(sdp_mid: String, candidate: &Candidate) -> Self {
        let line = candidate.to_sdp_string();
        Self { sdp_mid, sdp_mline_index: 0, line, parsed: Some(candidate.clone()) }
    }

    /// The section's identifier.
    pub fn sdp_mid(&self) -> String {
        self.sdp_mid.clone()
    }

    /// The section's place in the description, from 0.
    pub fn sdp_mline_index(&self) -> i32 {
        self.sdp_mline_index
    }

    /// The line, from `candidate:` on.
    pub fn candidate(&self) -> String {
        self.line.clone()
    }
}

/// Whether the line has the fields of a candidate, with a name where the address belongs.
fn names_a_host(line: &str) -> bool {
    let fields: Vec<&str> = line.split_whitespace().collect();
    line.starts_with("candidate:") && fields.len() >= 8 && fields[4].ends_with(".local")
}

impl fmt::Display for IceCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl fmt::Debug for IceCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceCandidate")
            .field("mid", &self.sdp_mid)
            .field("line", &self.line)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, accepted: bool) {
        assert_eq!(IceCandidate::parse("0", 0, line).is_ok(), accepted, "{line}");
    }

    #[test]
    fn only_lines_of_candidates_are_accepted() {
        check("candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host", true);
        check("a=candidate:1 1 UDP 2130706431 192.0.2.7 5000 typ host generation 0", true);
        check("candidate:1 1 udp 2130706431 abcd-ef.local 5000 typ host", true);
        check("", true);
        check("candidate:1 1 udp", false);
        check("garbage", false);
    }

    #[test]
    fn what_was_read_is_told_again() {
        let line = "candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host";
        let candidate = IceCandidate::parse("audio", 2, line).unwrap();
        assert_eq!(candidate.candidate(), line);
        assert_eq!((candidate.sdp_mid().as_str(), candidate.sdp_mline_index()), ("audio", 2));
    }
}
