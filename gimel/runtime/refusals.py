"""How many events were ignored, and why: noted beside the experiment, so that its owner sees it.

An event is noted only where its experiment, or at least its namespace, is known: an ignored event
must not create keys with names of its own choosing.
"""

from gimel.runtime import http, keys
from gimel.runtime.errors import RedisError
from gimel.runtime.redis import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gimel.runtime.event import TrackEvent
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply

FIELD = "ignored:"
"""The beginning of a meta hash's field; the reason follows."""


def note(redis: "Client", reasons: "Mapping[TrackEvent, str]") -> None:
    """Add the ignored events to the figures.

    A failure is only logged: the answer to the caller does not depend on it.
    """
    try:
        known = _known(redis, reasons)
        totals: dict[tuple[str, str], int] = {}
        for event, reason in reasons.items():
            experiment_known, namespace_known = known[event.experiment_index]
            if experiment_known:
                key = event.meta_key
            elif namespace_known:
                key = keys.namespace_meta_key(event.encoded_namespace)
            else:
                continue
            totals[key, reason] = totals.get((key, reason), 0) + 1
        if totals:
            process.run(
                redis,
                [
                    ("HINCRBY", key, FIELD + reason, number)
                    for (key, reason), number in totals.items()
                ],
                idempotent=False,
            )
    except RedisError as error:
        http.log(error)


def ignored(meta: "Mapping[str, str]") -> "dict[str, int]":
    """Return {reason: number of events} from the fields of a meta hash."""
    return {
        field[len(FIELD) :]: int(value)
        for field, value in sorted(meta.items())
        if field.startswith(FIELD) and value.isdecimal()
    }


def _known(redis: "Client", events: "Iterable[TrackEvent]") -> "dict[str, tuple[Reply, Reply]]":
    """Return for each experiment, by its index, whether it and whether its namespace is known."""
    experiments = {event.experiment_index: event for event in events}
    questions: list[Command] = []
    for event in experiments.values():
        questions.append(("SISMEMBER", event.experiments_key, event.experiment))
        questions.append(("EXISTS", event.experiments_key))
    replies = process.run(redis, questions)
    return dict(zip(experiments, zip(replies[::2], replies[1::2], strict=True), strict=True))
