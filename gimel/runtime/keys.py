"""The layout of Redis: names to keys. `parsing` reads them back.

In a name only `:` and `%` are percent-encoded, so the keys that Gimel 1.5.0 wrote stay valid.

A counter's id says what it counts: `{ns}:counters:{experiment}:{goal}:{variant}` is the key of one
HyperLogLog. Followed by `::{k}` it is the sum of the k shards `{id}:0` to `{id}:{k-1}`.
"""

NAMESPACES = "gimel:namespaces"
"""The one key outside a namespace: the set of namespaces, to list them and limit their number."""

PRECISIONS = (1, 4, 16, 64, 256)
"""How many HyperLogLogs a counter may be split into."""

CONCLUDED = "concluded"
"""The field of a meta hash that makes its experiment a concluded one: the record, as JSON.

It is also the token of the entries in the deletion record that keep the counters of such an
experiment until it is too late to reopen it.
"""

_SUFFIXES = {f"::{k}": k for k in PRECISIONS}
_COLONS_WITH_SUFFIX = 6  # in an id whose names contain none


def encode(name: str) -> str:
    """Return the name as it is written in a key, without colons."""
    return name.replace("%", "%25").replace(":", "%3A")


def experiments_key(namespace: str) -> str:
    return f"{namespace}:experiments"


def counters_key(namespace: str) -> str:
    return f"{namespace}:counter_keys"


def experiment_counters_key(namespace: str, experiment: str) -> str:
    return f"{namespace}:{experiment}:counter_keys"


def meta_key(namespace: str, experiment: str) -> str:
    return f"{namespace}:{experiment}:meta"


def namespace_meta_key(namespace: str) -> str:
    """Return the key of the events that were ignored and belong to no known experiment."""
    return f"{namespace}:meta"


def counter_id(namespace: str, experiment: str, goal: str, variant: str, precision: int) -> str:
    """Return the id that the indexes list. The names are encoded; precision 1 is 1.5.0's key."""
    plain = f"{namespace}:counters:{experiment}:{goal}:{variant}"
    return plain if precision == 1 else f"{plain}::{precision}"


def sharded_at_one(plain_id: str) -> str:
    """Return another id of precision 1, for a counter whose own key is occupied.

    Lamed, for one, left an integer there.
    """
    return f"{plain_id}::1"


def shards(counter: str) -> "int | None":
    """Return how many shards a counter has, None where its id is its key.

    The colons are counted because names of 1.5.0 may look like a suffix.
    """
    return (
        _SUFFIXES.get(counter[counter.rfind("::") :])
        if counter.count(":") == _COLONS_WITH_SUFFIX
        else None
    )


def shard_keys(counter: str) -> "list[str]":
    """Return the keys of all the HyperLogLogs that a counter may have."""
    precision = shards(counter)
    return [counter] if precision is None else [f"{counter}:{shard}" for shard in range(precision)]


def deleting_key(namespace: str, experiment: str) -> str:
    """Return the key of an experiment's deletion record."""
    return f"{namespace}:{experiment}:deleting"


def concluded_key(namespace: str) -> str:
    """Return the key of the set of experiments that were concluded."""
    return f"{namespace}:concluded"


def deletion_entry(token: str, since: int, counter: str) -> str:
    """Return an entry of a deletion record: who deletes the counter, since when (s), its id."""
    return f"{token} {since} {counter}"


def is_kept_entry(entry: str) -> bool:
    """Return whether an entry is of a concluded experiment: its counter is kept for a while."""
    return entry.startswith(f"{CONCLUDED} ")


def parse_deletion_entry(entry: str) -> tuple[int, str]:
    """Return the time (s) and the counter id of an entry, or 0 and "" if it is malformed."""
    _, since, counter = (*entry.split(" ", 2), "", "")[:3]
    return int(since) if since.isdecimal() and len(since) < 12 else 0, counter
