"""The JSON of `GET /experiments`, parsed once and strictly into counts.

An answer may have several pages. Nothing behind this module looks into the JSON, or knows of the
pages. It does not know how an answer is received.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from gimel.analysis.counts import Count, ExperimentCounts, NamespaceCounts, Point
from gimel.errors import GimelError

_MOST = 1e20  # the longest integer that the runtime reads has 20 digits
_PARTICIPATE = "participate"  # the event of a visitor who sees a variant
MOST_PAGES = 1000  # of 5 MB: more than a namespace can hold

_Number = Annotated[float, Field(ge=0, le=_MOST)]
_Parts = dict[Annotated[str, Field(pattern=r"^(exact|[1-9][0-9]{0,5})$")], _Number]


def parse(answer: object, source: str = "the API") -> NamespaceCounts:
    """Return the counts in an answer of `GET /experiments` that has one page, as parsed JSON.

    Raises:
        GimelError: It is not such an answer, or has more pages.
    """

    def fetch(page: str | None) -> object:
        if page is not None:
            raise malformed(source, "expected one page")
        return answer

    return read(fetch, source)


def read(fetch: Callable[[str | None], object], source: str) -> NamespaceCounts:
    """Return the counts on all pages of an answer of `GET /experiments`.

    `fetch(page)` returns a page as parsed JSON; None stands for the first. Counts from Gimel 1.5.0,
    which reports no precision, have precision 1. A server without pages has one, and one that does
    not list the namespaces leaves them unknown.

    Raises:
        GimelError: A page is not such an answer; the message names `source` and the first mistake.
            Or a page was named twice, or there are too many.
    """
    read_items: list[_Experiment] = []
    metas: list[_Meta] = []
    pages: list[str | None] = [None]
    for page in pages:
        meta, found = _parse_page(fetch(page), source)
        if read_items and found and read_items[-1].experiment == found[0].experiment:
            read_items[-1] = _join(read_items[-1], found.pop(0))
        read_items += found
        metas.append(meta)
        if meta.next is not None:
            if meta.next in pages or len(pages) == MOST_PAGES:
                raise malformed(source, "its pages have no end")
            pages.append(meta.next)
    try:
        _require_unique("experiment", [item.experiment for item in read_items])
        experiments = tuple(map(_experiment, read_items))
    except ValueError as error:
        raise malformed(source, str(error)) from None
    first, last = metas[0], metas[-1]
    names = None if first.namespaces is None else tuple(sorted(set(first.namespaces)))
    return NamespaceCounts(experiments, last.ignored, names, first.more_namespaces)


def _parse_page(answer: object, source: str) -> tuple[_Meta, list[_Experiment]]:
    head, *found = items(answer, _Head, _Experiment, source)
    return head.meta, found


def items(answer: object, head: type[Model], item: type[Model], source: str) -> list[Any]:
    """Return the head and the items of a page, validated. Raises GimelError."""
    if not isinstance(answer, list) or not answer:
        raise malformed(source, 'expected a list that begins with "meta"')
    found: list[Any] = []
    try:
        for each in answer:
            found.append((item if found else head).model_validate(each))
    except ValidationError as error:
        raise malformed(source, _describe(error, len(found))) from None
    return found


def _join(first: _Experiment, rest: _Experiment) -> _Experiment:
    """Return an experiment whose goals are on two pages. What both pages have, `rest` has later."""
    return rest.model_copy(update={"goals": [*first.goals, *rest.goals]})


class Model(BaseModel):
    """A JSON object with at least these keys, of exactly these types.

    Keys that a newer Gimel adds are skipped.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


class _Meta(Model):
    ignored: dict[str, Annotated[int, Field(ge=0)]] = {}
    next: str | None = None
    namespaces: list[str] | None = None
    more_namespaces: bool = False


class _Head(Model):
    meta: _Meta


class _Participant(Model):
    label: str
    trials: _Number
    trials_by_precision: _Parts | None = None

    @property
    def visitors(self) -> Count:
        return _count(self.trials, self.trials_by_precision)


class _Result(_Participant):
    successes: _Number
    successes_by_precision: _Parts | None = None

    @property
    def conversions(self) -> Count:
        return _count(self.successes, self.successes_by_precision)


class _Goal(Model):
    goal: str
    results: list[_Result]


class History(Model):
    """The counts of earlier times: a column per part of a count, a row per time.

    A column is named by goal, variant and precision; the goal of visitors is "participate". A row
    begins with the time in seconds since 1970. A null is a counter that did not exist yet.
    """

    columns: list[Annotated[list[str], Field(min_length=3, max_length=3)]] = []
    points: list[list[Annotated[int, Field(ge=0)] | None]] = []

    @model_validator(mode="after")
    def _check_rows(self) -> Self:
        if any(len(row) != len(self.columns) + 1 or row[0] is None for row in self.points):
            raise ValueError("must have rows of a time and one number per column")
        return self


class _Experiment(Model):
    experiment: str
    goals: list[_Goal]
    participants: list[_Participant] = []
    since: Annotated[int, Field(ge=0)] | None = None
    precision: Annotated[int, Field(gt=0)] | None = None
    ignored: dict[str, Annotated[int, Field(ge=0)]] = {}
    unreadable: Annotated[int, Field(ge=0)] = 0
    history: History = History()


def _count(total: float, parts: Mapping[str, float] | None) -> Count:
    """Return a count of these parts by precision; 1.5.0 reports only the total."""
    return Count.from_parts({"1": total} if parts is None else parts)


def _experiment(item: _Experiment) -> ExperimentCounts:
    """Return an item of the answer as counts. Raises ValueError if it has a name twice.

    1.5.0 reports visitors only beside each goal, counted again each time: the largest count is the
    latest.
    """
    _require_unique("variant", [row.label for row in item.participants])
    _require_unique("goal", [goal.goal for goal in item.goals])
    visitors = {row.label: row.visitors for row in item.participants}
    goals = {}
    for goal in item.goals:
        _require_unique("variant", [row.label for row in goal.results])
        for row in goal.results:
            counted = (visitors.get(row.label, Count()), row.visitors)
            visitors[row.label] = max(counted, key=lambda count: count.value)
        goals[goal.goal] = {row.label: row.conversions for row in goal.results}
    return ExperimentCounts(
        item.experiment,
        visitors,
        dict(sorted(goals.items())),
        item.since,
        item.ignored,
        item.unreadable,
        item.precision,
        tuple(points(item.history)),
    )


def points(history: History) -> Iterator[Point]:
    for time, *numbers in history.points:
        parts: dict[tuple[str, str], dict[str, float]] = {}
        for (goal, variant, precision), number in zip(history.columns, numbers, strict=True):
            if number is not None:
                parts.setdefault((goal, variant), {})[precision] = number
        visitors: dict[str, Count] = {}
        goals: dict[str, dict[str, Count]] = {}
        for (goal, variant), found in parts.items():
            counts = visitors if goal == _PARTICIPATE else goals.setdefault(goal, {})
            counts[variant] = Count.from_parts(found)
        yield Point(time or 0, visitors, goals)


def _require_unique(kind: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"the {kind} {name!r} appears twice")
        seen.add(name)


def _describe(error: ValidationError, index: int) -> str:
    """Return the first mistake in item `index`: "[1].goals[0].goal should be a valid string"."""
    mistake: Any = error.errors(include_url=False)[0]
    path = "".join(
        f".{part}" if isinstance(part, str) else f"[{part}]" for part in (index, *mistake["loc"])
    )
    if mistake["type"] == "model_type":
        return f"{path} should be an object"
    return f"{path} {mistake['msg'].removeprefix('Input ')}"


def malformed(source: str, reason: str) -> GimelError:
    return GimelError(
        f"{source} did not answer as Gimel does: {reason}.",
        "Check that this is the address of Gimel's API.",
    )
