"""`gimel.all` and `gimel.experiment`: what was counted, in slices and in pages of bounded size."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from gimel.runtime import fields, http, keys, parsing
from gimel.runtime.errors import BadRequest
from gimel.runtime.event import PARTICIPATE
from gimel.runtime.hyperloglog import unrounded
from gimel.runtime.redis.client import SLICE, texts
from gimel.runtime.refusals import ignored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.formats import Request
    from gimel.runtime.process import Process
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply

METHODS = ("GET",)
UNAVAILABLE = "the data store is unavailable; try again later"
EXACT = "exact"
"""Stands for the precision of a count without counting error: an integer that Lamed left."""

_MAX_DIGITS = 20  # of such an integer

# Lambda refuses an answer of more than 6,291,556 bytes. A page is at most this size, or what one
# goal of one experiment needs: with 1,000 counters of the longest names that is 6.0 million.
_PAGE = 5_000_000
_ROW = 400  # bytes of a row at most, apart from its label
_BYTES_OF_CHARACTER = 14  # at most, if it is not ASCII: two escapes, their backslashes escaped

_LIST_NAMESPACES = ("SSCAN", keys.NAMESPACES, 0, "COUNT", SLICE)  # one command, however many
_MOST_NAMESPACES = 200
_BYTES_OF_NAMESPACES = 100_000  # beside a page; the names of 50 namespaces, the usual limit, fit


def all(event: Any, context: Any = None) -> Any:  # noqa: A001 - 1.5.0's name for it
    """Return the experiments of a `namespace`, or those named in `scope`, separated by commas.

    The first item is `{"meta": {"scope": ..., "ignored": {reason: events}, "next": ...}}`, the
    others are as `_Experiment.described` returns them. If `next` is not null, the answer was too
    large: the same call with `page` set to it returns what follows, beginning with further goals
    of the last experiment, if it has any. The first page's `meta` also has the `namespaces` that
    exist.
    """
    return http.answer(event, context, _all, methods=METHODS, unavailable=UNAVAILABLE)


def experiment(event: Any, context: Any = None) -> Any:
    """Return the goals of one `experiment` of a `namespace`: the `goals` of `gimel.all`."""
    return http.answer(event, context, _one, methods=METHODS, unavailable=UNAVAILABLE)


def _all(request: Request, process: Process) -> Any:
    namespace = fields.namespace(request.parameters)
    scope = request.parameters.get("scope") or None
    page = request.parameters.get("page") or ""
    if not isinstance(page, str):
        raise BadRequest("page must be text")
    wanted = None
    if scope is not None:
        if not isinstance(scope, str):
            raise BadRequest("scope must be text")
        wanted = [fields.text({"scope": name}, "scope") for name in scope.split(",")]
    experiments = _find(process.redis, namespace, wanted)
    if page:
        name, _, goal = page.partition(":")
        experiments = _from(experiments, parsing.decode(name), parsing.decode(goal))
    heads: list[Command] = [("HGETALL", keys.namespace_meta_key(keys.encode(namespace)))]
    if not page:
        heads.append(_LIST_NAMESPACES)
    (noted, *listed), items, following = _read(process.redis, heads, experiments)
    meta = {"scope": scope, "ignored": ignored(_fields(noted)), "next": following}
    for reply in listed:
        meta.update(_namespaces(reply))
    return [{"meta": meta}, *items]


def _one(request: Request, process: Process) -> Any:
    namespace = fields.namespace(request.parameters)
    name = fields.text(request.parameters, "experiment")
    _, items, following = _read(process.redis, [], _find(process.redis, namespace, [name]))
    if following is not None:
        raise BadRequest("the answer is too large: call gimel.all with the experiment as its scope")
    return items[0]["goals"]


def _find(redis: Client, namespace: str, wanted: Sequence[str] | None) -> list[_Experiment]:
    """Return the wanted experiments with their counters; None means all, sorted by name."""
    spaces = parsing.namespace_spellings(namespace)
    lists = [keys.experiments_key(space) for space in spaces]
    owners = _owners(spaces, wanted)
    known: set[str] = set()
    counters: dict[str, list[str | None]] = {}
    for key, members in redis.members([*lists, *owners]):
        if key not in owners:
            known.update(members)
            continue
        for counter in members:
            counters[counter] = owners[key] + counters.get(counter, [])
    names = sorted(known) if wanted is None else dict.fromkeys(wanted)
    found = {name: _Experiment(namespace, name) for name in names}
    parser = parsing.Parser(namespace, known.union(found))
    for counter, possible in counters.items():
        for owner in possible:
            parsed = parser.parse(counter, owner)
            if parsed is not None:
                name, goal, variant = parsed
                found[name].counters[counter] = goal, variant, keys.shards(counter)
    return list(found.values())


def _owners(spaces: Sequence[str], wanted: Sequence[str] | None) -> dict[str, list[str | None]]:
    """Return the indexes to read, each with the experiments that it may belong to, if to any."""
    if wanted is None:
        return {keys.counters_key(space): [None] for space in spaces}
    owners: dict[str, list[str | None]] = {}
    for experiment in wanted:
        for space in spaces:
            for name in parsing.spellings(experiment):
                index = keys.experiment_counters_key(space, name)
                owners.setdefault(index, []).append(experiment)
    return owners


def _from(experiments: list[_Experiment], name: str, goal: str) -> list[_Experiment]:
    """Return the experiments from this one on, which begins with this goal."""
    names = [each.name for each in experiments]
    if name not in names:
        return experiments[bisect(names, name) :]
    rest = experiments[names.index(name) :]
    rest[0].first_goal = goal
    return rest


def _read(
    redis: Client, heads: Sequence[Command], experiments: Sequence[_Experiment]
) -> tuple[list[Reply], list[dict[str, Any]], str | None]:
    """Return the replies to `heads`, one page of experiments, and the name of the next page.

    The name consists of the experiment and the goal that the next page begins with.
    """
    commands = [*heads, *(("HGETALL", each.meta_key) for each in experiments)]
    counts = chain.from_iterable(each.commands() for each in experiments)
    replies = redis.stream(chain(commands, counts), optional=_LIST_NAMESPACES)
    head_replies = list(islice(replies, len(heads)))
    metas = list(islice(replies, len(experiments)))
    items: list[dict[str, Any]] = []
    room = _PAGE
    for each, meta in zip(experiments, metas, strict=True):
        each.read(redis, replies)
        goals = each.goals()
        room -= each.size(each.name)  # and of its participants
        fitting = 0
        for goal in goals:
            room -= each.size(goal)
            if room < 0 and (items or fitting):
                break
            fitting += 1
        if fitting or not items or (room >= 0 and not goals):
            items.append(each.described(meta, goals[:fitting]))
            if fitting == len(goals):
                continue
        first_goal = goals[fitting] if goals else ""
        return head_replies, items, f"{keys.encode(each.name)}:{keys.encode(first_goal)}"
    return head_replies, items, None


def _namespaces(reply: Reply) -> dict[str, Any]:
    """Return the fields of `meta` that list the namespaces: their first names, and if it has more.

    The names are null if Redis refuses, as it does to a user that may not read their key.
    """
    if not isinstance(reply, list):
        return {"namespaces": None, "more_namespaces": False}
    cursor, members = reply
    names = sorted(set(texts(members)))
    listed = []
    room = _BYTES_OF_NAMESPACES
    for name in names[:_MOST_NAMESPACES]:
        room -= _bytes(name)
        if room < 0:
            break
        listed.append(name)
    return {"namespaces": listed, "more_namespaces": cursor != b"0" or len(listed) < len(names)}


class _Experiment:
    """The counts of one experiment: per goal and variant the parts of the count, by precision."""

    def __init__(self, namespace: str, name: str) -> None:
        self.name = name
        self.meta_key = keys.meta_key(keys.encode(namespace), keys.encode(name))
        self.counters: dict[str, tuple[str, str, int | None]] = {}
        """The ids of its counters, each with its goal, its variant and how many shards it has."""
        self.first_goal = ""
        """The goal that its part of a page begins with."""
        self._counts: dict[tuple[str, str], dict[str, int]] = {}
        self._variants: list[str] = []
        self._unreadable = 0

    def commands(self) -> Iterator[Command]:
        """Yield the commands that read its counters."""
        for counter, (_, _, shards) in self.counters.items():
            for key in (counter,) if shards is None else keys.shard_keys(counter):
                encoded = key.encode()
                yield b"*2\r\n$7\r\nPFCOUNT\r\n$%d\r\n%b\r\n" % (len(encoded), encoded)

    def read(self, redis: Client, replies: Iterator[Reply]) -> None:
        """Take the replies for its counters."""
        occupied = []  # plain keys that hold something else: an integer that Lamed left?
        for counter, (goal, variant, shards) in self.counters.items():
            counts = [n for n in islice(replies, shards or 1) if isinstance(n, int)]
            if len(counts) < (shards or 1):
                self._unreadable += 1
                if shards is None:
                    occupied.append(counter)
            elif len(counts) == 1:
                self._add(goal, variant, "1", counts[0])
            else:
                self._add(goal, variant, str(shards), round(sum(map(unrounded, counts))))
        contents = redis.read([("GETRANGE", counter, 0, _MAX_DIGITS) for counter in occupied])
        for counter, content in zip(occupied, contents, strict=True):
            if isinstance(content, bytes) and content.isdigit() and len(content) <= _MAX_DIGITS:
                self._add(*self.counters[counter][:2], EXACT, int(content))
                self._unreadable -= 1
        self._variants = sorted({variant for _, variant in self._counts})

    def goals(self) -> list[str]:
        """Return the names of its goals, from the first of this page on."""
        goals = {goal for goal, _ in self._counts} - {PARTICIPATE}
        return sorted(goal for goal in goals if goal >= self.first_goal)

    def size(self, goal: str) -> int:
        """Return how many bytes the goal takes at most in Lambda's answer."""
        labels = (goal, *self._variants)
        return _ROW * len(labels) + _bytes("".join(labels))

    def described(self, meta: Reply, goals: Iterable[str]) -> dict[str, Any]:
        """Return the experiment with these goals as the API answers it.

        `goals` and its `results` are those of 1.5.0. `participants` are the trials, even before
        any goal was reached. `successes_by_precision` and `trials_by_precision` show the counting
        error: {"16": n} is a sum of 16 HyperLogLogs, {"exact": n} has no error. `since` is the
        time of the first event (seconds since 1970) or null, `precision` the one that it began
        with or null, `ignored` is {reason: events}, and `unreadable` the number of counters whose
        keys hold something that is not a count.
        """
        participants = [
            {"label": variant, **self._figure("trials", PARTICIPATE, variant)}
            for variant in self._variants
        ]
        noted = _fields(meta)
        return {
            "experiment": self.name,
            "goals": [
                {
                    "goal": goal,
                    "results": [
                        {**each, **self._figure("successes", goal, variant)}
                        for each, variant in zip(participants, self._variants, strict=True)
                    ],
                }
                for goal in goals
            ],
            "participants": participants,
            "since": _number(noted.get("since")),
            "precision": _number(noted.get("precision")),
            "ignored": ignored(noted),
            "unreadable": self._unreadable,
        }

    def _add(self, goal: str, variant: str, precision: str, number: int) -> None:
        parts = self._counts.setdefault((goal, variant), {})
        parts[precision] = parts.get(precision, 0) + number

    def _figure(self, name: str, goal: str, variant: str) -> dict[str, Any]:
        parts = self._counts.get((goal, variant), {})
        if len(parts) > 1:
            parts = dict(sorted(parts.items()))
        return {name: sum(parts.values()), f"{name}_by_precision": parts}


def _bytes(text: str) -> int:
    """Return how many bytes a text takes at most in Lambda's answer."""
    return len(text) * (4 if text.isascii() else _BYTES_OF_CHARACTER)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) <= _MAX_DIGITS else None


def _fields(meta: Reply) -> dict[str, str]:
    """Return the fields of a meta hash, which are text if Gimel wrote them."""
    members = meta if isinstance(meta, list) else []
    values = [each.decode("utf-8", "replace") for each in members if isinstance(each, bytes)]
    return dict(zip(values[::2], values[1::2], strict=False))
