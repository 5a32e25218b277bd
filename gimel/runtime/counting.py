"""Events into Redis: three index entries and one PFADD each, all in one round trip.

Everything is idempotent, so events may be sent again. Only when an index says that a counter is new does a second trip, in
`limits`, look whether it may stay.
"""

from gimel.runtime import keys
from gimel.runtime.errors import ServerError, WrongTypeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gimel.runtime.event import TrackEvent
    from gimel.runtime.redis.client import Client


def count(
    redis: "Client", events: "Sequence[TrackEvent]", limits: "Mapping[str, int]"
) -> "set[str]":
    """Count the events. Return the ids of the counters that would have exceeded a limit; nothing of theirs was kept.

    Raises RedisError. Then some may have been counted and all may be sent again.
    """
    commands = [event.commands() for event in events]
    distinct = list(dict.fromkeys(command for four in commands for command in four))
    reply_to = dict(zip(distinct, redis.execute(distinct), strict=True))
    occupied = []
    for event, (_, _, _, add) in zip(events, commands, strict=True):
        if isinstance(reply_to[add], WrongTypeError) and keys.shards(event.counter) is None:
            reply_to[add] = None
            occupied.append(event)
    for reply in reply_to.values():
        if isinstance(reply, ServerError):
            raise reply
    over: set[str] = set()
    # What is occupied is not ours to take away again.
    new = {
        event.counter: event
        for event, four in zip(events, commands, strict=True)
        if reply_to[four[2]] == 1 and event not in occupied
    }
    if new:
        from gimel.runtime.limits import keep_within

        experiments = {four[0] for four in commands if reply_to[four[0]] == 1}
        over = keep_within(limits, redis, list(new.values()), experiments)
    if occupied:
        # Lamed left an integer under the counter's own key: count beside it, where results will find both.
        for event in occupied:
            event.counter = keys.sharded_at_one(event.counter)
        over |= count(redis, occupied, limits)
    return over
