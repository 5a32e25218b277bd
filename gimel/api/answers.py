"""The JSON of `GET /experiments`, parsed once and strictly into counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gimel.analysis.counts import Count
from gimel.analysis.experiment import Counted, NamespaceCounts
from gimel.errors import GimelError

_MOST = 1e20  # the longest integer that the runtime reads has 20 digits

_Number = Annotated[float, Field(ge=0, le=_MOST)]
_Parts = dict[Annotated[str, Field(pattern=r"^(exact|[1-9][0-9]{0,5})$")], _Number]


def parse(answer: object, source: str = "the API") -> NamespaceCounts:
    """Return what `GET /experiments` answered, as JSON; that of Gimel 1.5.0, which tells no precision, counts as precision 1.

    Raises GimelError that names the source and what is wrong, for anything that is not such an answer.
    """
    if not isinstance(answer, list) or not answer:
        raise _not_an_answer(source, 'no list that begins with "meta"')
    experiments: list[Counted] = []
    place = 0
    try:
        meta = _Head.model_validate(answer[0]).meta
        for place in range(1, len(answer)):
            experiments.append(_counted(_Experiment.model_validate(answer[place])))
        _once("experiment", [experiment.name for experiment in experiments])
    except ValidationError as error:
        mistake = error.errors(include_url=False)[0]
        key = "".join(
            f".{part}" if isinstance(part, str) else f"[{part}]"
            for part in (place, *mistake["loc"])
        )
        expected = (
            "should be an object"
            if mistake["type"] == "model_type"
            else mistake["msg"].removeprefix("Input ")
        )
        raise _not_an_answer(source, f"{key} {expected}") from None
    except ValueError as error:
        raise _not_an_answer(source, str(error)) from None
    return NamespaceCounts(tuple(experiments), meta.ignored)


class _Model(BaseModel):
    """A JSON object that has at least these keys, of exactly these types; what a newer Gimel adds is passed over."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


class _Meta(_Model):
    ignored: dict[str, Annotated[int, Field(ge=0)]] = {}


class _Head(_Model):
    meta: _Meta


class _Participant(_Model):
    label: str
    trials: _Number
    trials_by_precision: _Parts | None = None

    @property
    def visitors(self) -> Count:
        return Count.of(
            {"1": self.trials} if self.trials_by_precision is None else self.trials_by_precision
        )


class _Result(_Participant):
    successes: _Number
    successes_by_precision: _Parts | None = None

    @property
    def conversions(self) -> Count:
        return Count.of(
            {"1": self.successes}
            if self.successes_by_precision is None
            else self.successes_by_precision
        )


class _Goal(_Model):
    goal: str
    results: list[_Result]


class _Experiment(_Model):
    experiment: str
    goals: list[_Goal]
    participants: list[_Participant] = []
    since: Annotated[int, Field(ge=0)] | None = None
    ignored: dict[str, Annotated[int, Field(ge=0)]] = {}
    unreadable: Annotated[int, Field(ge=0)] = 0


def _counted(item: _Experiment) -> Counted:
    """Return an item of the answer as counts. Raises ValueError where a name stands twice.

    1.5.0 tells the visitors beside each goal only, counted anew each time: the largest count is the latest.
    """
    _once("variant", [row.label for row in item.participants])
    _once("goal", [goal.goal for goal in item.goals])
    visitors = {row.label: row.visitors for row in item.participants}
    goals = {}
    for goal in item.goals:
        _once("variant", [row.label for row in goal.results])
        for row in goal.results:
            visitors[row.label] = max(
                visitors.get(row.label, Count()), row.visitors, key=lambda count: count.value
            )
        goals[goal.goal] = {row.label: row.conversions for row in goal.results}
    return Counted(
        item.experiment,
        visitors,
        dict(sorted(goals.items())),
        item.since,
        item.ignored,
        item.unreadable,
    )


def _once(kind: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"the {kind} {name!r} stands there twice")
        seen.add(name)


def _not_an_answer(source: str, reason: str) -> GimelError:
    return GimelError(
        f"{source} does not answer as Gimel does: {reason}.", "Is it the address of Gimel's API?"
    )
