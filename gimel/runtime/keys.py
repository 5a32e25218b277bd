"""Where everything lies in Redis: names to keys and back.

In a name only `:` and `%` are percent-encoded, so the keys that Gimel 1.5.0 wrote stay valid. 1.5.0 did not encode even those:
where a name holds one, its own spelling ("raw") is read and deleted as well, but never written.

A counter id names itself: `{ns}:counters:{experiment}:{goal}:{variant}` is one HyperLogLog, the same with `::{k}` behind it is
the sum of the k shards `{id}:0` to `{id}:{k-1}`.
"""

from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NAMESPACES = "gimel:namespaces"
"""The one key outside a namespace: the set of namespaces, by which their number is limited."""

PRECISIONS = (1, 4, 16, 64, 256)

_SUFFIXES = {f"::{k}": k for k in PRECISIONS}
_COLONS = 4  # in an id whose names hold none
_COLONS_WITH_SUFFIX = 6


def encode(name: str) -> str:
    """Return the name as it stands in a key, free of colons."""
    return name.replace("%", "%25").replace(":", "%3A")


def decode(text: str) -> str:
    """Undo `encode`. Any other percent sign, as 1.5.0 left them, stands for itself."""
    return text.replace("%3A", ":").replace("%25", "%")


def spellings(name: str) -> "tuple[str, ...]":
    """Return how a name may stand in a key: as encoded here and, where that differs, as 1.5.0 wrote it."""
    encoded = encode(name)
    return (encoded,) if encoded == name else (encoded, name)


def namespace_spellings(namespace: str) -> "tuple[str, ...]":
    """Return how a namespace may stand in a key. A raw spelling that encodes another namespace belongs to that one."""
    encoded = encode(namespace)
    return (encoded,) if encode(decode(namespace)) == namespace else (encoded, namespace)


def experiments_key(namespace: str) -> str:
    return f"{namespace}:experiments"


def counters_key(namespace: str) -> str:
    return f"{namespace}:counter_keys"


def experiment_counters_key(namespace: str, experiment: str) -> str:
    return f"{namespace}:{experiment}:counter_keys"


def meta_key(namespace: str, experiment: str) -> str:
    return f"{namespace}:{experiment}:meta"


def namespace_meta_key(namespace: str) -> str:
    """Return the key of what was ignored before any experiment was known."""
    return f"{namespace}:meta"


def counter_id(namespace: str, experiment: str, goal: str, variant: str, precision: int) -> str:
    """Return the id that the index lists. The names come encoded; precision 1 gives 1.5.0's own key."""
    plain = f"{namespace}:counters:{experiment}:{goal}:{variant}"
    return plain if precision == 1 else f"{plain}::{precision}"


def sharded_at_one(plain_id: str) -> str:
    """Return another id of precision 1, for a counter whose own key holds something else, such as Lamed's integer."""
    return f"{plain_id}::1"


def shard_of(counter: str, uuid: str) -> str:
    """Return the key of the HyperLogLog in which this counter counts this uuid."""
    precision = shards(counter)
    return counter if precision is None else f"{counter}:{crc32(uuid.encode()) % precision}"


def shards(counter: str) -> "int | None":
    """Return in how many shards a counter lies, None where its id is its key: 1.5.0 wrote names that look like a suffix."""
    return (
        _SUFFIXES.get(counter[counter.rfind("::") :])
        if counter.count(":") == _COLONS_WITH_SUFFIX
        else None
    )


def shard_keys(counter: str) -> "list[str]":
    """Return the keys of all HyperLogLogs that a counter may have."""
    precision = shards(counter)
    return [counter] if precision is None else [f"{counter}:{shard}" for shard in range(precision)]


def holds_raw_colon(counter: str) -> bool:
    """Tell whether a name in a counter id holds a colon as 1.5.0 wrote it, so that the id can be read in more than one way."""
    return counter.count(":") != _COLONS and shards(counter) is None


class Parser:
    """Reads counter ids back, knowing which namespace and experiments may be meant.

    A raw colon may let an id begin with the names of several experiments: the `owner` is meant, else the longest name. In a
    goal it is kept whole; in a variant it cannot be told apart from the goal's.
    """

    def __init__(self, namespace: str, experiments: "Iterable[str]") -> None:
        self._prefixes = tuple(
            f"{spelling}:counters:" for spelling in namespace_spellings(namespace)
        )
        self._experiments: dict[str, str] = {}
        for experiment in experiments:
            self._experiments.setdefault(
                experiment, experiment
            )  # a raw name gives way to the one that it encodes
            self._experiments[encode(experiment)] = experiment

    def parse(self, counter: str, owner: "str | None" = None) -> "tuple[str, str, str] | None":
        """Return (experiment, goal, variant) as names, None for an id of another namespace or experiment, or none at all.

        `owner` is the experiment in whose index the id was found; then None for every other experiment's.
        """
        for prefix in self._prefixes:
            if counter.startswith(prefix):
                break
        else:
            return None
        body = counter[len(prefix) :]
        if shards(counter) is not None:
            body = body[: body.rfind("::")]
        parts = body.split(":")
        for split in range(len(parts) - 2, 0, -1):
            experiment = self._experiments.get(":".join(parts[:split]))
            if experiment is not None and owner in (None, experiment):
                return experiment, decode(":".join(parts[split:-1])), decode(parts[-1])
        return None
