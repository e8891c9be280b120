"""The load of the official Python SDK: rooms with two sessions in each, which say a tone and listen
to the other's. The same as benches/src/bin/sessions/talk.rs, which says more.

    sessions.py URL PREFIX ROOMS
"""

import array
import asyncio
import base64
import hashlib
import hmac
import json
import math
import sys
import time

from livekit import rtc

KEY, SECRET = "devkey", "not-a-secret-but-long-enough-for-a-server"
RATE_HZ, FRAME, TONE_HZ, AMPLITUDE, LOUD = 48_000, 480, 400, 9_000, 4_000
QUEUE_MS = 100
AT_ONCE = 8
LIMIT = 60


class Ear:
    def __init__(self) -> None:
        self.frames = self.loud = 0
        self.counts = False


def token(room: str, identity: str) -> str:
    video = {"room": room, "roomJoin": True}
    claims = {"iss": KEY, "sub": identity, "exp": int(time.time()) + 3_600, "video": video}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


Session = tuple[rtc.Room, rtc.AudioSource, asyncio.Future]


async def join(url: str, name: str, identity: str) -> Session:
    room = rtc.Room()
    track: asyncio.Future = asyncio.get_running_loop().create_future()
    room.on("track_subscribed", lambda it, *_: track.done() or track.set_result(it))
    await room.connect(url, token(name, identity), rtc.RoomOptions(single_peer_connection=True))
    source = rtc.AudioSource(RATE_HZ, 1, QUEUE_MS)
    local = rtc.LocalAudioTrack.create_audio_track("voice", source)
    # DTX takes a steady tone for silence.
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
    await room.local_participant.publish_track(local, options)
    return room, source, track


async def say(source: rtc.AudioSource) -> None:
    step = math.tau * TONE_HZ / RATE_HZ
    tone = array.array("h", (int(AMPLITUDE * math.sin(step * at)) for at in range(FRAME)))
    data = tone.tobytes()
    while True:
        await source.capture_frame(rtc.AudioFrame(data, RATE_HZ, 1, FRAME))


async def listen(track: rtc.Track, ear: Ear) -> None:
    async for event in rtc.AudioStream.from_track(track=track, sample_rate=RATE_HZ, num_channels=1):
        if ear.counts:
            ear.frames += 1
        ear.loud += max(event.frame.data) > LOUD


async def main(url: str, prefix: str, rooms: int) -> None:
    # The SDK's library is loaded by the first object.
    idle = rtc.Room()
    print("idle", flush=True)
    names = [(f"{prefix}-{room}", identity) for room in range(rooms) for identity in ("ada", "bob")]
    sessions = []
    for at in range(0, len(names), AT_ONCE):
        sessions += await asyncio.gather(*(join(url, *name) for name in names[at : at + AT_ONCE]))
    ears, tasks = [], []
    for _, source, track in sessions:
        ears.append(Ear())
        tasks.append(asyncio.create_task(listen(await asyncio.wait_for(track, LIMIT), ears[-1])))
        tasks.append(asyncio.create_task(say(source)))
    async with asyncio.timeout(LIMIT):
        while any(ear.loud == 0 for ear in ears):
            await asyncio.sleep(0.05)
    for ear in ears:
        ear.loud, ear.counts = 0, True
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    loud, frames = sum(ear.loud for ear in ears), sum(ear.frames for ear in ears)
    print("heard", loud / max(frames, 1), flush=True)
    for task in tasks:
        task.cancel()
    for room, _, _ in sessions:
        await room.disconnect()
    del idle


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
