"""What the owner of an experiment should know without looking: conditions, as values.

Decides which conditions hold now. `gimel.alerts.state` decides which of them are new.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from gimel.analysis.counts import ExperimentCounts, Point
from gimel.analysis.design import Role
from gimel.analysis.experiment import LIMIT_REACHED, Experiment
from gimel.analysis.phrases import pluralize, quote
from gimel.analysis.sentences import effect
from gimel.analysis.verdict import Kind as VerdictKind

_DECIDED = (
    VerdictKind.WINNER,
    VerdictKind.CONTROL_WINS,
    VerdictKind.NO_DIFFERENCE,
    VerdictKind.CONFLICT,
)
_HOUR = 3600
_DAY = 24 * _HOUR
_SILENT = 23.5 * _HOUR  # a day, less what one run may be later than the next
_PACE_DAYS = 7
_EXPECTED = 7.0  # visitors in the silent time; by chance none comes once in 1,100 (exp(-7))
_SPLIT_IS_RIGHT = 0.1  # the p-value from which a mismatch is over; one begins below 0.01
_FIXED = 0.005  # the share of visitors below which a variant no longer fails; it begins at 0.01


class Kind(Enum):
    """The kinds of alerts."""

    VERDICT = "verdict"
    HARMED = "guardrail-harmed"
    MISMATCH = "split-mismatch"
    FAILS = "variant-fails"
    SILENCE = "no-events"
    LIMIT = "limit-reached"

    @property
    def title(self) -> str:
        """What an alert of this kind begins with."""
        return _TITLES[self]

    @property
    def ends(self) -> bool:
        """Whether it can end and begin again. What was decided or lost stays so."""
        return self in (Kind.MISMATCH, Kind.FAILS, Kind.SILENCE)


_TITLES = {
    Kind.VERDICT: "Verdict",
    Kind.HARMED: "Guardrail harmed",
    Kind.MISMATCH: "Wrong split",
    Kind.FAILS: "Variant fails",
    Kind.SILENCE: "No events",
    Kind.LIMIT: "Limit reached",
}


@dataclass(frozen=True)
class Condition:
    """Something that holds now.

    Attributes:
        kind: The kind of alert.
        sentence: The condition in words, without the experiment's name.
        variant: The variant that it is about; None if it is about none in particular.
        goal: The goal that it is about; None likewise.
        detail: What else distinguishes it from others of its kind, such as the kind of verdict.
    """

    kind: Kind
    sentence: str
    variant: str | None = None
    goal: str | None = None
    detail: str = ""

    @property
    def key(self) -> str:
        """The same for a condition that lasts, another for each that differs."""
        names = (self.detail, self.goal or "", self.variant or "")
        return ":".join((self.kind.value, *map(_encode, names))).rstrip(":")


@dataclass(frozen=True)
class Observation:
    """The conditions of an experiment at one time.

    Attributes:
        conditions: Those that hold, by key.
        unclear: The keys of those that do not hold, but are not clearly over either.
    """

    conditions: Mapping[str, Condition]
    unclear: frozenset[str] = frozenset()

    def is_over(self, key: str) -> bool:
        """Whether a condition that once held is over, so that it can begin again."""
        if key in self.conditions or key in self.unclear:
            return False
        return any(kind.ends and key.split(":")[0] == kind.value for kind in Kind)


def observe(experiment: Experiment, counts: ExperimentCounts, now: float) -> Observation:
    """Return the conditions of an experiment. `counts` are those that it was analysed from."""
    found = [
        *_verdict(experiment),
        *_harmed(experiment),
        *_mismatch(experiment),
        *_failing(experiment),
        *_silence(counts, now),
        *limit(experiment.ignored),
    ]
    return Observation({each.key: each for each in found}, frozenset(_unclear(experiment, counts)))


def limit(ignored: Mapping[str, int], whose: str = "") -> Iterator[Condition]:
    """Yield that events were lost to a limit; `whose` follows the number of events."""
    if lost := ignored.get(LIMIT_REACHED):
        verb = "was" if lost == 1 else "were"
        yield Condition(
            Kind.LIMIT,
            f"{pluralize(lost, 'event')}{whose} {verb} not counted because a limit was reached."
            " List your experiments in config.json, or raise its limits.",
        )


def _verdict(experiment: Experiment) -> Iterator[Condition]:
    verdict = experiment.headline
    if verdict.kind in _DECIDED and not verdict.days_left:
        disagrees = "-disagrees" if verdict.disagrees else ""
        yield Condition(
            Kind.VERDICT,
            verdict.sentence,
            verdict.variant if verdict.kind is not VerdictKind.NO_DIFFERENCE else None,
            verdict.goal,
            verdict.kind.value + disagrees,
        )


def _harmed(experiment: Experiment) -> Iterator[Condition]:
    for goal in experiment.all_goals:
        if goal.role is not Role.GUARDRAIL or goal.verdict.kind is not VerdictKind.HARMED:
            continue
        for each in goal.case.judged:
            if each.direction < 0:
                harm = f"{quote(each.arm.name)} {effect(each, goal.case.over)}"
                yield Condition(
                    Kind.HARMED, f"{quote(goal.name)}: {harm}.", each.arm.name, goal.name
                )


def _mismatch(experiment: Experiment) -> Iterator[Condition]:
    if experiment.split.is_mismatch:
        yield Condition(Kind.MISMATCH, experiment.headline.sentence)


def _failing(experiment: Experiment) -> Iterator[Condition]:
    for each in experiment.failed:
        if each.matters:
            yield Condition(Kind.FAILS, each.sentence, each.name)


def _silence(counts: ExperimentCounts, now: float) -> Iterator[Condition]:
    """Yield that nothing was counted for a day, where that is unusual.

    An experiment with few visitors is silent for longer: until 7 visitors would have come at the
    pace of the week before.
    """
    earlier, flat = _until_flat(counts)
    if not flat or not earlier:
        return
    begin = flat[0].time
    first = next(
        (each for each in earlier if begin - each.time <= (_PACE_DAYS + 0.5) * _DAY), earlier[-1]
    )
    days = max(begin - first.time, 1) / _DAY
    per_day = (_visitors(flat[0]) - _visitors(first)) / days
    silent = now - begin
    if silent >= _SILENT and per_day * silent / _DAY >= _EXPECTED:
        when = time.strftime("%d %B %Y, %H:%M UTC", time.gmtime(begin)).lstrip("0")
        yield Condition(
            Kind.SILENCE,
            f"No new visitor and no goal was counted since {when}. Before, there were"
            f" {pluralize(per_day, 'visitor')} per day.",
        )


def _until_flat(counts: ExperimentCounts) -> tuple[list[Point], list[Point]]:
    """Return the history before the counts stopped changing, and from then on.

    What is known to have been counted before the first point, is at `since`.
    """
    history = list(counts.history)
    number = len(history)
    while number and _is_equal(history[number - 1], counts):
        number -= 1
    earlier = history[:number]
    if counts.since is not None and (not history or counts.since < history[0].time):
        earlier.insert(0, Point(counts.since, {}, {}))
    return earlier, history[number:]


def _is_equal(point: Point, counts: ExperimentCounts) -> bool:
    """Whether no counter differs; one of 0 is as good as none."""
    return _values(point) == _values(counts)


def _values(counts: Point | ExperimentCounts) -> dict[tuple[str, str], float]:
    cells = {("", variant): count.value for variant, count in counts.visitors.items()}
    for goal, conversions in counts.goals.items():
        cells |= {(goal, variant): count.value for variant, count in conversions.items()}
    return {cell: value for cell, value in cells.items() if value}


def _visitors(point: Point) -> float:
    return sum(count.value for count in point.visitors.values())


def _unclear(experiment: Experiment, counts: ExperimentCounts) -> Iterator[str]:
    """Yield the keys of what may be over, or may only seem so.

    Near a threshold, chance alone moves a figure to and fro; each time would be another alert.
    """
    if experiment.split.p < _SPLIT_IS_RIGHT:
        yield Condition(Kind.MISMATCH, "").key
    for each in experiment.failed:
        if each.share >= _FIXED:
            yield Condition(Kind.FAILS, "", each.name).key
    if not counts.history or _is_equal(counts.history[-1], counts):
        yield Condition(Kind.SILENCE, "").key


def _encode(name: str) -> str:
    return name.replace("%", "%25").replace(":", "%3A")
