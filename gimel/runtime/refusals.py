"""How many events were ignored, and why: noted beside the experiment, so that its owner sees it.

An event is noted only where its experiment, or at least its namespace, is known: an ignored event
must not create keys with names of its own choosing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gimel.runtime import http, keys
from gimel.runtime.errors import RedisError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.event import TrackEvent
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command

FIELD = "ignored:"
"""The beginning of a meta hash's field; the reason follows."""


def note(redis: Client, reasons: Mapping[TrackEvent, str]) -> None:
    """Add the ignored events to the figures.

    A failure is only logged: the answer to the caller does not depend on it.
    """
    numbers = Counter((event.experiment, reason) for event, reason in reasons.items())
    questions: list[Command] = []
    for experiment, _ in numbers:
        questions.append(("SISMEMBER", experiment.experiments_key, experiment.name))
        questions.append(("EXISTS", experiment.experiments_key))
    try:
        answers = redis.run(questions)
        additions: list[Command] = []
        removals: list[Command] = []
        again: list[Command] = []
        for place, ((experiment, reason), number) in enumerate(numbers.items()):
            is_known, namespace_is_known = answers[2 * place : 2 * place + 2]
            key = experiment.meta_key
            if not is_known:
                key = keys.namespace_meta_key(keys.encode(experiment.namespace))
            if namespace_is_known:
                additions.append(("HINCRBY", key, FIELD + reason, number))
                removals.append(("HDEL", key, FIELD + reason))
                again.append(questions[2 * place + (not is_known)])
        if additions:
            found = redis.run([*additions, *again], idempotent=False)[len(additions) :]
            # A delete may have come between: nothing would remove the key any more.
            redis.run([each for each, listed in zip(removals, found, strict=True) if not listed])
    except RedisError as error:
        http.log(error)


def ignored(meta: Mapping[str, str]) -> dict[str, int]:
    """Return {reason: number of events} from the fields of a meta hash."""
    return {
        field[len(FIELD) :]: int(value)
        for field, value in sorted(meta.items())
        if field.startswith(FIELD) and value.isdecimal()
    }
