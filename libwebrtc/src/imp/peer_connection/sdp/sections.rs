//! The sections of a description that str0m has accepted: what it does not tell of them.

/// What a section carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum SectionKind {
    Audio,
    Video,
    /// Data channels.
    Application,
    Other,
}

/// One section.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Section {
    pub(in super::super) kind: SectionKind,
    pub(in super::super) mid: String,
    /// Whether its author sends in it.
    pub(in super::super) sends: bool,
    /// The streams that its author sends the track in.
    pub(in super::super) streams: Vec<String>,
    /// The track's name, where one is given.
    pub(in super::super) track: Option<String>,
    /// How its author wants to receive Opus.
    pub(in super::super) opus: Option<Opus>,
}

/// Opus in a section, as RFC 7587 has it (section 7), with the defaults from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Opus {
    pub(in super::super) payload_type: u8,
    pub(in super::super) stereo: bool,
    pub(in super::super) dtx: bool,
    /// The most bits per second.
    pub(in super::super) highest_bps: Option<u32>,
    /// Whether packets that were lost may be asked for again (RFC 4585, section 6.2.1).
    pub(in super::super) nack: bool,
    /// Its packets may come with those before them.
    pub(in super::super) red: Option<Red>,
}

/// Redundant audio data (RFC 2198).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Red {
    pub(in super::super) payload_type: u8,
    /// Whether that is what the section's author wants most.
    pub(in super::super) is_favourite: bool,
}

impl Opus {
    /// The type of packets that carry those before them, where the section's author wants that
    /// most.
    pub(in super::super) fn wanted_red(&self) -> Option<u8> {
        self.red.filter(|red| red.is_favourite).map(|red| red.payload_type)
    }

    /// Whether packets of that type are Opus, alone or with those before.
    pub(in super::super) fn carries(&self, payload_type: u8) -> bool {
        self.payload_type == payload_type
            || self.red.is_some_and(|red| red.payload_type == payload_type)
    }
}

/// What the lines of a section say of redundant audio data, which may stand before Opus'.
#[derive(Default)]
struct Formats {
    favourite: Option<u8>,
    red: Option<u8>,
}

impl Formats {
    fn read(&mut self, line: &str) {
        let map = line.strip_prefix("a=rtpmap:").and_then(|map| map.split_once(' '));
        if let Some((payload_type, codec)) = map
            && codec.eq_ignore_ascii_case("red/48000/2")
        {
            self.red = self.red.or(payload_type.parse().ok());
        } else if let Some(media) = line.strip_prefix("m=") {
            // `audio 9 UDP/TLS/RTP/SAVPF 63 111`
            self.favourite = media.split(' ').nth(3).and_then(|format| format.parse().ok());
        }
    }

    fn red(&self) -> Option<Red> {
        let is_favourite = self.favourite == self.red;
        self.red.map(|payload_type| Red { payload_type, is_favourite })
    }
}

/// The sections of `text`, in its order.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<(Section, Formats)> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if let Some(media) = line.strip_prefix("m=") {
            sections.push((begin(media), Formats::default()));
        }
        if let Some((section, formats)) = sections.last_mut() {
            formats.read(line);
            read(section, line);
        }
    }
    let whole = |(mut section, formats): (Section, Formats)| {
        if let Some(opus) = &mut section.opus {
            opus.red = formats.red();
        }
        section
    };
    sections.into_iter().map(whole).collect()
}

fn begin(media: &str) -> Section {
    let kind = match media.split(' ').next() {
        Some("audio") => SectionKind::Audio,
        Some("video") => SectionKind::Video,
        Some("application") => SectionKind::Application,
        _ => SectionKind::Other,
    };
    // Without a line that says otherwise, media flows both ways (RFC 8866, section 6.7).
    let (mid, streams) = (String::new(), Vec::new());
    Section { kind, mid, sends: true, streams, track: None, opus: None }
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
            } else if let Some(map) = line.strip_prefix("a=rtpmap:") {
                read_codec(section, map);
            } else if let Some(opus) = &mut section.opus {
                read_opus(opus, line);
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

/// `111 opus/48000/2`. The first Opus of a section is its author's favourite.
fn read_codec(section: &mut Section, map: &str) {
    let Some((payload_type, codec)) = map.split_once(' ') else { return };
    let is_opus = codec.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("opus/"));
    if !is_opus || section.opus.is_some() {
        return;
    }
    section.opus = payload_type.parse().ok().map(|payload_type| Opus {
        payload_type,
        stereo: false,
        dtx: false,
        highest_bps: None,
        nack: false,
        red: None,
    });
}

/// What follows a codec's first line.
fn read_opus(opus: &mut Opus, line: &str) {
    let own = |prefix: &str| {
        let (payload_type, rest) = line.strip_prefix(prefix)?.split_once(' ')?;
        (payload_type.parse() == Ok(opus.payload_type)).then_some(rest)
    };
    if own("a=rtcp-fb:") == Some("nack") {
        opus.nack = true;
    }
    let Some(parameters) = own("a=fmtp:") else { return };
    for parameter in parameters.split(';') {
        match parameter.trim().split_once('=') {
            Some(("stereo", value)) => opus.stereo = value == "1",
            Some(("usedtx", value)) => opus.dtx = value == "1",
            Some(("maxaveragebitrate", value)) => opus.highest_bps = value.parse().ok(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[Section]) {
        assert_eq!(sections(text), expected);
    }

    fn section(kind: SectionKind, mid: &str, sends: bool) -> Section {
        let (streams, mid) = (Vec::new(), mid.to_owned());
        Section { kind, mid, sends, streams, track: None, opus: None }
    }

    #[test]
    fn opus_is_read_with_its_parameters() {
        let text = "m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\na=mid:0\r\na=rtpmap:63 red/48000/2\r\n\
            a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 nack\r\na=fmtp:63 stereo=0\r\n\
            a=fmtp:111 minptime=10;useinbandfec=1; stereo=1;maxaveragebitrate=64000;usedtx=1\r\n";
        let opus = Opus {
            payload_type: 111,
            stereo: true,
            dtx: true,
            highest_bps: Some(64_000),
            nack: true,
            red: Some(Red { payload_type: 63, is_favourite: true }),
        };
        check(text, &[Section { opus: Some(opus), ..section(SectionKind::Audio, "0", true) }]);
    }

    #[test]
    fn parameters_that_are_none_are_passed_over() {
        let text = "m=audio 9 x 96\na=mid:0\na=rtpmap:96 OPUS/48000/2\na=rtpmap:x opus/48000\n\
            a=fmtp:96 stereo;maxaveragebitrate=-1;=;\na=fmtp:97 stereo=1\na=rtcp-fb:96 nack pli\n";
        let opus = Opus {
            payload_type: 96,
            stereo: false,
            dtx: false,
            highest_bps: None,
            nack: false,
            red: None,
        };
        check(text, &[Section { opus: Some(opus), ..section(SectionKind::Audio, "0", true) }]);
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
