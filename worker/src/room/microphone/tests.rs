use std::sync::Mutex;

use futures_util::stream::unfold;
use tokio::time::sleep;

use super::*;

const LOUD: i16 = 9_000;

struct Graph {
    frames: mpsc::Receiver<Frame>,
    /// Kept open, though nobody has a microphone.
    _tracks: watch::Sender<Option<Track>>,
    _recordings: mpsc::Sender<Recording>,
}

fn microphone(track: Option<Track>) -> (Microphone, Graph) {
    let (_tracks, tracks) = watch::channel(track);
    let (_recordings, recordings) = mpsc::channel(1);
    let (graph, frames) = mpsc::channel(HANDED_OVER);
    let limit = Duration::from_secs(3);
    let microphone = Microphone::new(tracks, recordings, graph, limit);
    (microphone, Graph { frames, _tracks, _recordings })
}

fn without_track() -> (Microphone, Graph) {
    microphone(None)
}

/// Sound that the test gives piece by piece.
#[derive(Debug)]
struct Tape(Mutex<Option<mpsc::Receiver<Vec<i16>>>>);

impl Sound for Tape {
    fn listen(&self) -> BoxStream<'static, Vec<i16>> {
        let pieces = self.0.lock().unwrap().take().expect("one listens");
        unfold(pieces, |mut pieces| async { Some((pieces.recv().await?, pieces)) }).boxed()
    }
}

/// A microphone with a track, and what is said into it.
fn with_track() -> (Microphone, Graph, mpsc::Sender<Vec<i16>>) {
    let (voice, pieces) = mpsc::channel(STREAM_FRAMES);
    let sound = Arc::new(Tape(Mutex::new(Some(pieces))));
    let track = Track { sid: "TR_1".to_owned(), sound, recorded: false };
    let (microphone, graph) = microphone(Some(track));
    (microphone, graph, voice)
}

/// What the graph hears while `speaking` goes on, and 5 ms longer: how loud each frame is, and when
/// it was captured.
async fn heard(
    microphone: &mut Microphone,
    graph: &mut Graph,
    speaking: impl Future<Output = ()>,
) -> Vec<(i16, Duration)> {
    let start = Instant::now();
    let mut heard = Vec::new();
    let hearing = async {
        while let Some((frame, at)) = graph.frames.recv().await {
            heard.push((frame.samples()[0], at - start));
        }
    };
    let speaking = async {
        speaking.await;
        sleep(Duration::from_millis(5)).await;
    };
    tokio::select! {
        biased;
        () = hearing => unreachable!("the microphone has the sender"),
        () = microphone.read() => panic!("it ended"),
        () = speaking => {}
    }
    heard
}

/// Speaks for so long, in pieces of 10 ms.
async fn speak(voice: &mpsc::Sender<Vec<i16>>, ms: u64) {
    for _ in 0..ms / 10 {
        voice.try_send(vec![LOUD; FRAME_SAMPLES / 2]).expect("it is read");
        pause(10).await;
    }
}

async fn pause(ms: u64) {
    sleep(Duration::from_millis(ms)).await;
}

/// So many frames, the first captured at `from_ms`, and 20 ms between any two; a little more, while
/// the clock follows the track's.
#[track_caller]
fn assert_without_gap(heard: &[(i16, Duration)], from_ms: u128, count: usize) {
    assert_eq!((heard[0].1.as_millis(), heard.len()), (from_ms, count));
    let steps = heard.windows(2).map(|pair| pair[1].1 - pair[0].1);
    let is_one = |step: Duration| (20_000..=20_200).contains(&step.as_micros());
    let others: Vec<Duration> = steps.filter(|step| !is_one(*step)).collect();
    assert!(others.is_empty(), "{others:?}");
}

fn loud(heard: &[(i16, Duration)]) -> usize {
    heard.iter().filter(|(level, _)| *level == LOUD).count()
}

#[tokio::test(start_paused = true)]
async fn without_a_track_silence_keeps_the_clock_going() {
    let (mut microphone, mut graph) = without_track();
    let start = Instant::now();
    let hearing = async {
        for number in 0..50 {
            let (frame, at) = graph.frames.recv().await.expect("it goes on");
            assert!(frame.samples().iter().all(|&sample| sample == 0));
            assert_eq!(at - start, AudioFrame::LENGTH * number);
        }
    };
    tokio::select! {
        biased;
        () = hearing => {}
        () = microphone.read() => panic!("it ended"),
    }
    assert_eq!(start.elapsed().as_millis(), 49 * 20);
}

#[tokio::test(start_paused = true)]
async fn what_the_graph_does_not_take_is_dropped_and_counted() {
    let (mut microphone, mut graph) = without_track();
    let waited = AudioFrame::LENGTH * (LONGEST_BACKLOG as u32 + 10);
    let _ = tokio::time::timeout(waited, microphone.read()).await;
    let counted = microphone.dropped();
    assert!((7..=10).contains(&counted), "{counted} dropped");
    assert!(graph.frames.recv().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_recording_comes_first_and_was_captured_before() {
    let (mut microphone, mut graph) = without_track();
    microphone.asked = Some("TR_1".to_owned());
    microphone.awaited = Some(Instant::now() + Duration::from_secs(3));
    microphone.take(Some(&[9; FRAME_SAMPLES]));
    let samples = (0..10).flat_map(|frame| [frame; FRAME_SAMPLES]).collect();
    microphone.prepend(&Recording { track: "TR_1".to_owned(), samples });
    let mut heard = Vec::new();
    let hearing = async {
        while heard.len() < 11 {
            heard.push(graph.frames.recv().await.expect("it goes on"));
        }
    };
    tokio::select! { biased; () = hearing => {} () = microphone.read() => {} }
    let first: Vec<_> = heard.iter().map(|(frame, _)| frame.samples()[0]).collect();
    assert_eq!(first, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]);
    assert!(heard.iter().is_sorted_by_key(|(_, at)| *at));
}

#[tokio::test(start_paused = true)]
async fn a_graph_that_ends_ends_the_reading() {
    let (mut microphone, graph) = without_track();
    drop(graph.frames);
    microphone.read().await;
}

#[tokio::test(start_paused = true)]
async fn a_stalled_track_is_silent_at_the_pace_of_the_clock() {
    let (mut microphone, mut graph, voice) = with_track();
    let speaking = async {
        speak(&voice, 200).await;
        pause(3_000).await;
    };
    let heard = heard(&mut microphone, &mut graph, speaking).await;
    assert_without_gap(&heard, 10, 160);
    assert_eq!((loud(&heard), microphone.late()), (10, 0));
}

#[tokio::test(start_paused = true)]
async fn a_track_that_never_gives_anything_is_silent_from_the_beginning() {
    let (mut microphone, mut graph, _voice) = with_track();
    let heard = heard(&mut microphone, &mut graph, pause(1_000)).await;
    assert_without_gap(&heard, 0, 51);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_no_stall_stays_one() {
    let (mut microphone, mut graph, voice) = with_track();
    let speaking = async {
        speak(&voice, 200).await;
        pause(480).await;
        speak(&voice, 200).await;
    };
    let heard = heard(&mut microphone, &mut graph, speaking).await;
    assert_eq!((loud(&heard), heard.len()), (20, 20));
}

#[tokio::test(start_paused = true)]
async fn a_track_that_comes_back_is_heard_where_it_is() {
    let (mut microphone, mut graph, voice) = with_track();
    let speaking = async {
        speak(&voice, 200).await;
        pause(2_000).await;
        speak(&voice, 1_000).await;
    };
    let heard = heard(&mut microphone, &mut graph, speaking).await;
    assert_without_gap(&heard, 10, 160);
    assert_eq!((loud(&heard), microphone.late()), (60, 0));
    assert!(heard[110..].iter().all(|(level, _)| *level == LOUD), "it is heard at once");
}

/// As where a task of the crate's was held up: its stream has half a second for us.
#[tokio::test(start_paused = true)]
async fn what_a_stalled_track_has_held_back_is_not_heard_too() {
    let (mut microphone, mut graph, voice) = with_track();
    let speaking = async {
        speak(&voice, 200).await;
        pause(800).await;
        for _ in 0..STREAM_FRAMES {
            voice.try_send(vec![LOUD; FRAME_SAMPLES / 2]).expect("there is room");
        }
        pause(10).await;
        speak(&voice, 1_000).await;
    };
    let heard = heard(&mut microphone, &mut graph, speaking).await;
    assert_without_gap(&heard, 10, 100);
    assert_eq!((loud(&heard), microphone.late()), (60, 25));
}
