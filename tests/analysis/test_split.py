"""The split check is Pearson's chi-square on exact counts, and forgives what counting explains."""

from collections.abc import Callable

import pytest
from scipy import stats as scipy_stats

from gimel.analysis.counts import Arm
from gimel.analysis.split import check_split, chi_square_p
from tests.support.arms import exact, noisy


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 10, 39])
@pytest.mark.parametrize("statistic", [1e-12, 1e-3, 0.5, 1, 3.84, 10, 30, 100, 400, 1000, 1250])
def test_the_tail_of_chi_square_is_scipys(statistic: float, degrees: int) -> None:
    """It keeps its digits from p = 1 down to 1e-290."""
    expected = scipy_stats.chi2.sf(statistic, degrees)
    assert chi_square_p(statistic, degrees) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("visitors", "weights"),
    [
        ((5200, 4800), (1, 1)),
        ((100, 110, 95), (1, 1, 1)),
        ((900, 5, 110), (8, 1, 1)),
        ((7, 3), (1, 1)),
        ((500,) * 40, (2.5,) * 40),
    ],
    ids=lambda values: "-".join(map(str, values[:3])),
)
def test_the_check_of_exact_counts_is_pearsons(
    visitors: tuple[int, ...], weights: tuple[float, ...]
) -> None:
    """On exact counts statistic and p-value are scipy's."""
    found = check_split([exact(0, n, weight) for n, weight in zip(visitors, weights, strict=True)])

    expected = [sum(visitors) * weight / sum(weights) for weight in weights]
    oracle = scipy_stats.chisquare(visitors, expected)
    assert found.checked
    assert found.statistic == pytest.approx(oracle.statistic, rel=1e-9, abs=1e-20)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-9)


@pytest.mark.parametrize(("arm", "is_mismatch"), [(noisy, False), (exact, True)])
def test_what_counting_explains_is_no_mismatch(
    arm: Callable[[float, float], Arm], is_mismatch: bool
) -> None:
    """At a million visitors precision 1 miscounts by 0.8%: there 50.4/49.6 raises no alarm."""
    split = check_split([arm(0, 1_008_000), arm(0, 992_000)])
    assert split.is_mismatch is is_mismatch


def test_arms_without_weight_are_excluded() -> None:
    """An arm that should get no visitors makes no mismatch, whoever came."""
    split = check_split([exact(0, 500), exact(0, 510), exact(0, 90, weight=0)])

    assert split.p > 0.5
    assert (split.observed[2], split.expected[2]) == (0, 0)


@pytest.mark.parametrize(
    "arms",
    [
        pytest.param([], id="none"),
        pytest.param([exact(0, 8), exact(0, 0)], id="four expected"),
        pytest.param([exact(0, 2, weight=0.01), exact(0, 8, weight=0.99)], id="a small weight"),
        pytest.param([exact(0, 5000)], id="one arm"),
    ],
)
def test_too_few_visitors_are_not_checked(arms: list[Arm]) -> None:
    """Below five expected visitors in an arm, chi-square does not hold."""
    found = check_split(arms)

    assert (found.checked, found.p, found.is_mismatch) == (False, 1, False)
