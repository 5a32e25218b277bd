"""The commands with which an import writes: HyperLogLogs are merged, the rest is added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain, count, islice

from gimel.runtime.redis.client import SLICE, slot_of
from gimel.transfer.merging import Changes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply

_HELPER_SECONDS = 60
_MEMBERS_AT_ONCE = 500
_MERGES_AT_ONCE = 200  # others wait for them
_SLOTS = 16384  # of a cluster


def merge(redis: Client, values: Mapping[str, bytes], token: str) -> None:
    """Write HyperLogLogs, or merge them into those that exist. Raises RedisError.

    Those that are equal are skipped: a merge may take the server a millisecond.

    PFMERGE needs a key to merge, in the same slot. It is deleted at once, or expires. The `token`
    makes its name different from those of other imports. The steps are sent separately, because
    the nodes behind a proxy need not execute commands for two keys in order.
    """
    if not values:
        return
    found = redis.run([("GET", key) for key in values])
    missing = [key for key, theirs in zip(values, found, strict=True) if theirs is None]
    written = redis.run([("SET", key, values[key], "NX") for key in missing])
    late = {key for key, reply in zip(missing, written, strict=True) if reply is None}
    existing = [
        key
        for (key, ours), theirs in zip(values.items(), found, strict=True)
        if key in late or (isinstance(theirs, bytes) and _registers(theirs) != _registers(ours))
    ]
    for begin in range(0, len(existing), _MERGES_AT_ONCE):
        _merge(
            redis, {key: values[key] for key in existing[begin : begin + _MERGES_AT_ONCE]}, token
        )


def _merge(redis: Client, values: Mapping[str, bytes], token: str) -> None:
    helpers = {key: helper_key(key, token) for key in values}
    redis.run([("SET", helpers[key], each, "EX", _HELPER_SECONDS) for key, each in values.items()])
    redis.run([("PFMERGE", key, helper) for key, helper in helpers.items()])
    redis.run([("DEL", helper) for helper in helpers.values()])


def _registers(value: bytes) -> bytes:
    """Return a HyperLogLog without the count that its header caches."""
    return value[:8] + value[16:]


def helper_key(key: str, token: str) -> str:
    """Return a key in the same slot of a cluster, where possible of the same namespace.

    A user may have access to keys that begin with the namespace only.
    """
    slot = slot_of(key.encode())
    plain = f"{key}:{token}"
    if slot_of(plain.encode()) == slot:  # it has a hash tag
        return plain
    tag = _tags()[slot]
    tagged = f"{plain}:{{{tag}}}"
    return tagged if slot_of(tagged.encode()) == slot else f"{{{tag}}}:{plain}"


@lru_cache(maxsize=1)
def _tags() -> dict[int, int]:
    """Return for each slot the smallest number whose digits are in it."""
    tags: dict[int, int] = {}
    numbers = count()
    while len(tags) < _SLOTS:
        number = next(numbers)
        tags.setdefault(slot_of(b"%d" % number), number)
    return tags


def add_members(redis: Client, members: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Add members to sets, each given with its key. Raises RedisError."""
    run(redis, chain.from_iterable(_additions(key, each) for key, each in members))


def _additions(key: str, members: Iterable[str]) -> Iterable[Command]:
    waiting = iter(members)
    while some := list(islice(waiting, _MEMBERS_AT_ONCE)):
        yield ("SADD", key, *some)


def change(redis: Client, changes: Iterable[tuple[str, Changes]]) -> None:
    """Change the fields of hashes, by key. Raises RedisError."""
    increments: list[Command] = []
    commands: list[Command] = []
    for key, each in changes:
        commands += [("HSETNX", key, name, value) for name, value in each.absent.items()]
        commands += [("HSET", key, name, value) for name, value in each.replaced.items()]
        increments += [("HINCRBY", key, name, more) for name, more in each.increased.items()]
    run(redis, commands)
    for begin in range(0, len(increments), SLICE):  # a second time, they would count twice
        redis.run(increments[begin : begin + SLICE], idempotent=False)


def run(redis: Client, commands: Iterable[Command]) -> list[Reply]:
    """Execute many commands, a slice of them at a time. Raises RedisError."""
    waiting = iter(commands)
    replies: list[Reply] = []
    while some := list(islice(waiting, SLICE)):
        replies += redis.run(some)
    return replies
