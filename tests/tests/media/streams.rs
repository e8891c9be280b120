//! Text and byte streams between the two stacks, of one byte to 5 MB.

use std::sync::Arc;
use std::sync::Mutex;

use livekit::data_stream::api::*;
use livekit::prelude::*;
use voicegraph_tests::livekit::{Guest, within};
use voicegraph_tests::sdk_peer::{Event, SdkPeer, Stream};

use crate::content;
use crate::stage::{Stage, against_both};

/// In bytes.
const SIZES: [usize; 4] = [1, 1_000, 100_000, 5_000_000];

const TOPIC: &str = "letters";

against_both!(byte_streams_go_both_ways, text_streams_go_both_ways);

async fn byte_streams_go_both_ways(mut stage: Stage) {
    stage.bob.listen(TOPIC).await;
    for size in SIZES {
        let sent = content::bytes(size as u64, size);
        let (progress, told) = noted();
        let options = SendByteOptions::new_with_topic(TOPIC).with_on_progress(progress);
        let ada = stage.ada.room.local_participant();
        let sending = ada.send_bytes(&sent, options);
        let (done, read) = tokio::join!(within("sending", sending), stream(&stage.bob));
        done.unwrap();
        check(&read, &sent);
        assert_eq!(told.lock().unwrap().last(), Some(&size), "progress ends at the end");
    }
    for size in SIZES {
        let sent = content::bytes(size as u64, size);
        tokio::join!(stage.bob.send_bytes(TOPIC, &sent), bytes_come(&mut stage.ada, &sent));
    }
}

async fn text_streams_go_both_ways(mut stage: Stage) {
    stage.bob.listen(TOPIC).await;
    for size in SIZES {
        let sent = content::text(size as u64, size);
        let options = SendTextOptions::new_with_topic(TOPIC);
        let ada = stage.ada.room.local_participant();
        let sending = ada.send_text(&sent, options);
        let (done, read) = tokio::join!(within("sending", sending), stream(&stage.bob));
        done.unwrap();
        check(&read, sent.as_bytes());
    }
    for size in SIZES {
        let sent = content::text(size as u64, size);
        tokio::join!(stage.bob.send_text(TOPIC, &sent), text_comes(&mut stage.ada, &sent));
    }
}

/// A function for progress, and what it was told.
fn noted() -> (impl Fn(StreamProgress) + Send + Sync + 'static, Arc<Mutex<Vec<usize>>>) {
    let told: Arc<Mutex<Vec<usize>>> = Arc::default();
    let noted = told.clone();
    let note = move |it: StreamProgress| noted.lock().unwrap().push(it.bytes_processed() as usize);
    (note, told)
}

/// The next stream that bob has read.
async fn stream(bob: &SdkPeer) -> Stream {
    let pick = |event| match event {
        Event::Text(stream) | Event::Bytes(stream) => Some(stream),
        _ => None,
    };
    bob.event("a stream", pick).await
}

fn check(read: &Stream, sent: &[u8]) {
    let whole = (read.from.as_str(), read.topic.as_str(), read.announced, read.size);
    assert_eq!(whole, ("ada", TOPIC, sent.len(), sent.len()));
    assert_eq!(read.sha256, content::sha256(sent));
}

async fn bytes_come(ada: &mut Guest, sent: &[u8]) {
    let opened = |event| match event {
        RoomEvent::ByteStreamOpened { reader, topic, .. } if topic == TOPIC => reader.take(),
        _ => None,
    };
    let reader = ada.event("a stream", opened).await;
    assert_eq!(reader.info().total_length, Some(sent.len() as u64));
    let read = within("its end", reader.read_all()).await.unwrap();
    assert!(read == sent, "{} bytes of other content", read.len());
}

async fn text_comes(ada: &mut Guest, sent: &str) {
    let opened = |event| match event {
        RoomEvent::TextStreamOpened { reader, topic, .. } if topic == TOPIC => reader.take(),
        _ => None,
    };
    let reader = ada.event("a stream", opened).await;
    let read = within("its end", reader.read_all()).await.unwrap();
    assert!(read == sent, "{} bytes of other content", read.len());
}
