//! Virtual time: tokio's clock stands still until all wait.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tokio::time::{Instant, advance};

use super::super::audio::packet;
use super::*;

const RATE_HZ: u32 = 16_000;

/// 10 ms of mono.
const FRAME_LEN: usize = 160;

const ENCODING: Encoding = Encoding { channels: 1, bitrate_bps: 32_000, dtx: false };

fn feed(queue_ms: u64) -> Arc<Feed> {
    Feed::new(RATE_HZ, 1, Duration::from_millis(queue_ms))
}

fn sound(frames: usize) -> Vec<i16> {
    (0..frames * FRAME_LEN).map(|k| if k / 20 % 2 == 0 { 5_000 } else { -5_000 }).collect()
}

/// Polls once, as nobody who waits.
fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn attach(feed: &Arc<Feed>) -> (Outlet, Arc<Notify>) {
    let driver = Arc::new(Notify::new());
    (feed.attach(ENCODING, None, driver.clone()).unwrap(), driver)
}

/// What a connection's task does until `end`; gives the packets.
async fn drive(outlet: &Outlet, driver: &Notify, end: Instant) -> Vec<Packet> {
    let mut packets = Vec::new();
    while Instant::now() < end {
        while let Some(packet) = outlet.poll(now(), false) {
            packets.push(packet);
        }
        let wakes_at = outlet.wakes_at(now()).map_or(end, |at| end.min(at.into()));
        tokio::select! {
            biased;
            () = driver.notified() => {}
            () = sleep_until(wakes_at) => {}
        }
    }
    packets
}

#[tokio::test(start_paused = true)]
async fn without_a_sender_sound_is_gone_at_the_pace_of_the_clock() {
    let began = Instant::now();
    feed(500).capture(&sound(200)).await;
    let took = began.elapsed();
    assert!((1_490..=1_510).contains(&took.as_millis()), "2 s less the queue: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_queue_nobody_waits() {
    let began = Instant::now();
    feed(0).capture(&sound(200)).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_sender_takes_as_much_as_its_queue_has_room_for() {
    let feed = feed(100);
    let (outlet, driver) = attach(&feed);
    let end = Instant::now() + Duration::from_secs(1);
    let samples = sound(100);
    let capture = async {
        feed.capture(&samples).await;
        Instant::now()
    };
    let (packets, taken_at) = tokio::join!(drive(&outlet, &driver, end), capture);
    assert_eq!(packets.len(), 50, "one each 20 ms");
    assert!(packets.iter().all(|it| packet::samples(&it.payload) == Some(960)));
    let ahead = end - taken_at;
    assert!((80..=120).contains(&ahead.as_millis()), "{ahead:?}");
}

#[tokio::test(start_paused = true)]
async fn frames_of_any_length_are_joined() {
    let feed = feed(1_000);
    let (outlet, driver) = attach(&feed);
    for piece in sound(10).chunks(77) {
        feed.capture(piece).await;
    }
    let end = Instant::now() + Duration::from_millis(90);
    assert_eq!(drive(&outlet, &driver, end).await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn clearing_lets_go_of_what_waits_and_of_who_waits() {
    let feed = feed(100);
    let (outlet, _driver) = attach(&feed);
    let samples = sound(100);
    {
        let mut capture = pin!(feed.capture(&samples));
        assert!(poll(capture.as_mut()).is_pending());
        feed.clear();
        assert!(poll(capture.as_mut()).is_ready());
    }
    assert!(outlet.poll(now(), false).is_none());
    let mut next = pin!(feed.capture(&samples[..FRAME_LEN]));
    assert!(poll(next.as_mut()).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_goes_leaves_nothing_and_holds_nobody_up() {
    let feed = feed(100);
    let (outlet, _driver) = attach(&feed);
    let samples = sound(20);
    let sink = Arc::downgrade(&outlet.sink);
    {
        let mut capture = pin!(feed.capture(&samples));
        assert!(poll(capture.as_mut()).is_pending());
        drop(outlet);
        assert!(sink.upgrade().is_none());
        capture.await;
    }
    let (outlet, driver) = attach(&feed);
    feed.capture(&sound(4)).await;
    let end = Instant::now() + Duration::from_millis(30);
    assert_eq!(drive(&outlet, &driver, end).await.len(), 2, "another one goes on");
}

#[tokio::test(start_paused = true)]
async fn all_senders_have_all_of_it_and_muting_one_is_its_own() {
    let feed = feed(0);
    let (first, second) = (attach(&feed), attach(&feed));
    let mut levels = [Vec::new(), Vec::new()];
    for _ in 0..10 {
        feed.capture(&sound(2)).await;
        for (levels, (outlet, _)) in levels.iter_mut().zip([&first, &second]) {
            let muted = std::ptr::eq(outlet, &second.0);
            levels.extend(outlet.poll(now(), muted).map(|it| it.level_dbov));
        }
        advance(Duration::from_millis(20)).await;
    }
    assert_eq!(levels[0].len(), 10);
    assert!(levels[0].iter().all(|&level| level < 20), "{levels:?}");
    assert_eq!(levels[1], [127; 10]);
}

#[tokio::test(start_paused = true)]
async fn both_channels_become_one_where_one_is_wanted() {
    let feed = Feed::new(RATE_HZ, 2, Duration::ZERO);
    let (outlet, _driver) = attach(&feed);
    let opposite: Vec<i16> = [9_000, -9_000].repeat(2 * FRAME_LEN);
    feed.capture(&opposite).await;
    assert_eq!(outlet.poll(now(), false).unwrap().level_dbov, 127);
}

#[tokio::test(start_paused = true)]
async fn a_feed_of_no_rate_is_refused_by_its_sender() {
    for (rate, channels) in [(0, 1), (48_000, 0), (44_101, 1), (48_000, 3)] {
        let feed = Feed::new(rate, channels, Duration::from_millis(100));
        let refused = feed.attach(Encoding { channels: 8, ..ENCODING }, None, Arc::default());
        assert!(refused.is_err(), "{rate} {channels}");
        feed.capture(&[0; 64]).await;
    }
}

/// A source refuses such a queue.
#[tokio::test(start_paused = true)]
async fn a_queue_longer_than_the_limit_is_cut() {
    let longer = source::QUEUE_LIMIT + Duration::from_secs(50);
    let feed = Feed::new(RATE_HZ, 1, longer);
    let (outlet, _) = attach(&feed);
    let frames = (longer.as_millis() / 10) as usize;
    let sound = sound(frames);
    let mut capture = pin!(feed.capture(&sound));
    assert!(poll(capture.as_mut()).is_pending());
    assert!(!outlet.sink.has_room());
}
