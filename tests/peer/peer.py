"""A participant that is the official Python SDK, obeying a test.

Reads one JSON object per line from standard input and writes one per line to standard output:

    {"id": 1, "do": "join", "url": "ws://…", "token": "…"}      a command; commands run side by side
    {"id": 1, "ok": {}}   {"id": 1, "error": {"message": "…"}}  its result
    {"event": "data", "from": "ada", …}                         what happened in the room

Ends when its input does. Sound comes from WAV files and goes into them.
"""

import array
import asyncio
import base64
import hashlib
import inspect
import json
import math
import sys
import time
import wave
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

from livekit import api, rtc

# The longest command line: data in base64.
MAX_LINE = 1 << 20
# Sound waiting in a source before `capture_frame` holds its caller up.
QUEUE_MS = 200
FRAME_MS = 10


class Peer:
    """The methods without an underscore are the commands."""

    def __init__(self) -> None:
        self._room = rtc.Room()
        self._sources: dict[str, rtc.AudioSource] = {}
        self._local: dict[str, rtc.LocalAudioTrack] = {}
        self._remote: defaultdict[str, asyncio.Queue[rtc.Track]] = defaultdict(asyncio.Queue)
        self._recorded: dict[str, rtc.Track] = {}
        self._last: dict[str, rtc.Track] = {}
        self._metered: dict[str, tuple[int, int]] = {}
        self._meters: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room.on("track_subscribed", self._subscribed)
        for name, told in EVENTS.items():
            self._room.on(name, _teller(name, told))

    async def join(self, url: str, token: str, single: bool = True, secret: str = "") -> None:
        options = rtc.RoomOptions(single_peer_connection=single)
        if secret:
            keys = rtc.KeyProviderOptions(shared_key=secret.encode())
            options.encryption = rtc.E2EEOptions(key_provider_options=keys)
        await self._room.connect(url, token, options)
        self._room.e2ee_manager.set_enabled(bool(secret))

    async def turn_key(self) -> dict[str, Any]:
        """Derives the next key of all from the present one, and tells its material."""
        key = self._room.e2ee_manager.key_provider.ratchet_shared_key(0)
        return {"material": base64.b64encode(key).decode()}

    async def leave(self) -> None:
        await self._room.disconnect()

    async def delete_room(self, url: str, key: str, secret: str) -> None:
        """Has the server end the room for all."""
        async with api.LiveKitAPI(url, key, secret) as server:
            await server.room.delete_room(api.DeleteRoomRequest(room=self._room.name))

    async def remove(self, url: str, key: str, secret: str, identity: str) -> None:
        """Has the server remove a participant."""
        async with api.LiveKitAPI(url, key, secret) as server:
            who = api.RoomParticipantIdentity(room=self._room.name, identity=identity)
            await server.room.remove_participant(who)

    async def participants(self) -> dict[str, Any]:
        return {"identities": sorted(self._room.remote_participants)}

    # Sound

    async def publish(
        self, name: str, rate_hz: int, channels: int, dtx: bool = False, recorded: bool = False
    ) -> None:
        """A `recorded` track announces what was said before an agent came."""
        source = rtc.AudioSource(rate_hz, channels, QUEUE_MS)
        track = rtc.LocalAudioTrack.create_audio_track(name, source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=dtx)
        options.preconnect_buffer = recorded
        await self._room.local_participant.publish_track(track, options)
        self._sources[name], self._local[name] = source, track

    async def unpublish(self, name: str) -> None:
        await self._room.local_participant.unpublish_track(self._local.pop(name).sid)
        await self._sources.pop(name).aclose()

    async def mute(self, name: str, muted: bool) -> None:
        track = self._local[name]
        track.mute() if muted else track.unmute()

    async def play(self, name: str, wav: str) -> None:
        """Returns when the last sample of the file was sent."""
        source = self._sources[name]
        with wave.open(wav) as file:
            rate, channels = file.getframerate(), file.getnchannels()
            while samples := file.readframes(rate * FRAME_MS // 1000):
                count = len(samples) // (2 * channels)
                await source.capture_frame(rtc.AudioFrame(samples, rate, channels, count))
        await source.wait_for_playout()

    async def record(self, name: str, wav: str, rate_hz: int, channels: int, ms: int) -> None:
        """Waits for the track of that name, and writes the next `ms` of it."""
        while not self._remote[name].empty() or name not in self._recorded:
            self._recorded[name] = await self._remote[name].get()
        stream = rtc.AudioStream.from_track(
            track=self._recorded[name], sample_rate=rate_hz, num_channels=channels
        )
        left = rate_hz * ms // 1000
        with wave.open(wav, "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            async for event in stream:
                file.writeframes(bytes(event.frame.data))
                left -= event.frame.samples_per_channel
                if left <= 0:
                    break
        await stream.aclose()

    async def overhear(
        self, name: str, wav: str, track: str, heard: str, rate_hz: int, ms: int
    ) -> dict[str, Any]:
        """Plays a file and records another's track, which is there, from the same moment on.

        Tells when each frame of it was heard, in ms since the first sample was to be played.
        """
        stream = rtc.AudioStream.from_track(
            track=self._last[track], sample_rate=rate_hz, num_channels=1
        )
        frames, times = aiter(stream), []
        await anext(frames)
        began = time.monotonic()
        playing = self._start(self.play(name, wav))
        with wave.open(heard, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            while not times or times[-1] < ms:
                frame = (await anext(frames)).frame
                times.append((time.monotonic() - began) * 1000)
                file.writeframes(bytes(frame.data))
        await playing
        await stream.aclose()
        return {"times_ms": times}

    async def meter(self, name: str, rate_hz: int, ms: int = 100) -> None:
        """Tells of the loudness of each track of that name from now on, `ms` at a time."""
        self._metered[name] = (rate_hz, ms)
        if name in self._last:
            self._listen(self._last[name])

    def _listen(self, track: rtc.Track) -> None:
        # The stream of a track that has ended goes on with silence.
        if last := self._meters.pop(track.name, None):
            last.cancel()
        self._meters[track.name] = self._start(self._measure(track.name, track))

    async def _measure(self, name: str, track: rtc.Track) -> None:
        rate, ms = self._metered[name]
        samples = array.array("h")
        async for event in rtc.AudioStream.from_track(track=track, sample_rate=rate, num_channels=1):
            samples.extend(event.frame.data)
            if len(samples) >= rate * ms // 1000:
                rms = math.sqrt(sum(it * it for it in samples) / len(samples))
                _tell(event="level", track=name, rms=rms)
                del samples[:]

    def _subscribed(self, track: rtc.Track, *_: Any) -> None:
        self._last[track.name] = track
        if track.name in self._metered:
            self._listen(track)
        self._remote[track.name].put_nowait(track)

    # Data

    async def send(self, payload: str, reliable: bool, topic: str = "") -> None:
        data = base64.b64decode(payload)
        await self._room.local_participant.publish_data(data, reliable=reliable, topic=topic)

    async def send_text(self, topic: str, file: str) -> None:
        with open(file, encoding="utf-8", newline="") as text:
            await self._room.local_participant.send_text(text.read(), topic=topic)

    async def send_bytes(self, topic: str, file: str) -> None:
        await self._room.local_participant.send_file(file, topic=topic)

    async def listen(self, topic: str) -> None:
        """Tells of streams of `topic` when they have ended, by size and hash."""
        self._room.register_text_stream_handler(topic, self._reading("text"))
        self._room.register_byte_stream_handler(topic, self._reading("bytes"))

    async def send_recording(self, name: str, wav: str) -> None:
        """Sends a file as what was said before an agent came, in the way of mobile clients."""
        with wave.open(wav) as file:
            form = {"sampleRate": str(file.getframerate()), "channels": str(file.getnchannels())}
            samples = file.readframes(file.getnframes())
        stream = await self._room.local_participant.stream_bytes(
            "preconnect-buffer",
            topic="lk.agent.pre-connect-audio-buffer",
            total_size=len(samples),
            attributes={"trackId": self._local[name].sid, **form},
        )
        await stream.write(samples)
        await stream.aclose()

    async def follow(self, topic: str) -> None:
        """Tells of text streams of `topic` as they grow: all the text so far, and attributes."""
        self._room.register_text_stream_handler(topic, self._following)

    def _following(self, reader: Any, sender: str) -> None:
        self._start(self._follow(reader, sender))

    async def _follow(self, reader: Any, sender: str) -> None:
        told = {"topic": reader.info.topic, "from": sender, "stream": reader.info.stream_id}
        text = ""
        async for chunk in reader:
            text += chunk
            attributes = dict(reader.info.attributes or {})
            _tell(event="words", text=text, attributes=attributes, ended=False, **told)
        attributes = dict(reader.info.attributes or {})
        _tell(event="words", text=text, attributes=attributes, ended=True, **told)

    async def dtmf(self, code: int, digit: str) -> None:
        await self._room.local_participant.publish_dtmf(code=code, digit=digit)

    def _reading(self, event: str) -> Callable[[Any, str], None]:
        def opened(reader: Any, sender: str) -> None:
            self._start(self._read(event, reader, sender))

        return opened

    async def _read(self, event: str, reader: Any, sender: str) -> None:
        digest, size, chunks = hashlib.sha256(), 0, 0
        async for chunk in reader:
            content = chunk.encode() if isinstance(chunk, str) else chunk
            digest.update(content)
            size, chunks = size + len(content), chunks + 1
        told = {"topic": reader.info.topic, "from": sender, "announced": reader.info.size or 0}
        _tell(event=event, size=size, chunks=chunks, sha256=digest.hexdigest(), **told)

    # Calls and what is told of a participant

    async def call(self, to: str, method: str, payload: str, limit_s: float) -> dict[str, Any]:
        answer = await self._room.local_participant.perform_rpc(
            destination_identity=to, method=method, payload=payload, response_timeout=limit_s
        )
        return {"payload": answer}

    async def serve(self, method: str, how: str) -> None:
        """Answers calls: `echo` the payload, `refuse` with an error, `stall` beyond any limit."""

        async def answer(call: rtc.rpc.RpcInvocationData) -> str:
            if how == "refuse":
                raise rtc.RpcError(1900, "refused", call.payload)
            if how == "stall":
                await asyncio.sleep(3600)
            return f"{call.caller_identity}: {call.payload}"

        self._room.local_participant.register_rpc_method(method, answer)

    async def attributes(self, attributes: dict[str, str]) -> None:
        await self._room.local_participant.set_attributes(attributes)

    async def metadata(self, metadata: str) -> None:
        await self._room.local_participant.set_metadata(metadata)

    async def name(self, name: str) -> None:
        await self._room.local_participant.set_name(name)

    # Obeying

    async def _obey(self, line: bytes) -> None:
        command = json.loads(line)
        number, method = command.pop("id"), getattr(self, command.pop("do"))
        try:
            _tell(id=number, ok=await method(**command) or {})
        except Exception as error:  # whatever it is, the test is to know
            told = {key: getattr(error, key, None) for key in ("code", "data")}
            message = str(getattr(error, "message", "") or repr(error))
            _tell(id=number, error={"message": message, **told})

    def _start(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _tell(**told: Any) -> None:
    print(json.dumps(told), flush=True)


def _teller(name: str, told: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    count = len(inspect.signature(told).parameters)
    return lambda *arguments: _tell(event=name, **told(*arguments[:count]))


def _data(packet: rtc.DataPacket) -> dict[str, Any]:
    return {
        "from": packet.participant.identity if packet.participant else "",
        "topic": packet.topic or "",
        "reliable": packet.kind == rtc.DataPacketKind.KIND_RELIABLE,
        "payload": base64.b64encode(packet.data).decode(),
    }


# What is told of which event of the room.
EVENTS: dict[Any, Callable[..., dict[str, Any]]] = {
    "participant_connected": lambda it: {"from": it.identity},
    "participant_disconnected": lambda it: {"from": it.identity},
    "track_subscribed": lambda track, _, of: {"from": of.identity, "track": track.name},
    "track_unsubscribed": lambda track, _, of: {"from": of.identity, "track": track.name},
    "track_muted": lambda of, track: {"from": of.identity, "track": track.name},
    "track_unmuted": lambda of, track: {"from": of.identity, "track": track.name},
    "active_speakers_changed": lambda of: {"speakers": [it.identity for it in of]},
    "participant_attributes_changed": lambda to, of: {"from": of.identity, "changed": to},
    "participant_metadata_changed": lambda of, _, to: {"from": of.identity, "metadata": to},
    "participant_name_changed": lambda of, _, to: {"from": of.identity, "name": to},
    "data_received": _data,
    "reconnecting": lambda: {},
    "reconnected": lambda: {},
    "disconnected": lambda: {},
}


async def _lines() -> AsyncIterator[bytes]:
    reader = asyncio.StreamReader(limit=MAX_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line


async def main() -> None:
    peer = Peer()
    async for line in _lines():
        peer._start(peer._obey(line))


if __name__ == "__main__":
    asyncio.run(main())
