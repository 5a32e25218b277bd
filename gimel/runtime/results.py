"""`gimel.all` and `gimel.experiment`: what was counted, in two round trips however many experiments there are."""

from gimel.runtime import fields, http, keys
from gimel.runtime.errors import BadRequest, ServerError, WrongTypeError
from gimel.runtime.hyperloglog import unrounded
from gimel.runtime.redis import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gimel.runtime.http import Request
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply
    from gimel.runtime.settings import Settings

METHODS = ("GET",)
PARTICIPATE = "participate"
EXACT = "exact"

_LONGEST_INTEGER = 20


def all(event: "Any", context: "Any" = None) -> "Any":  # noqa: A001 - the name that 1.5.0's wiring gave it
    """Answer every experiment of a `namespace`, or those that `scope` lists, divided by commas.

    The first item is `{"meta": {"scope": ..., "ignored": {reason: events}}}`, each further one as `_Experiment.described`.
    """
    return http.answer(event, context, METHODS, _all)


def experiment(event: "Any", context: "Any" = None) -> "Any":
    """Answer the goals of one `experiment` of a `namespace`: the `goals` of `gimel.all`."""
    return http.answer(event, context, METHODS, _experiment)


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


def _experiment(request: "Request", settings: "Settings", context: "Any") -> "Any":
    namespace = fields.namespace(request.parameters)
    name = fields.text(request.parameters, "experiment")
    redis = process.client(settings.redis, context)
    experiments, _ = _read(redis, namespace, [name])
    return experiments[0]["goals"]


def _read(
    redis: "Client", namespace: str, wanted: "Sequence[str] | None"
) -> "tuple[list[dict[str, Any]], dict[str, int]]":
    """Return the experiments wanted, or all of them sorted by name, and what was ignored in the namespace as a whole."""
    spaces = keys.namespace_spellings(namespace)
    lists = [keys.experiments_key(space) for space in spaces]
    indexes: list[tuple[str, str | None]]  # each with the experiment that it belongs to
    if wanted is None:
        indexes = [(keys.counters_key(space), None) for space in spaces]
    else:
        indexes = [
            (keys.experiment_counters_key(space, name), experiment)
            for space in spaces
            for experiment in wanted
            for name in keys.spellings(experiment)
        ]
    replies = process.read(
        redis, [("SMEMBERS", key) for key in (*lists, *(index for index, _ in indexes))]
    )
    known = {name for reply in replies[: len(lists)] for name in process.texts(reply)}
    names = sorted(known) if wanted is None else wanted
    found = {name: _Experiment() for name in names}
    parser = keys.Parser(namespace, known.union(names))
    counters = {}
    for (_, owner), reply in zip(indexes, replies[len(lists) :], strict=True):
        for counter in process.texts(reply):
            parsed = parser.parse(counter, owner)
            if parsed is not None:
                counters[counter] = parsed
    meta_keys = [keys.meta_key(spaces[0], keys.encode(name)) for name in names]
    namespace_meta, *metas = _count_all(
        redis, counters, [keys.namespace_meta_key(spaces[0]), *meta_keys], found
    )
    return [
        found[name].described(name, meta) for name, meta in zip(names, metas, strict=True)
    ], _ignored(namespace_meta)


def _count_all(
    redis: "Client",
    counters: "Mapping[str, tuple[str, str, str]]",
    meta_keys: "Sequence[str]",
    found: "Mapping[str, _Experiment]",
) -> "list[Reply]":
    """Add up every counter in its experiment; return the replies for the meta keys, WrongTypeError among them."""
    commands: list[Command] = [("HGETALL", key) for key in meta_keys]
    for counter in counters:
        commands += [("PFCOUNT", key) for key in keys.shard_keys(counter)]
        if keys.shards(counter) is None:
            commands.append(
                ("GETRANGE", counter, 0, _LONGEST_INTEGER)
            )  # where Lamed left an integer
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
    """Return what a counter counted as (precision or `exact`, number), None where its keys hold no count at all."""
    shards = replies[:1] if precision is None else replies
    counts = [reply for reply in shards if isinstance(reply, int)]
    if len(counts) == len(shards):
        return str(precision or 1), counts[0] if precision in (None, 1) else round(
            sum(map(unrounded, counts))
        )
    content = replies[-1]
    if (
        precision is None
        and isinstance(content, bytes)
        and content.isdigit()
        and len(content) <= _LONGEST_INTEGER
    ):
        return EXACT, int(content)
    return None


class _Experiment:
    """The counts of one experiment: for each goal and variant the parts that make it up, by precision."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], dict[str, int]] = {}
        self.unreadable = 0

    def add(self, goal: str, variant: str, precision: str, number: int) -> None:
        parts = self._counts.setdefault((goal, variant), {})
        parts[precision] = parts.get(precision, 0) + number

    def described(self, name: str, meta: "Reply") -> "dict[str, Any]":
        """Return the experiment as the API answers it.

        `goals` and its `results` are 1.5.0's; `participants` are the trials even before any goal. `successes_by_precision` and
        `trials_by_precision` tell the counting error: {"16": n} is a sum of 16 HyperLogLogs, {"exact": n} has no error.
        `since` is the time of the first event (seconds since 1970) or null, `ignored` {reason: events}, `unreadable` the number
        of counters whose keys hold something that is no count.
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
