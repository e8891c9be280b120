"""An agent on LiveKit's own worker, without a model: it says its name and plays a tone.

It takes what it needs from the environment: LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET and
LIVEKIT_AGENT_NAME. Run with `start`.
"""

import array
import math

from livekit import rtc
from livekit.agents import AgentServer, JobContext, cli

RATE_HZ = 24_000
FRAME_MS = 20
FREQUENCY_HZ = 440
AMPLITUDE = 8_000
QUEUE_MS = 200

# On loopback, at a free port; not loaded, however busy the machine is, since a server gives a
# worker that says so nothing.
server = AgentServer(host="127.0.0.1", port=0, num_idle_processes=1, load_fnc=lambda: 0.0)


@server.rtc_session()
async def answer(job: JobContext) -> None:
    await job.connect()
    caller = await job.wait_for_participant()
    source = rtc.AudioSource(RATE_HZ, 1, QUEUE_MS)
    track = rtc.LocalAudioTrack.create_audio_track("tone", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await job.room.local_participant.publish_track(track, options)
    words = f"I am {job.job.agent_name}, and you are {caller.identity}."
    await job.room.local_participant.send_text(words, topic="lk.transcription")
    await play(job.room, source)


async def play(room: rtc.Room, source: rtc.AudioSource) -> None:
    """Until the room is left."""
    samples, begin = RATE_HZ * FRAME_MS // 1000, 0
    while room.isconnected():
        step = math.tau * FREQUENCY_HZ / RATE_HZ
        wave = (round(AMPLITUDE * math.sin(step * at)) for at in range(begin, begin + samples))
        data = array.array("h", wave).tobytes()
        await source.capture_frame(rtc.AudioFrame(data, RATE_HZ, 1, samples))
        begin += samples


if __name__ == "__main__":
    cli.run_app(server)
