"""The overview of a namespace: a row per experiment, ordered and filtered."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gimel.analysis.experiment import Experiment
from gimel.report.figures import MISSING, format_age, format_count, format_start, visible
from gimel.report.plots import MOST_LIFT, Axis, lift_axis
from gimel.report.summary import (
    State,
    brief,
    headline_comparison,
    headline_goal,
    headline_lift,
    in_order,
    listed_word,
    mark_of,
    state_of,
    unnamed_variant,
)
from gimel.report.views import LiftView, anchor, lift_view


@dataclass(frozen=True)
class OverviewRow:
    """An experiment in the overview.

    `goal` is that of the lift; `variant` too, unless there is only one or the brief names it. The
    row `is_hidden` if its name does not match the search.
    """

    anchor: str
    name: str
    address: str
    mark: str
    state: str
    brief: str
    sentence: str
    goal: str
    variant: str
    lift: LiftView
    visitors: str
    age: str
    started: str
    is_hidden: bool


@dataclass(frozen=True)
class StateLink:
    """A state with the number of its experiments and the address that shows them alone."""

    words: str
    number: int
    address: str
    is_shown: bool


@dataclass(frozen=True)
class Overview:
    """The rows of the overview, their axis, and the states to choose from."""

    rows: tuple[OverviewRow, ...]
    axis: Axis
    states: tuple[StateLink, ...]
    total: int

    @property
    def has_matches(self) -> bool:
        """Whether there is anything to see."""
        return not all(row.is_hidden for row in self.rows)


SORTS = ("state", "newest", "visitors", "lift", "name")
"""The orders of the overview."""


@dataclass(frozen=True)
class Filter:
    """Which experiments the overview shows: those of a state ('' for all), with a part of a name.

    `sort` is one of `overview.SORTS`.
    """

    state: str = ""
    query: str = ""
    sort: str = SORTS[0]

    @classmethod
    def parse(cls, asked: Mapping[str, str]) -> Filter:
        """Return the filter of an address's query; unknown states and orders are ignored."""
        state, sort = asked.get("state", ""), asked.get("sort", "")
        return cls(
            state if state in {each.value for each in State} else "",
            asked.get("q", ""),
            sort if sort in SORTS else cls.sort,
        )


def overview(
    experiments: Sequence[Experiment],
    now: float,
    address: Callable[[Experiment], str],
    state_address: Callable[[str], str] = lambda state: "",
    state: str = "",
    query: str = "",
    sort: str = SORTS[0],
) -> Overview:
    """Return the overview of experiments; `address` returns where an experiment's name links to.

    `state` is the value of the only state shown, '' for all; `query` is a part of a name. Rows that
    do not match the query are hidden, not missing: the reader's next search may match them.
    """
    counts = Counter(map(state_of, experiments))
    links = [StateLink("All", len(experiments), state_address(""), not state)]
    links += [
        StateLink(
            each.words.capitalize(), counts[each], state_address(each.value), state == each.value
        )
        for each in State
    ]
    shown = [each for each in _sorted(experiments, sort) if state in ("", state_of(each).value)]
    wanted = query.casefold()
    lifts = [lift for lift in map(headline_lift, shown) if lift and lift.value is not None]
    # A single extreme lift would make all the others look alike: it is cut off.
    axis = lift_axis([lift for lift in lifts if (lift.value or 0) <= MOST_LIFT] or lifts)
    return Overview(
        tuple(
            _overview_row(each, now, address(each), axis, wanted not in each.name.casefold())
            for each in shown
        ),
        axis,
        tuple(links),
        len(experiments),
    )


def _sorted(experiments: Sequence[Experiment], sort: str) -> list[Experiment]:
    def lift(experiment: Experiment) -> float:
        found = headline_lift(experiment)
        return -math.inf if found is None or found.value is None else found.value

    found = in_order(experiments)
    keys: dict[str, Callable[[Experiment], float | str]] = {
        "newest": lambda each: -(each.since or 0),
        "visitors": lambda each: -each.visitors,
        "lift": lambda each: -lift(each),
        "name": lambda each: each.name.casefold(),
    }
    return sorted(found, key=keys[sort]) if sort in keys else found


def _overview_row(
    experiment: Experiment, now: float, address: str, axis: Axis, is_hidden: bool
) -> OverviewRow:
    goal = headline_goal(experiment)
    since = experiment.since
    return OverviewRow(
        anchor(experiment.name),
        visible(experiment.name),
        address,
        mark_of(experiment).value,
        state_of(experiment).words.capitalize(),
        brief(experiment),
        visible(" ".join(_sentences(experiment))),
        visible(goal.name) if goal else "",
        visible(unnamed_variant(experiment)),
        lift_view(headline_lift(experiment), axis, listed_word(headline_comparison(experiment))),
        format_count(experiment.visitors),
        MISSING if since is None else format_age(since, now),
        MISSING if since is None else format_start(since, now),
        is_hidden,
    )


def _sentences(experiment: Experiment) -> Iterable[str]:
    """Yield which variants failed, then the verdict, then the other doubts."""
    sentences = [each.sentence for each in experiment.failed]
    sentences += [experiment.headline.sentence, *experiment.doubts]
    return dict.fromkeys(sentences)
