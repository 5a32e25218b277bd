"""A Lambda container: a process that answers one event after the other with `gimel.track`.

`python -m tests.faults.container` reads a gateway event per line and writes a line with the seconds
that the call took, its status and its body. It writes `ready` when it has loaded the handler, which
Lambda does not count as part of a call either.
"""

from __future__ import annotations

import json
import sys
import time

import gimel

TIMEOUT = 3.0
"""Seconds after which Lambda ends a call: the time-out of `gimel-track`."""
READY = "ready"


class Context:
    """What Lambda passes to a handler: the time that the call has left."""

    def __init__(self) -> None:
        self._end = time.monotonic() + TIMEOUT

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


def main() -> None:
    track = gimel.track
    _write(READY)
    for line in sys.stdin:
        event = json.loads(line)
        begin = time.monotonic()
        answer = track(event, Context())
        seconds = time.monotonic() - begin
        _write(json.dumps([seconds, answer["statusCode"], answer["body"]]))


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
