//! The sections of a description that str0m has accepted: what it does not tell of them.

/// What a section carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SectionKind {
    Audio,
    Video,
    /// Data channels.
    Application,
    Other,
}

/// One section.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) kind: SectionKind,
    pub(super) mid: String,
    /// Whether its author sends in it.
    pub(super) sends: bool,
    /// The streams that its author sends the track in.
    pub(super) streams: Vec<String>,
    /// The track's name, where one is given.
    pub(super) track: Option<String>,
}

/// The sections of `text`, in its order.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if let Some(media) = line.strip_prefix("m=") {
            sections.push(begin(media));
        } else if let Some(section) = sections.last_mut() {
            read(section, line);
        }
    }
    sections
}

fn begin(media: &str) -> Section {
    let kind = match media.split(' ').next() {
        Some("audio") => SectionKind::Audio,
        Some("video") => SectionKind::Video,
        Some("application") => SectionKind::Application,
        _ => SectionKind::Other,
    };
    // Without a line that says otherwise, media flows both ways (RFC 8866, section 6.7).
    Section { kind, mid: String::new(), sends: true, streams: Vec::new(), track: None }
}

fn read(section: &mut Section, line: &str) {
    match line {
        "a=sendrecv" | "a=sendonly" => section.sends = true,
        "a=recvonly" | "a=inactive" => section.sends = false,
        _ => {
            if let Some(mid) = line.strip_prefix("a=mid:") {
                section.mid = mid.to_owned();
            } else if let Some(msid) = line.strip_prefix("a=msid:") {
                read_msid(section, msid);
            }
        }
    }
}

/// `stream track` (RFC 8830, section 2); the stream `-` is none.
fn read_msid(section: &mut Section, msid: &str) {
    let mut words = msid.split_whitespace();
    let stream = words.next().filter(|stream| *stream != "-").map(str::to_owned);
    section.streams.extend(stream.filter(|stream| !section.streams.contains(stream)));
    if let Some(track) = words.next() {
        section.track = Some(track.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[Section]) {
        assert_eq!(sections(text), expected);
    }

    fn section(kind: SectionKind, mid: &str, sends: bool) -> Section {
        Section { kind, mid: mid.to_owned(), sends, streams: Vec::new(), track: None }
    }

    #[test]
    fn a_direction_belongs_to_its_section() {
        let text = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n\
            m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendonly\r\n";
        let application = section(SectionKind::Application, "d", true);
        let audio = section(SectionKind::Audio, "0", false);
        check(text, &[application, audio, section(SectionKind::Video, "1", true)]);
    }

    #[test]
    fn streams_are_told_once_and_a_dash_is_none() {
        let text = "m=audio 9 x 111\na=mid:0\na=msid:PA_1|TR_2 TR_2\na=msid:PA_1|TR_2 TR_2\n\
            m=audio 9 x 111\na=mid:1\na=msid:- t\n";
        let named = Section {
            streams: vec!["PA_1|TR_2".to_owned()],
            track: Some("TR_2".to_owned()),
            ..section(SectionKind::Audio, "0", true)
        };
        let unnamed =
            Section { track: Some("t".to_owned()), ..section(SectionKind::Audio, "1", true) };
        check(text, &[named, unnamed]);
    }

    #[test]
    fn garbage_has_no_sections() {
        check("", &[]);
        check("a=mid:0\nhello\n", &[]);
    }
}
