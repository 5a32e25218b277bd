"""How many events were ignored, and why: noted beside the experiment, so that its owner sees it.

An event is noted only where its experiment, or at least its namespace, is known: an ignored event
must not create keys with names of its own choosing. That of a concluded experiment is noted beside
its record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gimel.runtime import http, keys
from gimel.runtime.errors import RedisError
from gimel.runtime.event import EXPERIMENT_CONCLUDED
from gimel.runtime.redis.client import check

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
    listed: list[Command] = []
    exists: list[Command] = []
    for experiment, reason in numbers:
        if reason == EXPERIMENT_CONCLUDED:
            listed.append(("HEXISTS", experiment.meta_key, keys.CONCLUDED))
            exists.append(listed[-1])
        else:
            listed.append(("SISMEMBER", experiment.experiments_key, experiment.name))
            exists.append(("EXISTS", experiment.experiments_key))
    try:
        known = redis.run([*listed, *exists])
        additions: list[Command] = []
        again: list[Command] = []
        for place, ((experiment, reason), number) in enumerate(numbers.items()):
            is_listed, namespace_exists = known[place], known[len(listed) + place]
            key = experiment.meta_key
            if not is_listed:
                key = keys.namespace_meta_key(keys.encode(experiment.namespace))
            if namespace_exists:
                additions.append(("HINCRBY", key, FIELD + reason, number))
                again.append(listed[place] if is_listed else exists[place])
        if additions:
            added, still = redis.in_order(additions, again, idempotent=False)
            # A delete may have come between: nothing would remove the key any more.
            gone = [each for each, there in zip(additions, still, strict=True) if there == 0]
            redis.run([("HDEL", *command[1:3]) for command in gone if isinstance(command, tuple)])
            for command, reply in zip(additions, added, strict=True):
                check(command, reply)
    except RedisError as error:
        http.log(error)


def ignored(meta: Mapping[str, str]) -> dict[str, int]:
    """Return {reason: number of events} from the fields of a meta hash."""
    return {
        field[len(FIELD) :]: int(value)
        for field, value in sorted(meta.items())
        if field.startswith(FIELD) and value.isdecimal() and len(value) < 20
    }
