//! Two connections of ours, over real sockets: descriptions, channels, restart, end.

mod support;

use libwebrtc::data_channel::{DataChannelInit, DataChannelState};
use libwebrtc::peer_connection::{OfferOptions, PeerConnectionState, SignalingState};
use libwebrtc::prelude::*;
use libwebrtc::stats::RtcStats;
use support::{Listener, Peer, connect, negotiate, within};

fn negotiated(id: i32, lossy: bool) -> DataChannelInit {
    let max_retransmits = lossy.then_some(0);
    DataChannelInit { ordered: !lossy, max_retransmits, negotiated: true, id, ..Default::default() }
}

fn recvonly() -> RtpTransceiverInit {
    RtpTransceiverInit {
        direction: RtpTransceiverDirection::RecvOnly,
        stream_ids: Vec::new(),
        send_encodings: Vec::new(),
    }
}

#[tokio::test]
async fn messages_flow_both_ways_in_the_order_they_were_sent() {
    let (a, b) = (Peer::new(), Peer::new());
    let ours = Listener::new(a.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    let theirs =
        Listener::new(b.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    connect(&a, &b).await;
    ours.opened().await;
    theirs.opened().await;
    for number in 0..100u32 {
        ours.channel.send(&number.to_be_bytes(), true).unwrap();
        theirs.channel.send(format!("{number}").as_bytes(), false).unwrap();
    }
    for number in 0..100u32 {
        assert_eq!(theirs.message().await, (number.to_be_bytes().to_vec(), true));
        assert_eq!(ours.message().await, (number.to_string().into_bytes(), false));
    }
}

#[tokio::test]
async fn a_channel_opened_in_band_is_told_before_its_first_message() {
    let (a, mut b) = (Peer::new(), Peer::new());
    let init = DataChannelInit { protocol: "p".to_owned(), ..Default::default() };
    let ours = Listener::new(a.connection.create_data_channel("_reliable", init).unwrap());
    connect(&a, &b).await;
    ours.opened().await;
    ours.channel.send(b"first", true).unwrap();
    let theirs = Listener::new(b.data_channel().await);
    assert_eq!(theirs.channel.label(), "_reliable");
    assert_eq!(theirs.message().await, (b"first".to_vec(), true));
    assert_eq!(theirs.channel.id(), ours.channel.id());
}

#[tokio::test]
async fn lossy_messages_arrive_on_a_clean_network() {
    let (a, b) = (Peer::new(), Peer::new());
    let ours = Listener::new(a.connection.create_data_channel("l", negotiated(1, true)).unwrap());
    let theirs = Listener::new(b.connection.create_data_channel("l", negotiated(1, true)).unwrap());
    connect(&a, &b).await;
    ours.opened().await;
    theirs.opened().await;
    ours.channel.send(&[7; 900], true).unwrap();
    assert_eq!(theirs.message().await, (vec![7; 900], true));
}

#[tokio::test]
async fn each_byte_that_was_sent_is_reported_once() {
    const MESSAGES: usize = 200;
    const LENGTH: usize = 10_000;
    let (a, b) = (Peer::new(), Peer::new());
    let ours = Listener::new(a.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    let theirs =
        Listener::new(b.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    connect(&a, &b).await;
    ours.opened().await;
    theirs.opened().await;
    for _ in 0..MESSAGES {
        ours.channel.send(&[1; LENGTH], true).unwrap();
    }
    for _ in 0..MESSAGES {
        assert_eq!(theirs.message().await.0.len(), LENGTH);
    }
    let mut reported = 0;
    while reported < (MESSAGES * LENGTH) as u64 {
        reported += ours.sent().await;
    }
    assert_eq!(reported, (MESSAGES * LENGTH) as u64);
    assert_eq!(ours.channel.buffered_amount(), 0);
}

#[tokio::test]
async fn a_full_buffer_refuses_and_takes_again() {
    let (a, b) = (Peer::new(), Peer::new());
    let ours = Listener::new(a.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    let theirs =
        Listener::new(b.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    connect(&a, &b).await;
    ours.opened().await;
    theirs.opened().await;
    let message = [1; 60_000];
    // Nothing else runs between two sends, so that nothing leaves the buffer.
    let taken = (0..1000).take_while(|_| ours.channel.send(&message, true).is_ok()).count();
    assert!((200..300).contains(&taken), "16 MiB is {taken} messages");
    theirs.message().await;
    ours.sent().await;
    within("room in the buffer", async {
        while ours.channel.send(&message, true).is_err() {
            ours.sent().await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_offer_that_is_dropped_changes_nothing() {
    let (a, b) = (Peer::new(), Peer::new());
    let ours = Listener::new(a.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    let theirs =
        Listener::new(b.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    a.connection.add_transceiver_for_media(MediaType::Audio, recvonly()).unwrap();
    for _ in 0..3 {
        let offer = a.connection.create_offer(OfferOptions::default()).await.unwrap();
        assert!(offer.to_string().contains("m=application"));
        assert_eq!(a.connection.signaling_state(), SignalingState::Stable);
        assert_eq!(a.connection.transceivers()[0].mid(), None);
    }
    connect(&a, &b).await;
    ours.opened().await;
    theirs.opened().await;
    assert!(a.connection.transceivers()[0].mid().is_some());
}

#[tokio::test]
async fn channels_made_by_number_can_be_made_anew_in_band_before_the_answer() {
    let (a, mut b) = (Peer::new(), Peer::new());
    let first = a.connection.create_data_channel("_reliable", negotiated(0, false)).unwrap();
    let offer = a.connection.create_offer(OfferOptions::default()).await.unwrap();
    first.close();
    assert_eq!(first.state(), DataChannelState::Closed);
    let init = DataChannelInit::default();
    let second = Listener::new(a.connection.create_data_channel("_reliable", init).unwrap());
    support::answer(&a, &b, offer).await;
    support::connected(&a, &b).await;
    second.opened().await;
    let theirs = Listener::new(b.data_channel().await);
    second.channel.send(b"hello", true).unwrap();
    assert_eq!(theirs.message().await.0, b"hello");
}

#[tokio::test]
async fn a_stream_has_one_channel() {
    let a = Peer::new();
    a.connection.create_data_channel("x", negotiated(0, false)).unwrap();
    assert!(a.connection.create_data_channel("y", negotiated(0, false)).is_err());
    assert!(a.connection.create_data_channel("z", negotiated(-1, false)).is_err());
    assert!(a.connection.create_data_channel("z", negotiated(65_535, false)).is_err());
}

#[tokio::test]
async fn sections_are_agreed_on_and_tracks_told() {
    let (a, mut b) = (Peer::new(), Peer::new());
    for media in [MediaType::Audio, MediaType::Video] {
        a.connection.add_transceiver_for_media(media, recvonly()).unwrap();
    }
    let track = support::audio_track("TR_cid");
    let init = RtpTransceiverInit {
        direction: RtpTransceiverDirection::SendOnly,
        stream_ids: vec!["PA_1|TR_2".to_owned()],
        send_encodings: Vec::new(),
    };
    let sending = a.connection.add_transceiver(track.into(), init).unwrap();
    connect(&a, &b).await;
    assert_eq!(sending.current_direction(), Some(RtpTransceiverDirection::SendOnly));
    let event = b.track().await;
    assert_eq!(event.streams[0].id(), "PA_1|TR_2");
    assert_eq!(event.track.id(), "TR_cid");
    assert_eq!(event.transceiver.mid(), sending.mid());
    assert_eq!(event.receiver.streams().len(), 1);

    a.connection.remove_track(sending.sender()).unwrap();
    negotiate(&a, &b, OfferOptions::default()).await;
    assert_eq!(sending.current_direction(), Some(RtpTransceiverDirection::Inactive));
    assert!(event.receiver.streams().is_empty());
    assert_eq!(event.track.state(), RtcTrackState::Ended);
}

#[tokio::test]
async fn an_offer_without_changes_is_answered() {
    let (a, b) = (Peer::new(), Peer::new());
    a.connection.create_data_channel("x", negotiated(0, false)).unwrap();
    connect(&a, &b).await;
    negotiate(&a, &b, OfferOptions::default()).await;
    a.connection.add_transceiver_for_media(MediaType::Audio, recvonly()).unwrap();
    negotiate(&a, &b, OfferOptions::default()).await;
    negotiate(&a, &b, OfferOptions::default()).await;
    assert_eq!(a.connection.connection_state(), PeerConnectionState::Connected);
}

#[tokio::test]
async fn messages_flow_after_a_restart_of_ice() {
    let (a, b) = (Peer::new(), Peer::new());
    let ours = Listener::new(a.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    let theirs =
        Listener::new(b.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    connect(&a, &b).await;
    ours.opened().await;
    theirs.opened().await;
    negotiate(&a, &b, OfferOptions { ice_restart: true }).await;
    support::connected(&a, &b).await;
    ours.channel.send(b"again", true).unwrap();
    assert_eq!(theirs.message().await.0, b"again");
}

#[tokio::test]
async fn an_offer_is_taken_back_by_the_last_answer() {
    let (a, b) = (Peer::new(), Peer::new());
    a.connection.create_data_channel("x", negotiated(0, false)).unwrap();
    connect(&a, &b).await;
    let transceiver = a.connection.add_transceiver_for_media(MediaType::Audio, recvonly()).unwrap();
    let offer = a.connection.create_offer(OfferOptions::default()).await.unwrap();
    a.connection.set_local_description(offer).await.unwrap();
    let last = a.connection.current_remote_description().unwrap();
    a.connection.set_remote_description(last).await.unwrap();
    assert_eq!(a.connection.signaling_state(), SignalingState::Stable);
    assert_eq!(transceiver.mid(), None);
    negotiate(&a, &b, OfferOptions { ice_restart: true }).await;
    support::connected(&a, &b).await;
    assert!(transceiver.mid().is_some());
}

#[tokio::test]
async fn edited_descriptions_are_taken() {
    let (a, b) = (Peer::new(), Peer::new());
    a.connection.add_transceiver_for_media(MediaType::Audio, recvonly()).unwrap();
    let offer = a.connection.create_offer(OfferOptions::default()).await.unwrap();
    let text = offer.to_string().replace("useinbandfec=1", "useinbandfec=1;stereo=1");
    assert!(text.contains("stereo=1"), "{text}");
    let offer = SessionDescription::parse(&text, SdpType::Offer).unwrap();
    support::answer(&a, &b, offer).await;
    support::connected(&a, &b).await;
}

#[tokio::test]
async fn closing_is_heard_by_the_peer_and_leaves_nothing() {
    let (a, mut b) = (Peer::new(), Peer::new());
    let ours =
        Listener::new(a.connection.create_data_channel("x", DataChannelInit::default()).unwrap());
    connect(&a, &b).await;
    ours.opened().await;
    let theirs = Listener::new(b.data_channel().await);
    let shared = ours.marker();
    a.connection.close();
    assert_eq!(a.connection.connection_state(), PeerConnectionState::Closed);
    assert_eq!(ours.channel.state(), DataChannelState::Closed);
    assert!(ours.channel.send(b"late", true).is_err());
    assert!(a.connection.create_data_channel("y", DataChannelInit::default()).is_err());
    within("the end at the peer", async {
        while b.connection.connection_state() == PeerConnectionState::Connected {
            b.state().await;
        }
    })
    .await;
    drop(theirs);
    // The task lets go of the user's functions, and of what they hold.
    within("the functions' end", async {
        while shared.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_is_dropped_ends_its_task() {
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (a, b) = (Peer::new(), Peer::new());
    let ours = a.connection.create_data_channel("x", DataChannelInit::default()).unwrap();
    connect(&a, &b).await;
    drop((a, b));
    within("the tasks' end", async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(ours.state(), DataChannelState::Closed);
}

#[tokio::test]
async fn figures_tell_what_was_sent() {
    let (a, b) = (Peer::new(), Peer::new());
    let ours = Listener::new(a.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    let theirs =
        Listener::new(b.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    connect(&a, &b).await;
    ours.opened().await;
    theirs.opened().await;
    ours.channel.send(&[0; 1000], true).unwrap();
    theirs.message().await;
    let stats = b.connection.get_stats().await.unwrap();
    let channel = stats.iter().find_map(|report| match report {
        RtcStats::DataChannel(report) => Some(report),
        _ => None,
    });
    let channel = channel.expect("there is a channel");
    assert_eq!((channel.messages_received, channel.bytes_received), (1, 1000));
    let has_pair = stats.iter().any(|report| matches!(report, RtcStats::CandidatePair(_)));
    assert!(has_pair);
}

#[tokio::test]
async fn garbage_at_the_port_is_passed_over() {
    let (a, b) = (Peer::new(), Peer::new());
    let ours = Listener::new(a.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    let theirs =
        Listener::new(b.connection.create_data_channel("x", negotiated(0, false)).unwrap());
    connect(&a, &b).await;
    ours.opened().await;
    theirs.opened().await;
    let stranger = tokio::net::UdpSocket::bind("0.0.0.0:0").await.unwrap();
    for address in b.addresses() {
        for first in 0..=255u8 {
            for length in [1, 13, 64] {
                stranger.send_to(&vec![first; length], address).await.unwrap();
            }
        }
    }
    ours.channel.send(b"still here", true).unwrap();
    assert_eq!(theirs.message().await.0, b"still here");
}
