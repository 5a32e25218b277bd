"""Events into Redis: three index entries and one PFADD per event, all in one round trip.

Everything here is idempotent, so events may be sent again. Only where an index did not list a
counter yet does a second round trip, in `limits`, check whether it may stay.
"""

from gimel.runtime import http, keys
from gimel.runtime.errors import WrongTypeError
from gimel.runtime.event import COUNTER_UNREADABLE, LIMIT_REACHED
from gimel.runtime.redis import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gimel.runtime.event import TrackEvent
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Reply


def count(
    redis: "Client", events: "Sequence[TrackEvent]", limits: "Mapping[str, int]"
) -> "dict[TrackEvent, str]":
    """Count the events. Return those that were not counted, each with the reason.

    A counter that would have exceeded a limit leaves nothing in Redis. Raises RedisError; then some
    events may have been counted, and all of them may be sent again.
    """
    new: dict[str, TrackEvent] = {}
    new_experiments: set[str] = set()
    blocked: dict[TrackEvent, WrongTypeError] = {}
    for event, replies in zip(events, _send(redis, events), strict=True):
        experiment_added, _, counter_added, visitor_added = replies
        if experiment_added == 1:
            new_experiments.add(event.experiment_index)
        if isinstance(visitor_added, WrongTypeError):
            blocked[event] = visitor_added
        elif counter_added == 1:
            new[event.counter] = event
    for event in blocked:
        # Not new: a limit would delete its keys, with what others wrote there.
        new.pop(event.counter, None)
    # Under its own key a counter may have an integer that Lamed left. Results add up both.
    beside = [event for event in blocked if keys.shards(event.counter) is None]
    ignored = dict.fromkeys(blocked.keys() - beside, COUNTER_UNREADABLE)
    if ignored:
        http.log(next(iter(blocked.values())))
    if new:
        from gimel.runtime.limits import keep_within

        over = keep_within(limits, redis, list(new.values()), new_experiments)
        ignored.update((event, LIMIT_REACHED) for event in events if event.counter in over)
    if beside:
        for event in beside:
            event.count_beside()
        ignored.update(count(redis, beside, limits))
    return ignored


def _send(redis: "Client", events: "Sequence[TrackEvent]") -> "list[list[Reply]]":
    """Send each distinct command once. Return the replies to each event's own commands.

    Raises RedisError, but not the WrongTypeError of a PFADD, which concerns one event alone.
    """
    commands = [event.commands() for event in events]
    distinct = list(dict.fromkeys(command for of_event in commands for command in of_event))
    reply_to = dict(zip(distinct, redis.execute(distinct), strict=True))
    replies = [[reply_to[command] for command in of_event] for of_event in commands]
    for of_event in replies:
        blocked = isinstance(of_event[-1], WrongTypeError)
        process.raise_error(of_event[:-1] if blocked else of_event)
    return replies
