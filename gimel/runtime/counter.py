"""A counter, its experiment, and their keys in Redis."""

from __future__ import annotations

from zlib import crc32

from gimel.runtime import keys
from gimel.runtime.redis.resp import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Names: TypeAlias = tuple[str, str, str, str]


class Experiment:
    """An experiment of a namespace, and the keys of both. It equals another of the same names."""

    __slots__ = (
        "deleting_key",
        "experiments_key",
        "index",
        "meta_key",
        "name",
        "namespace",
        "namespace_index",
    )

    def __init__(self, namespace: str, name: str) -> None:
        space, encoded = keys.encode(namespace), keys.encode(name)
        self.namespace = namespace
        self.name = name
        self.experiments_key = keys.experiments_key(space)
        self.namespace_index = keys.counters_key(space)
        self.index = keys.experiment_counters_key(space, encoded)
        self.meta_key = keys.meta_key(space, encoded)
        self.deleting_key = keys.deleting_key(space, encoded)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Experiment) and self.index == other.index

    def __hash__(self) -> int:
        return hash(self.index)


class Counter:
    """What counts the visitors of one (experiment, goal, variant), at a precision.

    `id` is listed by the indexes, and is the key where the precision is 1. `is_marked` is the
    encoded command that asks for its commit mark, the entry in the experiment's index. Where
    Lamed left an integer under that key, a counter `beside` it is used.
    """

    __slots__ = ("_key", "_shards", "experiment", "id", "is_marked", "names", "precision")

    def __init__(self, names: Names, precision: int, *, beside: bool = False) -> None:
        self.names = names
        self.precision = precision
        self.experiment = Experiment(*names[:2])
        space, encoded, goal, variant = map(keys.encode, names)
        self.id = keys.counter_id(space, encoded, goal, variant, precision)
        if beside:
            self.id = keys.sharded_at_one(self.id)
        self._key = self.id.encode()
        self._shards = keys.shards(self.id)
        self.is_marked = encode((("SISMEMBER", self.experiment.index, self.id),))

    @property
    def is_plain(self) -> bool:
        """Whether its id is its only key, which is 1.5.0's own."""
        return self._shards is None

    def add(self, uuid: str) -> bytes:
        """Return the encoded command that adds a visitor: to the shard of the uuid, if any."""
        visitor, key = uuid.encode(), self._key
        if self._shards is not None:
            key = b"%b:%d" % (key, crc32(visitor) % self._shards)
        return b"*3\r\n$5\r\nPFADD\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
            len(key),
            key,
            len(visitor),
            visitor,
        )
