"""The always-valid split check finds a wrong split, and forgives what counting explains."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gimel.analysis.counts import Arm, Count
from gimel.analysis.shares import check_shares
from tests.support.arms import exact, noisy

numbers = st.one_of(st.integers(0, 3), st.integers(0, 10**12), st.floats(1e-3, 1e12))
counts = st.dictionaries(st.sampled_from(["1", "16", "exact"]), numbers, max_size=2).map(
    Count.from_parts
)
arms = st.builds(Arm, st.just("arm"), counts, counts, st.one_of(st.just(1.0), st.floats(0, 10)))


@pytest.mark.parametrize(
    ("visitors", "weights", "wrong"),
    [
        pytest.param((72, 28), (1, 1), True, id="72 to 28"),
        pytest.param((60, 40), (1, 1), False, id="60 to 40"),
        pytest.param((740, 660), (1, 1), False, id="53 to 47"),
        pytest.param((4400, 3500), (1, 1), True, id="56 to 44"),
        pytest.param((2990, 410), (9, 1), True, id="88 to 12 for 90 to 10"),
        pytest.param((900, 100), (9, 1), False, id="90 to 10"),
        pytest.param((0, 30), (1, 1), True, id="nobody in one arm"),
        pytest.param((3, 3), (1, 1), False, id="six visitors"),
        pytest.param((0, 0), (1, 1), False, id="no visitors"),
        pytest.param((5000,), (1,), False, id="one arm"),
    ],
)
def test_a_wrong_split_is_found(
    visitors: tuple[float, ...], weights: tuple[float, ...], wrong: bool
) -> None:
    """Two arms have both shares wrong, or neither."""
    found = check_shares([exact(0, n, w) for n, w in zip(visitors, weights, strict=True)])
    assert found.excluded == (wrong,) * len(visitors)
    assert found.is_mismatch is wrong


def test_the_wrong_arm_of_several_is_named() -> None:
    """The arm that lost visitors is excluded, with the most evidence."""
    found = check_shares([exact(0, n) for n in (5000, 5010, 4400, 4990)])
    assert found.excluded == (False, False, True, False)
    assert max(found.evidence) == found.evidence[2]
    assert found.observed[2] == pytest.approx(4400 / 19400)
    assert found.expected == (0.25,) * 4


@pytest.mark.parametrize(("visitors", "tests"), [((590, 420), 1), ((590, 420, 505), 3)])
def test_the_arms_share_the_alpha(visitors: tuple[int, ...], tests: int) -> None:
    """Two arms are one test; of three arms each has a third."""
    several = [exact(0, count) for count in visitors]
    least = tests * math.exp(-max(check_shares(several).evidence))

    assert check_shares(several, alpha=1.001 * least).is_mismatch
    assert not check_shares(several, alpha=0.999 * least).is_mismatch


@pytest.mark.parametrize("visitors", [(7, 3), (590, 400), (600, 400), (70, 30, 50), (5, 5)])
def test_the_p_value_agrees_with_the_alarm(visitors: tuple[int, ...]) -> None:
    """A split is wrong exactly at the levels above its p-value."""
    several = [exact(0, count) for count in visitors]
    p = check_shares(several).p

    assert 0 < p <= 1
    assert check_shares(several, alpha=1.001 * p).is_mismatch is (p < 1)
    assert not check_shares(several, alpha=0.999 * p).is_mismatch


def test_arms_without_weight_are_excluded() -> None:
    """An arm that should get no visitors makes no mismatch, whoever came."""
    found = check_shares([exact(0, 500), exact(0, 510), exact(0, 9000, weight=0)])
    assert not found.is_mismatch
    assert (found.observed[2], found.expected[2], found.evidence[2]) == (0, 0, 0)


def test_what_counting_explains_is_no_mismatch() -> None:
    """At a million visitors precision 1 miscounts by 0.8%: there 50.4/49.6 raises no alarm."""
    assert not check_shares([noisy(0, 1_008_000), noisy(0, 992_000)]).is_mismatch
    assert check_shares([exact(0, 1_008_000), exact(0, 992_000)]).is_mismatch


@given(st.lists(arms, max_size=6))
def test_no_split_raises_or_gives_nan(several: list[Arm]) -> None:
    """Whatever was counted, the evidence is finite and the shares add up."""
    found = check_shares(several)
    assert all(map(math.isfinite, (*found.observed, *found.expected, *found.evidence)))
    assert math.fsum(found.observed) == pytest.approx(1) or not any(found.observed)
