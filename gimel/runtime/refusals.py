"""How many events were ignored, and why: kept beside the experiment, so that its owner sees what was not counted.

Only where the experiment, or at least its namespace, is known: a refused event must not create anything of its own choosing.
"""

from gimel.runtime import http, keys
from gimel.runtime.errors import RedisError
from gimel.runtime.redis import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gimel.runtime.event import TrackEvent
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command

FIELD = "ignored:"


def note(redis: "Client", refused: "Sequence[tuple[TrackEvent, str]]") -> None:
    """Add the refused events, each with its reason, to the figures. A failure is logged: the answer does not depend on it."""
    try:
        entries = list(dict.fromkeys(event.commands()[0] for event, _ in refused))
        questions: list[Command] = []
        for _, experiments, name in entries:
            questions += [("SISMEMBER", experiments, name), ("EXISTS", experiments)]
        known = process.run(redis, questions)
        is_known = dict(zip(entries, zip(known[::2], known[1::2], strict=True), strict=True))
        totals: dict[tuple[str, str], int] = {}
        for event, reason in refused:
            experiment_known, namespace_known = is_known[event.commands()[0]]
            if experiment_known:
                place = (
                    keys.meta_key(event.encoded_namespace, event.encoded_experiment),
                    FIELD + reason,
                )
            elif namespace_known:
                place = (keys.namespace_meta_key(event.encoded_namespace), FIELD + reason)
            else:
                continue
            totals[place] = totals.get(place, 0) + 1
        if totals:
            process.run(
                redis,
                [("HINCRBY", key, field, number) for (key, field), number in totals.items()],
                idempotent=False,
            )
    except RedisError as error:
        http.log(error)


def ignored(meta: "dict[str, str]") -> "dict[str, int]":
    """Return {reason: number of events} from the fields of a meta hash."""
    return {
        field[len(FIELD) :]: int(value)
        for field, value in sorted(meta.items())
        if field.startswith(FIELD) and value.isdecimal()
    }
