"""What a process keeps between calls: its settings, its Redis client, the counters it knows."""

from __future__ import annotations

import time

from gimel.runtime import settings
from gimel.runtime.redis.client import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.counter import Counter, Names
    from gimel.runtime.settings import Settings

# Seconds kept back for answering 503 before AWS ends the call with a 502.
_TIME_TO_ANSWER = 0.2


class Process:
    """`known` holds the counters whose commit mark this process has seen, by their names.

    `at` is the time (seconds since 1970) that calls take for now, None for the real one.
    """

    __slots__ = ("at", "known", "redis", "settings")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.redis = Client(settings.redis)
        self.known: dict[Names, Counter] = {}
        self.at: float | None = None

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return time.time() if self.at is None else self.at


_kept: Process | None = None


def forget() -> None:
    """Forget the state, as a new process has none."""
    global _kept
    if _kept is not None:
        _kept.redis.close()
    _kept = None


def current(context: Any = None) -> Process:
    """Return the state of this process, new if the settings changed. Raises SettingsError.

    The Lambda's `context` sets the deadline of the Redis client.
    """
    global _kept
    configured = settings.current()
    if _kept is None or _kept.settings is not configured:
        forget()
        _kept = Process(configured)
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    _kept.redis.deadline = (
        None if remaining is None else time.monotonic() + remaining() / 1000 - _TIME_TO_ANSWER
    )
    return _kept
