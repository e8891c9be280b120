"""Cartesia's text-to-speech over its websocket and over HTTP, with the official SDK."""

from cartesia import Cartesia

from strict import strict

RATE_HZ = 24_000
RAW = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": RATE_HZ}
VOICE = {"mode": "id", "id": "6ccbfb76-1fc6-48f7-b71d-91ac6298247b"}
MODEL = "sonic-3"
# The longest wait for one message.
WAIT_S = 5


def one_context_is_continued_and_timed(base):
    with connect(base) as connection:
        context = open_context(connection, "continued")
        context.push("Hello there. ")
        context.push("How can I help?")
        context.no_more_inputs()
        events = [strict(event) for event in context.receive()]
    assert {event.context_id for event in events} == {"continued"}, events
    assert [event.type for event in events][-1] == "done", events
    sound = audio(events)
    assert len(sound) % 2 == 0 and any(sound), "no sound"
    words, starts, ends = timestamps(events)
    assert words == ["Hello", "there.", "How", "can", "I", "help?"], words
    assert all(start <= end for start, end in zip(starts, ends)) and starts == sorted(starts), starts
    assert ends[-1] <= len(sound) / 2 / RATE_HZ + 0.1, (ends, len(sound))


def flush_is_answered_between_the_texts(base):
    with connect(base) as connection:
        context = open_context(connection, "flushed")
        context.push("The first sentence.")
        context.push("", flush=True)
        context.push(" The second sentence.")
        context.no_more_inputs()
        events = [strict(event) for event in context.receive()]
    types = [event.type for event in events]
    flushed = types.index("flush_done")
    assert events[flushed].flush_id == 1, events[flushed]
    assert "chunk" in types[:flushed] and "chunk" in types[flushed:], types


def cancel_stops_one_context_and_leaves_the_next(base):
    with connect(base) as connection:
        cancelled = open_context(connection, "cancelled")
        cancelled.push("A very long answer that nobody wants to hear to its end. " * 20)
        first = next(iter(cancelled.receive()))
        assert first.context_id == "cancelled", first
        cancelled.cancel()
        wanted = open_context(connection, "wanted")
        wanted.push("Yes?")
        wanted.no_more_inputs()
        events = [event for event in wanted.receive() if event.context_id == "wanted"]
    assert events[-1].type == "done" and audio(events), events


def bytes_over_http(base):
    answer = client(base).tts.generate(
        model_id=MODEL, transcript="Hello there.", voice=VOICE, output_format=RAW
    )
    sound = b"".join(answer.iter_bytes())
    assert len(sound) % 2 == 0 and len(sound) / 2 / RATE_HZ > 0.2 and any(sound), len(sound)


def wrong_key_is_refused_with_401(base):
    try:
        with connect(base, key="invalid"):
            raise AssertionError("it was let in")
    except Exception as error:  # the SDK passes on what its websocket library raises
        response = getattr(error, "response", None)
        assert getattr(response, "status_code", None) == 401, repr(error)


CHECKS = [
    one_context_is_continued_and_timed,
    flush_is_answered_between_the_texts,
    cancel_stops_one_context_and_leaves_the_next,
    bytes_over_http,
    wrong_key_is_refused_with_401,
]


def client(base, key="test-key"):
    http = base.replace("ws", "http", 1)
    return Cartesia(api_key=key, base_url=http, websocket_base_url=base, max_retries=0, timeout=5)


def connect(base, key="test-key"):
    return client(base, key).tts.websocket_connect()


def open_context(connection, name):
    return connection.context(
        name,
        timeout=WAIT_S,
        model_id=MODEL,
        voice=VOICE,
        output_format=RAW,
        language="en",
        add_timestamps=True,
        max_buffer_delay_ms=0,
    )


def audio(events):
    return b"".join(event.audio or b"" for event in events if event.type == "chunk")


def timestamps(events):
    """Words, starts and ends in seconds, from all messages."""
    timed = [event.word_timestamps for event in events if event.type == "timestamps"]
    lists = ([one.words, one.start, one.end] for one in timed)
    words, starts, ends = (sum(column, []) for column in zip(*lists))
    return words, starts, ends
