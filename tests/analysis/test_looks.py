"""What holds at all looks, and when it was first known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gimel.analysis.looks import Asked, Known, Look, combine, when_excluded, when_small
from gimel.analysis.mixture import Lift, lift_interval
from tests.support.arms import exact, noisy

ASKED = Asked(0.1, 0.05)

Pairs = list[tuple[int, int, int]]  # visitors of each arm, conversions of both


def looks(pairs: Pairs, precision: int = 0) -> list[Look]:
    """Return a look per day; equally many visitors in both arms."""
    arm = exact if not precision else lambda s, n: noisy(s, n, precision)
    return [Look(day, arm(s_a, n), arm(s_b, n)) for day, (n, s_a, s_b) in enumerate(pairs)]


def known(pairs: Pairs, precision: int = 0) -> Known:
    found = looks(pairs, precision)
    return combine(found, ASKED.intervals(found[-1]), ASKED)


def ends(pairs: Pairs) -> list[tuple[float, float]]:
    """Return the interval of each look alone."""
    found = []
    for look in looks(pairs):
        lift = lift_interval(look.control, look.arm, ASKED.lift, ASKED.alpha)
        low = -1.0 if lift.low is None else lift.low
        found.append((low, math.inf if lift.high is None else lift.high))
    return found


STEADY = [(10_000 * day, 1000 * day, 1080 * day + 40 * (-1) ** day) for day in range(1, 12)]


def test_the_interval_is_what_holds_at_all_looks() -> None:
    """It is the intersection of the intervals of all looks, to 8 digits."""
    found = known(STEADY)

    intervals = ends(STEADY)
    assert found.lift.low == pytest.approx(max(low for low, _ in intervals), rel=1e-8)
    assert found.lift.high == pytest.approx(min(high for _, high in intervals), rel=1e-8)
    assert found.first is None
    assert found.lift.value == pytest.approx(ASKED.intervals(looks(STEADY)[-1])[0].value)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_interval_is_never_narrower_than_the_intersection(data: st.DataObject) -> None:
    """Nor wider than that of the last look, whatever was counted."""
    n, s_a, s_b, pairs = 0, 0, 0, []
    for _ in range(data.draw(st.integers(1, 8))):
        more = data.draw(st.integers(1, 20) | st.integers(1, 50_000))
        n += more
        s_a += data.draw(st.integers(0, more))
        s_b += data.draw(st.integers(0, more))
        pairs.append((n, s_a, s_b))

    found = known(pairs)

    intervals = ends(pairs)
    low = -1.0 if found.lift.low is None else found.lift.low
    high = math.inf if found.lift.high is None else found.lift.high
    slack = 1e-7
    assert low >= intervals[-1][0] - slack * (1 + abs(low))
    assert high <= intervals[-1][1] + slack * (1 + abs(high))
    if found.first is None:
        assert low <= max(each for each, _ in intervals) + slack * (1 + abs(low))
        assert high >= min(each for _, each in intervals) - slack * (1 + min(abs(high), 1e9))


def test_what_was_excluded_stays_excluded() -> None:
    """+12% was decided; with an interval of −1% to +13% later, it still is."""
    pairs = [(20_000, 2000, 2240), (40_000, 4000, 4230)]
    alone = ends(pairs)
    assert alone[0][0] > 0 > alone[1][0]

    assert (known(pairs).lift.low or 0) > 0
    assert when_excluded(looks(pairs), ASKED) == 0


def test_later_data_disagrees_when_it_observes_what_was_excluded() -> None:
    """The interval is then that of all data, and the first look is kept."""
    pairs = [(20_000, 2000, 2400), (200_000, 20_000, 20_400)]

    found = known(pairs)

    assert found.first == looks(pairs)[0]
    assert (found.lift.low or 0, found.lift.high) == pytest.approx(ends(pairs)[1])


def test_data_before_anything_was_known_can_disagree_with_nothing() -> None:
    """At first no more than +5% seemed possible, but nothing was said: +9% is decided."""
    asked = Asked(0.02, 0.05)
    found = looks([(100_000, 10_000, 9990), (800_000, 80_000, 87_000)])
    first, last = (asked.intervals(look)[0] for look in found)
    assert (first.high or 0) < (last.low or 0)
    assert not first.sign
    assert when_small(found, asked) is None

    known = combine(found, asked.intervals(found[-1]), asked)

    assert known == Known(last, None)


def test_a_small_difference_is_dated_to_the_look_that_excludes_a_large_one() -> None:
    """The two bounds may be excluded at different looks."""
    pairs = [(1000, 100, 100), (100_000, 10_000, 10_000), (100_100, 10_010, 10_010)]

    assert when_small(looks(pairs), ASKED) == 1
    assert when_small(looks(pairs[:1]), ASKED) is None
    assert when_excluded(looks(pairs), ASKED) is None


def test_a_difference_that_was_small_stays_small_while_it_is_observed_to_be() -> None:
    """+9% was excluded and is observed now, but not +10%: 12% is as impossible as before."""
    pairs = [(200_000, 20_000, 20_100), (20_000, 2000, 2160)]
    last = ASKED.intervals(looks(pairs)[1])
    assert (last[0].high or 0) > 0.1

    found = known(pairs)

    assert found.first is None
    assert found.lift == Lift(last[0].value, last[0].low, 0.1)


@pytest.mark.parametrize("precision", [0, 16])
def test_the_failures_are_followed_as_well(precision: int) -> None:
    """Above a rate of 50% what was excluded of them stays excluded, too."""
    pairs = [(20_000, 18_000, 18_400), (60_000, 54_000, 54_800)]

    first, found = known(pairs[:1], precision), known(pairs, precision)

    assert first.failures is not None
    assert found.failures is not None
    assert (first.failures.high or 0) < 0
    assert found.failures.high == pytest.approx(first.failures.high, rel=1e-9)
    assert found.failures.sign == -found.lift.sign
