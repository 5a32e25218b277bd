"""Whatever was counted and designed, an experiment has verdicts, and their sentences are sound."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gimel.analysis.counts import Count, ExperimentCounts, Point
from gimel.analysis.design import Design, Role
from gimel.analysis.experiment import Experiment, analyse
from gimel.analysis.verdict import Kind, Verdict

VARIANTS = ("blue", "control", "green", "red")
GOALS = ("buy", "refund", "sign: up")
SAFE = {Kind.WINNER, Kind.CONTROL_WINS, Kind.NO_DIFFERENCE}
UNSOUND = re.compile(
    r"\bnan\b|\binf\b|\bNone\b|  |[-−]0%|\b1 (more )?(visitor|day|week|month|year|goal)s\b"
    r"|([\d.,]+%) to \3 |(\(|about |least )over "
)

numbers = st.integers(0, 3) | st.integers(0, 3000) | st.integers(0, 10**12) | st.floats(1e-3, 1e12)
parts = st.dictionaries(st.sampled_from(["1", "16", "256", "exact"]), numbers, max_size=2)
counts = parts.map(Count.from_parts)


@st.composite
def experiments(draw: st.DrawFn) -> ExperimentCounts:
    """Draw the counts of an experiment: anything, or about what a real one has."""
    names = draw(st.lists(st.sampled_from(VARIANTS), max_size=4, unique=True))
    goals = draw(st.lists(st.sampled_from(GOALS), max_size=3, unique=True))
    since = draw(st.none() | st.just(0))
    if draw(st.booleans()):
        visitors = {name: draw(counts) for name in names}
        found = {goal: {name: draw(counts) for name in names} for goal in goals}
        return ExperimentCounts("e", visitors, found, since)
    largest = draw(st.integers(10, 10**6) | st.integers(10, 10**12))
    precision = draw(st.sampled_from(["1", "16", "exact"]))
    visitors = dict.fromkeys(names, Count.from_parts({precision: float(largest)}))
    found = {}
    for goal in goals:
        rate = draw(st.floats(0, 1))
        lifts = {name: 1 + draw(st.floats(-0.3, 0.3) | st.floats(-0.01, 0.01)) for name in names}
        found[goal] = {
            name: Count.from_parts({precision: min(1.0, rate * lifts[name]) * largest})
            for name in names
        }
    return ExperimentCounts("e", visitors, found, since)


designs = st.builds(
    Design,
    control=st.none() | st.sampled_from(VARIANTS),
    weights=st.none()
    | st.dictionaries(st.sampled_from(VARIANTS), st.floats(0.01, 10), min_size=2, max_size=4),
    goal=st.none() | st.sampled_from((*GOALS, "missing")),
    guardrails=st.lists(st.sampled_from(GOALS), max_size=2, unique=True),
    decrease=st.sets(st.sampled_from(GOALS)),
    lift=st.sampled_from([0.01, 0.05, 0.1, 0.125, 0.5]),
    minimum_days=st.integers(0, 30),
    visitors=st.none() | st.integers(1, 10**6),
)
times = st.floats(0, 1e5) | st.floats(0, 1e9)
levels = st.sampled_from([0.5, 0.8, 0.95, 0.999])


@st.composite
def followed(draw: st.DrawFn) -> ExperimentCounts:
    """Draw an experiment with a history: shares of its counts, which need not be the same."""
    found = draw(experiments())
    shares = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0])
    points = []
    for day in sorted(draw(st.sets(st.integers(0, 400), max_size=5))):
        share = draw(shares)

        def part(count: Count, share: float = share) -> Count:
            share = min(1.0, share * draw(st.just(1.0) | st.floats(0.8, 1.25)))
            return Count(count.value * share, count.variance * share, count.precision)

        visitors = {name: part(count) for name, count in found.visitors.items()}
        goals = {
            goal: {name: part(count) for name, count in reached.items()}
            for goal, reached in found.goals.items()
            if draw(st.booleans())
        }
        points.append(Point(day * 86_400, visitors, goals))
    return replace(found, history=tuple(points))


def verdicts(experiment: Experiment) -> list[Verdict]:
    return [experiment.headline, *(goal.verdict for goal in experiment.goals)]


def is_about(low: float | None, value: float, high: float | None) -> bool:
    slack = 1e-9 * (1 + abs(value))
    return (low is None or low <= value + slack) and (high is None or value <= high + slack)


@settings(max_examples=80)
@given(experiments(), designs, times, levels)
def test_every_sentence_is_sound(
    counts: ExperimentCounts, design: Design, now: float, confidence: float
) -> None:
    """No counts and no design raise anything, or leave a trace of a figure that does not exist."""
    for verdict in verdicts(analyse(counts, design, now=now, confidence=confidence)):
        assert verdict.sentence.endswith(".")
        assert not UNSOUND.search(verdict.sentence), verdict.sentence


@given(experiments(), designs, times)
def test_what_is_safe_to_stop_says_so(counts: ExperimentCounts, design: Design, now: float) -> None:
    """Only a winner, a control that wins and "no difference" are, if no guardrail is open."""
    for verdict in verdicts(analyse(counts, design, now=now)):
        assert verdict.safe_to_stop is (verdict.kind in SAFE and not verdict.open_guardrails)
        assert verdict.safe_to_stop is ("Safe to stop." in verdict.sentence)


@settings(max_examples=60)
@given(followed(), designs, st.floats(1e5, 5e7))
def test_every_sentence_over_time_is_sound(
    counts: ExperimentCounts, design: Design, now: float
) -> None:
    """Whatever was counted earlier: a date is never before the minimum days, nor after now."""
    found = analyse(counts, design, now=now)

    for verdict in verdicts(found):
        assert not UNSOUND.search(verdict.sentence), verdict.sentence
        assert verdict.safe_to_stop is ("Safe to stop." in verdict.sentence)
        assert not (verdict.safe_to_stop and verdict.disagrees)
        if verdict.kind in SAFE:
            assert verdict.reached is not None
            assert verdict.reached <= now
            if counts.since is not None:
                assert now - counts.since < 86_400 * design.minimum_days or (
                    verdict.reached - counts.since >= 86_400 * design.minimum_days - 1
                )
    assert len(found.moments) == (
        len([p for p in counts.history if p.time < int(now)]) + 1 if found.arms else 0
    )
    for goal in found.goals:
        assert goal.moments[-1].time == int(now)
        assert goal.novelty is None or goal.novelty.sentence.endswith(".")
        for comparison in goal.case.comparisons:
            lift = comparison.lift
            assert lift.low is None or lift.high is None or lift.low <= lift.high


@given(experiments(), designs)
def test_the_figures_agree_with_the_verdict(counts: ExperimentCounts, design: Design) -> None:
    """A lift is within its interval, and no difference is denied that one look would show."""
    for goal in analyse(counts, design, now=1e9).goals:
        for comparison in goal.case.comparisons:
            for lift in (comparison.lift, comparison.failures):
                if lift and lift.value is not None:
                    assert is_about(lift.low, lift.value, lift.high)
        if goal.verdict.kind is Kind.NO_DIFFERENCE:
            undecided = [each for each in goal.case.judged if not each.direction]
            assert not any(each.leaning for each in undecided)


@given(experiments(), designs)
def test_the_direction_of_a_goal_swaps_better_and_worse(
    counts: ExperimentCounts, design: Design
) -> None:
    """Where fewer are better, what was better is worse. Nothing else depends on it."""
    opposite = replace(design, decrease=set(GOALS) - set(design.decrease))

    goals, others = (analyse(counts, each, now=1e9).goals for each in (design, opposite))

    for goal, other in zip(goals, others, strict=True):
        assert goal.case.decided(1) == other.case.decided(-1)
        assert goal.case.decided(-1) == other.case.decided(1)
        assert [each.leaning for each in goal.case.comparisons] == [
            -each.leaning for each in other.case.comparisons
        ]


@given(experiments(), designs, levels)
def test_the_goals_of_a_role_share_its_error(
    counts: ExperimentCounts, design: Design, confidence: float
) -> None:
    """All comparisons of a family together have the error that was asked for."""
    families: dict[Role, float] = {}
    for goal in analyse(counts, design, now=1e9, confidence=confidence).goals:
        if goal.is_conversion:
            for comparison in goal.case.comparisons:
                if comparison.arm.weight:
                    families.setdefault(goal.role, 0.0)
                    families[goal.role] += comparison.alpha
    for error in families.values():
        assert error == pytest.approx(1 - confidence)
