"""`gimel.all` and `gimel.experiment`: what was counted, read in two round trips."""

from gimel.runtime import fields, http, keys, parsing
from gimel.runtime.errors import BadRequest, ServerError, WrongTypeError
from gimel.runtime.event import PARTICIPATE
from gimel.runtime.hyperloglog import unrounded
from gimel.runtime.redis import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    from gimel.runtime.event import Request
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply
    from gimel.runtime.settings import Settings

    Names: TypeAlias = tuple[str, str, str]  # experiment, goal, variant

METHODS = ("GET",)
UNAVAILABLE = "the data store is unavailable; try again later"
EXACT = "exact"
"""Stands for the precision of a count without counting error: an integer that Lamed left."""

_MAX_DIGITS = 20  # of such an integer


def all(event: "Any", context: "Any" = None) -> "Any":  # noqa: A001 - 1.5.0's name for it
    """Return all experiments of a `namespace`, or those named in `scope`, separated by commas.

    The first item is `{"meta": {"scope": ..., "ignored": {reason: events}}}`, the others are as
    `_Experiment.described` returns them.
    """
    return http.answer(event, context, _all, methods=METHODS, unavailable=UNAVAILABLE)


def experiment(event: "Any", context: "Any" = None) -> "Any":
    """Return the goals of one `experiment` of a `namespace`: the `goals` of `gimel.all`."""
    return http.answer(event, context, _one, methods=METHODS, unavailable=UNAVAILABLE)


def _all(request: "Request", settings: "Settings", context: "Any") -> "Any":
    namespace = fields.namespace(request.parameters)
    scope = request.parameters.get("scope") or None
    wanted = None
    if scope is not None:
        if not isinstance(scope, str):
            raise BadRequest("scope must be text")
        wanted = [fields.text({"scope": name}, "scope") for name in scope.split(",")]
    redis = process.client(settings.redis, context)
    experiments, ignored = _read(redis, namespace, wanted)
    return [{"meta": {"scope": scope, "ignored": ignored}}, *experiments]


def _one(request: "Request", settings: "Settings", context: "Any") -> "Any":
    namespace = fields.namespace(request.parameters)
    name = fields.text(request.parameters, "experiment")
    redis = process.client(settings.redis, context)
    experiments, _ = _read(redis, namespace, [name])
    return experiments[0]["goals"]


def _read(
    redis: "Client", namespace: str, wanted: "Sequence[str] | None"
) -> "tuple[list[dict[str, Any]], dict[str, int]]":
    """Return the wanted experiments, and the ignored events that belong to no known experiment.

    None means all experiments, sorted by name.
    """
    names, counters = _read_indexes(redis, namespace, wanted)
    space = keys.encode(namespace)
    meta_keys = [keys.meta_key(space, keys.encode(name)) for name in names]
    found = {name: _Experiment() for name in names}
    metas = _read_counts(redis, counters, [keys.namespace_meta_key(space), *meta_keys], found)
    experiments = [
        found[name].described(name, meta) for name, meta in zip(names, metas[1:], strict=True)
    ]
    return experiments, _ignored(metas[0])


def _read_indexes(
    redis: "Client", namespace: str, wanted: "Sequence[str] | None"
) -> "tuple[Sequence[str], dict[str, Names]]":
    """Return the names of the experiments, and the names of each of their counters by its id."""
    spaces = parsing.namespace_spellings(namespace)
    lists = [keys.experiments_key(space) for space in spaces]
    indexes = _indexes(spaces, wanted)
    replies = process.read(
        redis, [("SMEMBERS", key) for key in (*lists, *(index for index, _ in indexes))]
    )
    known = {name for reply in replies[: len(lists)] for name in process.texts(reply)}
    names = sorted(known) if wanted is None else wanted
    parser = parsing.Parser(namespace, known.union(names))
    counters = {}
    for (_, owner), reply in zip(indexes, replies[len(lists) :], strict=True):
        for counter in process.texts(reply):
            parsed = parser.parse(counter, owner)
            if parsed is not None:
                counters[counter] = parsed
    return names, counters


def _indexes(
    spaces: "Iterable[str]", wanted: "Sequence[str] | None"
) -> "list[tuple[str, str | None]]":
    """Return the indexes to read, each with the experiment that it belongs to, if it has one."""
    if wanted is None:
        return [(keys.counters_key(space), None) for space in spaces]
    return [
        (keys.experiment_counters_key(space, name), experiment)
        for space in spaces
        for experiment in wanted
        for name in parsing.spellings(experiment)
    ]


def _read_counts(
    redis: "Client",
    counters: "Mapping[str, Names]",
    meta_keys: "Sequence[str]",
    found: "Mapping[str, _Experiment]",
) -> "list[Reply]":
    """Add each counter to its experiment. Return the replies for the meta keys.

    A reply is a WrongTypeError where the key holds something else.
    """
    commands: list[Command] = [("HGETALL", key) for key in meta_keys]
    for counter in counters:
        commands += [("PFCOUNT", key) for key in keys.shard_keys(counter)]
        if keys.shards(counter) is None:  # an integer that Lamed may have left
            commands.append(("GETRANGE", counter, 0, _MAX_DIGITS))
    replies = redis.execute(commands)
    for reply in replies:
        if isinstance(reply, ServerError) and not isinstance(reply, WrongTypeError):
            raise reply
    position = len(meta_keys)
    for counter, (experiment, goal, variant) in counters.items():
        precision = keys.shards(counter)
        size = precision or 2
        part = _part(precision, replies[position : position + size])
        position += size
        if part is None:
            found[experiment].unreadable += 1
        else:
            found[experiment].add(goal, variant, *part)
    return replies[: len(meta_keys)]


def _part(precision: "int | None", replies: "Sequence[Reply]") -> "tuple[str, int] | None":
    """Return what a counter counted as (precision or EXACT, number).

    Return None where its keys hold something that is not a count.
    """
    shards = replies[:1] if precision is None else replies
    counts = [reply for reply in shards if isinstance(reply, int)]
    if len(counts) == len(shards):
        if precision in (None, 1):
            return "1", counts[0]
        return str(precision), round(sum(map(unrounded, counts)))
    if precision is None:
        content = replies[1]
        if isinstance(content, bytes) and content.isdigit() and len(content) <= _MAX_DIGITS:
            return EXACT, int(content)
    return None


class _Experiment:
    """The counts of one experiment: per goal and variant the parts of the count, by precision."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], dict[str, int]] = {}
        self.unreadable = 0

    def add(self, goal: str, variant: str, precision: str, number: int) -> None:
        parts = self._counts.setdefault((goal, variant), {})
        parts[precision] = parts.get(precision, 0) + number

    def described(self, name: str, meta: "Reply") -> "dict[str, Any]":
        """Return the experiment as the API answers it.

        `goals` and its `results` are those of 1.5.0. `participants` are the trials, even before
        any goal was reached. `successes_by_precision` and `trials_by_precision` show the counting
        error: {"16": n} is a sum of 16 HyperLogLogs, {"exact": n} has no error. `since` is the
        time of the first event (seconds since 1970) or null, `ignored` is {reason: events}, and
        `unreadable` the number of counters whose keys hold something that is not a count.
        """
        variants = sorted({variant for _, variant in self._counts})
        goals = sorted({goal for goal, _ in self._counts} - {PARTICIPATE})
        participants = [
            {"label": variant, **self._figure("trials", PARTICIPATE, variant)}
            for variant in variants
        ]
        since = _fields(meta).get("since", "")
        return {
            "experiment": name,
            "goals": [
                {
                    "goal": goal,
                    "results": [
                        {
                            **participant,
                            **self._figure("successes", goal, str(participant["label"])),
                        }
                        for participant in participants
                    ],
                }
                for goal in goals
            ],
            "participants": participants,
            "since": int(since) if since.isdecimal() else None,
            "ignored": _ignored(meta),
            "unreadable": self.unreadable,
        }

    def _figure(self, name: str, goal: str, variant: str) -> "dict[str, Any]":
        parts = self._counts.get((goal, variant), {})
        return {name: sum(parts.values()), f"{name}_by_precision": dict(sorted(parts.items()))}


def _fields(reply: "Reply") -> "dict[str, str]":
    values = list(process.texts(reply))
    return dict(zip(values[::2], values[1::2], strict=False))


def _ignored(meta: "Reply") -> "dict[str, int]":
    from gimel.runtime.refusals import ignored

    return ignored(_fields(meta))
