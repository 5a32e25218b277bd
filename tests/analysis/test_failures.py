"""The change of the failures has its own interval, which agrees with that of the lift."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks import vector_mixture
from benchmarks.simulated_counts import make_arm
from benchmarks.vector_mixture import Counts
from gimel.analysis.counts import Arm
from gimel.analysis.failures import failure_interval
from gimel.analysis.mixture import Lift, lift_interval
from tests.support.arms import exact

LIFT, ALPHA = 0.1, 0.05

visitors = st.integers(1, 10**7)
rates = st.floats(0.5, 1)
precisions = st.sampled_from([0, 1, 16])


@pytest.mark.parametrize("precision", [0, 1, 16])
@pytest.mark.parametrize("rate", [0.6, 0.9, 0.99])
def test_its_ends_are_where_the_evidence_reaches_the_threshold(rate: float, precision: int) -> None:
    """By the evidence of the benchmarks, whose error rates are measured."""
    ours, theirs = (30_000.0, 30_000 * rate), (8_000.0, 8_000 * (0.2 + 0.8 * rate))
    control, variant = make_arm(*ours, precision), make_arm(*theirs, precision)
    n_a, s_a, n_b, s_b = (np.array([each]) for each in (*ours, *theirs))
    pairs = Counts(n_a, s_a, n_b, s_b, precision)

    found = failure_interval(control, variant, LIFT, ALPHA)

    ends = [end for end in (found.low, found.high) if end is not None]
    assert len(ends) == (1 if (rate, precision) == (0.99, 1) else 2)
    for end in ends:
        evidence = vector_mixture.log_failure_evidence(pairs.failures, math.log1p(end), LIFT)
        assert float(evidence[0]) == pytest.approx(math.log(1 / ALPHA), abs=1e-6)


@settings(max_examples=60)
@given(visitors, visitors, rates, rates, precisions)
def test_it_excludes_zero_where_the_lift_does(
    ours: int, theirs: int, our_rate: float, their_rate: float, precision: int
) -> None:
    """Whatever was counted, fewer failures are found exactly where more conversions are.

    Under counting noise an arm with less than one failure is an exception: the interval of the lift
    may end at a lift that is excluded although zero, farther out, is not.
    """
    failures = (ours * (1 - our_rate), theirs * (1 - their_rate))
    assume(not precision or min(failures) >= 1)
    arms = (
        make_arm(ours, ours * our_rate, precision),
        make_arm(theirs, theirs * their_rate, precision),
    )

    found = failure_interval(*arms, LIFT, ALPHA)

    assert found.sign == -lift_interval(*arms, LIFT, ALPHA).sign
    if found.value is not None:
        assert found.low is None or found.low <= found.value + 1e-9
        assert found.high is None or found.high >= found.value - 1e-9


@pytest.mark.parametrize(
    ("control", "variant"),
    [(exact(0, 0), exact(9, 10)), (exact(9, 10), exact(0, 0))],
    ids=["no control", "no variant"],
)
def test_without_visitors_nothing_is_known(control: Arm, variant: Arm) -> None:
    """The interval is open on both sides."""
    assert failure_interval(control, variant, LIFT, ALPHA) == Lift(None, None, None)


def test_without_failures_of_the_control_there_is_no_relative_change() -> None:
    """But the variant's failures can still be more."""
    found = failure_interval(exact(900, 900), exact(800, 900), LIFT, ALPHA)

    assert found.value is None
    assert found.sign == 1
