"""Deepgram's live transcription (`/v1/listen`) with the official SDK."""

import queue
import threading
import time

from deepgram import DeepgramClient
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.types import ListenV1Metadata, ListenV1Results

from strict import strict

RATE_HZ = 16_000
FRAME_MS = 50
# Audio is sent this many times faster than it was spoken.
PACE = 4
# The longest wait for one message.
WAIT_S = 5


def typed_results_until_speech_final(base):
    with Live(base) as live:
        live.speak(ms=1_000)
        live.silence(ms=1_000)
        results = live.until(lambda result: result.speech_final)
        interims = [result for result in results if not result.is_final]
        assert any(text(result) for result in interims), "no interim result with text"
        last = results[-1]
        assert last.is_final and text(last) == "I would like an appointment.", last
        words = last.channel.alternatives[0].words
        assert [word.word for word in words][:3] == ["i", "would", "like"], words
        assert all(a.end <= b.start for a, b in zip(words, words[1:])), words


def finalize_answers_at_once_after_keep_alive(base):
    with Live(base) as live:
        live.speak(ms=800)
        live.socket.send_keep_alive()
        live.speak(ms=200)
        live.socket.send_finalize()
        last = live.until(lambda result: result.from_finalize)[-1]
        assert last.is_final and text(last), last


def close_stream_ends_with_metadata(base):
    with Live(base) as live:
        live.speak(ms=500)
        live.silence(ms=300)
        live.socket.send_close_stream()
        *_, metadata = live.rest()
        assert isinstance(strict(metadata), ListenV1Metadata), metadata
        assert abs(metadata.duration - 0.8) < 0.001, metadata
        assert metadata.channels == 1 and len(metadata.sha256) == 64, metadata


def wrong_key_is_refused_with_401(base):
    try:
        with Live(base, key="invalid"):
            raise AssertionError("it was let in")
    except Exception as error:  # the SDK passes on what its websocket library raises
        response = getattr(error, "response", error)
        assert getattr(response, "status_code", None) == 401, repr(error)


CHECKS = [
    typed_results_until_speech_final,
    finalize_answers_at_once_after_keep_alive,
    close_stream_ends_with_metadata,
    wrong_key_is_refused_with_401,
]


class Live:
    """One connection: sends at a steady pace, gathers what comes in a thread of its own."""

    def __init__(self, base, key="test-key"):
        http = base.replace("ws", "http", 1)
        urls = DeepgramClientEnvironment(base=http, production=base, agent=base, agent_rest=http)
        client = DeepgramClient(api_key=key, environment=urls)
        self.connection = client.listen.v1.connect(
            model="nova-3",
            encoding="linear16",
            sample_rate=RATE_HZ,
            channels=1,
            interim_results=True,
            punctuate=True,
            endpointing=300,
        )
        self.received = queue.Queue()

    def __enter__(self):
        self.socket = self.connection.__enter__()
        for event in (EventType.MESSAGE, EventType.ERROR):
            self.socket.on(event, self.received.put)
        self.socket.on(EventType.CLOSE, lambda _: self.received.put(None))
        self.listener = threading.Thread(target=self.socket.start_listening, daemon=True)
        self.listener.start()
        return self

    def __exit__(self, *error):
        self.connection.__exit__(*error)
        self.listener.join(WAIT_S)

    def speak(self, ms):
        """A saw-tooth at 160 Hz, loud enough to be speech."""
        period = RATE_HZ // 160
        self.send([(n % period) * 12_000 // period - 6_000 for n in range(RATE_HZ * ms // 1_000)])

    def silence(self, ms):
        self.send([0] * (RATE_HZ * ms // 1_000))

    def send(self, samples):
        frame = RATE_HZ * FRAME_MS // 1_000
        due = time.monotonic()
        for start in range(0, len(samples), frame):
            pcm = b"".join(s.to_bytes(2, "little", signed=True) for s in samples[start:][:frame])
            self.socket.send_media(pcm)
            due += FRAME_MS / 1_000 / PACE
            time.sleep(max(0.0, due - time.monotonic()))

    def until(self, wanted):
        """The results up to the first that is wanted."""
        results = []
        while not (results and wanted(results[-1])):
            message = self.received.get(timeout=WAIT_S)
            assert message is not None, "closed before the result came"
            if isinstance(message, ListenV1Results):
                results.append(strict(message))
            elif isinstance(message, Exception):
                raise message
        return results

    def rest(self):
        """All messages up to the close, which must be a clean one."""
        messages = list(iter(lambda: self.received.get(timeout=WAIT_S), None))
        errors = [message for message in messages if isinstance(message, Exception)]
        assert not errors, errors
        return messages


def text(result):
    return result.channel.alternatives[0].transcript
