"""Drives the official SDKs of Deepgram, OpenAI and Cartesia against base URLs.

    check.py '{"deepgram": "ws://…", "openai": "http://…/v1", "cartesia": "ws://…"}'

The other side speaks as script.toml says. Prints `ok <name>` for each check that passes and exits with 1
where one fails. No check takes longer than its limit.
"""

import json
import signal
import sys
import traceback

import cartesia_speech
import deepgram_live
import openai_chat

# Seconds that one check may take: many times what the slowest needs.
LIMIT_S = 20


def main():
    bases = json.loads(sys.argv[1])
    providers = [
        ("deepgram", deepgram_live.CHECKS),
        ("openai", openai_chat.CHECKS),
        ("cartesia", cartesia_speech.CHECKS),
    ]
    results = [
        passes(f"{provider} {check.__name__}", check, bases[provider])
        for provider, checks in providers
        for check in checks
    ]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed", flush=True)
    return 0 if all(results) else 1


def passes(name, check, base):
    signal.alarm(LIMIT_S)
    try:
        check(base)
    except Exception:
        traceback.print_exc()
        print(f"FAILED {name}", flush=True)
        return False
    finally:
        signal.alarm(0)
    print(f"ok {name}", flush=True)
    return True


def out_of_time(_signal, _frame):
    raise TimeoutError(f"not done within {LIMIT_S} s")


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, out_of_time)
    sys.exit(main())
