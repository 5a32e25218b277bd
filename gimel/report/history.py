"""Tables of an experiment over time: a row per recorded time, the last one for now.

The terminal prints them, and a page has them behind its plots. Names are made safe to show here.
"""

from __future__ import annotations

from gimel.analysis import timeline
from gimel.analysis.experiment import Experiment
from gimel.analysis.goal import Goal
from gimel.analysis.mixture import Lift
from gimel.analysis.stats import Estimate
from gimel.analysis.timeline import GoalMoment, Moment
from gimel.report.figures import (
    MISSING,
    decimal_places,
    format_count,
    format_lift_with_unit,
    format_percent,
    format_time,
    visible,
)
from gimel.report.tables import Table
from gimel.report.wording import name_of

SHORTEST_DAYS = 0.5
"""Fewer days have no visitors per day: the pace of a few hours says little about a day."""

LONGEST_DAYS = 1.5
"""More days between two moments are a gap."""

_DAY = 86_400
_UNTIL = "until (UTC)"
_LATEST = 253_402_300_800
"""The end of the year 9999, in seconds since 1970: no calendar has a later date."""

LONGEST_TIME = 18
"""The columns of a time with a mark."""

Step = tuple[float, float, float]
"""A start, an end and a value in between; the times are in seconds since 1970."""


def moments(experiment: Experiment) -> tuple[Moment, ...]:
    """Return the moments of an experiment, without those beyond all calendars."""
    return tuple(each for each in experiment.moments if each.time < _LATEST)


def goal_moments(goal: Goal) -> tuple[GoalMoment, ...]:
    """Return the moments of a goal, without those beyond all calendars."""
    return tuple(each for each in goal.moments if each.time < _LATEST)


def every_moment(goal: Goal) -> tuple[GoalMoment, ...]:
    """Return what was known of a goal at every recorded time: `goal.moments` can skip days."""
    most = len(goal.past) + 2
    found = timeline.goal_moments(goal.case, goal.past, goal.confidence, goal.verdict.reached, most)
    return tuple(each for each in found if each.time < _LATEST)


def per_day(moment: Moment, first: int | None) -> tuple[float, ...] | None:
    """Return a moment's new visitors per day by arm; None for a time that is too short.

    `first` is the time of the first event, from which the first moment counts.
    """
    days = moment.days
    if days is None and first is not None:
        days = (moment.time - first) / _DAY
    return None if days is None or days < SHORTEST_DAYS else moment.per_day


def steps(experiment: Experiment) -> tuple[list[Step], ...]:
    """Return the new visitors per day of each arm between each two moments, without the gaps.

    They begin with the first event, if that is at most `LONGEST_DAYS` before the first moment.
    """
    found: tuple[list[Step], ...] = tuple([] for _ in experiment.arms)
    start: float | None = experiment.since
    is_first, before = True, None
    for moment in moments(experiment):
        paces = per_day(moment, experiment.since)
        is_known = not is_gap(moment, before)
        if is_first and start is not None:
            is_known = moment.time - start <= LONGEST_DAYS * _DAY
        if paces and start is not None and is_known:
            for line, pace in zip(found, paces, strict=True):
                line.append((start, moment.time, pace))
        start, before, is_first = moment.time, moment.visitors, False
    return found


def is_gap(moment: Moment, before: tuple[float, ...] | None) -> bool:
    """Return whether the days before a moment are unknown. Days without a visitor are not.

    `before` are the visitors until the moment before.
    """
    return moment.is_after_gap and moment.visitors != before


def gaps(experiment: Experiment) -> list[int]:
    """Return the times at which gaps ended."""
    found, before = [], None
    for moment in moments(experiment):
        if is_gap(moment, before):
            found.append(moment.time)
        before = moment.visitors
    return found


def visitors(experiment: Experiment) -> Table:
    """Return the new visitors of each variant per day, and all visitors until then."""
    rows = []
    for moment in moments(experiment):
        paces = per_day(moment, experiment.since)
        cells = (
            [format_count(pace) for pace in paces] if paces else [MISSING] * len(moment.visitors)
        )
        rows.append((format_time(moment.time), *cells, format_count(sum(moment.visitors))))
    names = [name_of(arm, experiment.arms, experiment.control_is_guess) for arm in experiment.arms]
    return Table(
        "New visitors per day since the row before, and all visitors until then",
        (_UNTIL, *names, "all visitors"),
        tuple(rows),
    )


def figures(goal: Goal) -> Table:
    """Return the rate of each variant until each time, and its lift with the interval."""
    found = goal_moments(goal)
    rows = tuple((format_time(each.time), *_figures(goal, each)) for each in found)
    return Table(
        f"{visible(goal.name)}: rates and lifts until each time",
        (_UNTIL, *_headers(goal)),
        rows,
    )


def whole(experiment: Experiment, goal: Goal, mark: str) -> Table:
    """Return `figures` with all visitors, and the new ones per day since the moment before.

    The `mark` follows the time at which the verdict was reached.
    """
    by_time = {each.time: each for each in moments(experiment)}
    rows = []
    for each in every_moment(goal):
        moment = by_time.get(each.time)
        paces = per_day(moment, experiment.since) if moment else None
        time = format_time(each.time)
        rows.append(
            (
                f"{time} {mark}" if each.time == goal.verdict.reached else time,
                format_count(sum(moment.visitors)) if moment else MISSING,
                format_count(sum(paces)) if paces else MISSING,
                *_figures(goal, each),
            )
        )
    return Table(
        f"{visible(goal.name)} over time",
        (_UNTIL, "visitors", "new per day", *_headers(goal)),
        tuple(rows),
    )


def format_lift_in_one(lift: Lift | None) -> str:
    """Return a lift with its interval: "+12% (+4.1% to +21%)"; "-" if it is unknown."""
    if lift is None or lift.value is None:
        return MISSING
    return "{} ({})".format(*format_lift_with_unit(lift))


def format_rate(rate: Estimate, places: int) -> str:
    """Return a rate in percent; "-" without visitors."""
    if (rate.low, rate.high) == (0.0, 1.0):
        return MISSING
    return f"{format_percent(rate.value, places)}%"


def rate_places(goal: Goal) -> int:
    """Return the decimal places of all rates of a goal: those that its last ones need."""
    return decimal_places(variant.rate for variant in goal.variants if variant.arm.visitors.value)


def _headers(goal: Goal) -> list[str]:
    names = [name_of(arm, goal.arms, goal.case.control_is_guess) for arm in goal.arms]
    interval = f"{100 * goal.confidence:g}% interval"
    lifts = [f"lift of {visible(arm.name)} ({interval})" for arm in goal.arms[1:]]
    return [*names, *lifts]


def _figures(goal: Goal, moment: GoalMoment) -> list[str]:
    places = rate_places(goal)
    rates = [format_rate(rate, places) for rate in moment.rates]
    return [*rates, *(format_lift_in_one(lift) for lift in moment.lifts[1:])]
