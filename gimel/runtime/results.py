"""`gimel.all` and `gimel.experiment`: what was counted, in slices and in pages of bounded size."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import chain, islice

from gimel.runtime import counts, fields, http, keys, parsing
from gimel.runtime.counts import ExperimentCounts
from gimel.runtime.errors import BadRequest
from gimel.runtime.redis.client import SLICE, texts
from gimel.runtime.refusals import ignored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gimel.runtime.formats import Request
    from gimel.runtime.process import Process
    from gimel.runtime.redis.client import Client
    from gimel.runtime.redis.resp import Command, Reply
    from gimel.runtime.snapshot import Histories

METHODS = ("GET",)
UNAVAILABLE = "the data store is unavailable; try again later"

# Lambda refuses an answer of more than 6,291,556 bytes. A page is at most this size, or what one
# goal of one experiment needs: with 1,000 counters of the longest names that is 6.0 million.
_PAGE = 5_000_000

_LIST_NAMESPACES = ("SSCAN", keys.NAMESPACES, 0, "COUNT", SLICE)  # one command, however many
_MOST_NAMESPACES = 200
_BYTES_OF_NAMESPACES = 100_000  # beside a page; the names of 50 namespaces, the usual limit, fit


def all(event: Any, context: Any = None) -> Any:  # noqa: A001 - 1.5.0's name for it
    """Return the experiments of a `namespace`, or those named in `scope`, separated by commas.

    The first item is `{"meta": {"scope": ..., "ignored": {reason: events}, "next": ...}}`, the
    others are as `ExperimentCounts.described` returns them. If `next` is not null, the answer was
    too large: the same call with `page` set to it returns what follows, beginning with further
    goals of the last experiment, if it has any. The first page's `meta` also has the `namespaces`
    that exist.

    With `history` "true", each experiment also has its `history`, as `History.described` returns
    it, and today's point is added to it where it has none.

    Concluded experiments are not among them. With `concluded` "true" they are returned instead, as
    `gimel.runtime.concluded` says.
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
    if _is_true(request.parameters, "concluded"):
        from gimel.runtime.concluded import answer

        return answer(process, namespace, wanted, page)
    histories = _histories(process) if _is_true(request.parameters, "history") else None
    experiments = counts.find(process.redis, namespace, wanted)
    if page:
        name, _, goal = page.partition(":")
        experiments = _from(experiments, parsing.decode(name), parsing.decode(goal))
    heads: list[Command] = [("HGETALL", keys.namespace_meta_key(keys.encode(namespace)))]
    if not page:
        heads.append(_LIST_NAMESPACES)
    (noted, *listed), items, following = _read(
        process.redis, heads, experiments, histories, is_scoped=wanted is not None
    )
    if histories is not None:
        histories.add_points(process.redis)
    meta = {"scope": scope, "ignored": ignored(counts.meta_fields(noted)), "next": following}
    for reply in listed:
        meta.update(_namespaces(reply))
    return [{"meta": meta}, *items]


def _one(request: Request, process: Process) -> Any:
    namespace = fields.namespace(request.parameters)
    name = fields.text(request.parameters, "experiment")
    found = counts.find(process.redis, namespace, [name])
    _, items, following = _read(process.redis, [], found, is_scoped=True)
    if following is not None:
        raise BadRequest("the answer is too large: call gimel.all with the experiment as its scope")
    return items[0]["goals"]


def _is_true(parameters: Mapping[str, Any], name: str) -> bool:
    """Return whether a parameter is true; it is false if it is missing. Raises BadRequest."""
    value = parameters.get(name)
    if value in (None, "", "false", False):
        return False
    if value not in ("true", True):
        raise BadRequest(f"{name} must be true or false")
    return True


def _histories(process: Process) -> Histories:
    """Return what reads histories."""
    from gimel.runtime.snapshot import Histories

    return Histories(int(process.now()))


def _from(experiments: list[ExperimentCounts], name: str, goal: str) -> list[ExperimentCounts]:
    """Return the experiments from this one on, which begins with this goal."""
    names = [each.name for each in experiments]
    if name not in names:
        return experiments[bisect(names, name) :]
    rest = experiments[names.index(name) :]
    rest[0].first_goal = goal
    return rest


def _read(
    redis: Client,
    heads: Sequence[Command],
    experiments: Sequence[ExperimentCounts],
    histories: Histories | None = None,
    *,
    is_scoped: bool = False,
) -> tuple[list[Reply], list[dict[str, Any]], str | None]:
    """Return the replies to `heads`, one page of experiments, and the name of the next page.

    The name consists of the experiment and the goal that the next page begins with. A concluded
    experiment is skipped or, if these were asked for by name, returned as one that is unknown.
    """
    commands = (chain([each.meta_command()], each.commands()) for each in experiments)
    replies = redis.stream(chain(heads, chain.from_iterable(commands)), optional=_LIST_NAMESPACES)
    head_replies = list(islice(replies, len(heads)))
    items: list[dict[str, Any]] = []
    room = _PAGE
    for each in experiments:
        each.read_meta(next(replies))
        each.read(redis, replies)
        if keys.CONCLUDED in each.fields:
            if not is_scoped:
                continue
            each = ExperimentCounts(each.namespace, each.name)
        history = each.take_history()
        goals = each.goals()
        room -= each.size(each.name)  # and of its participants
        if histories is not None:
            room -= histories.size(history)
        fitting = 0
        for goal in goals:
            room -= each.size(goal)
            if room < 0 and (items or fitting):
                break
            fitting += 1
        if fitting or not items or (room >= 0 and not goals):
            items.append(each.described(goals[:fitting]))
            if histories is not None:
                items[-1]["history"] = histories.described(each, history)
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
        room -= counts.size(name)
        if room < 0:
            break
        listed.append(name)
    return {"namespaces": listed, "more_namespaces": cursor != b"0" or len(listed) < len(names)}
