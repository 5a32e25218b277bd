"""Estimates, intervals and tests are the textbook's on exact counts, and say honestly how much counting noise adds."""

import itertools
import math
import sys
from typing import Any

import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

from gimel.analysis import stats
from gimel.analysis.counts import Arm, Count, relative_variance


def close(expected: Any) -> Any:
    """Equal to 1e-9 relative; near zero the difference of two rates has no more than 1e-13 absolute."""
    return pytest.approx(expected, rel=1e-9, abs=1e-13)


ARMS = [
    (0, 1),
    (1, 1),
    (0, 50),
    (1, 40),
    (3, 7),
    (5, 100),
    (50, 50),
    (480, 10_000),
    (530, 10_000),
    (1200, 2000),
    (31_000, 10**6),
]
ARMS += [(10**9 + 7, 10**12)]
PAIRS = list(itertools.permutations(ARMS, 2))
CONFIDENCES = [0.5, 0.9, 0.95, 0.999]


def exact(conversions: float, visitors: float, weight: float = 1.0) -> Arm:
    return Arm("arm", Count(visitors), Count(conversions), weight)


def noisy(conversions: float, visitors: float, precision: int = 1, weight: float = 1.0) -> Arm:
    return Arm(
        "arm", Count.of({str(precision): visitors}), Count.of({str(precision): conversions}), weight
    )


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize(("conversions", "visitors"), ARMS)
def test_rate_has_the_wilson_interval(conversions: int, visitors: int, confidence: float) -> None:
    """An exact rate has statsmodels' Wilson interval."""
    found = stats.rate(exact(conversions, visitors), confidence)

    expected = proportion_confint(conversions, visitors, alpha=1 - confidence, method="wilson")
    assert (found.low, found.high) == (close(expected[0]), close(expected[1]))


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_difference_has_newcombes_interval(confidence: float) -> None:
    """An exact difference has statsmodels' Newcombe interval."""
    for (s, n), (t, m) in PAIRS:
        found = stats.difference(exact(s, n), exact(t, m), confidence)

        low, high = confint_proportions_2indep(
            s, n, t, m, method="newcomb", compare="diff", alpha=1 - confidence
        )
        assert found.value == close(s / n - t / m)
        assert (found.low, found.high) == (close(low), close(high)), ((s, n), (t, m))


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_lift_has_the_interval_of_katz(confidence: float) -> None:
    """An exact lift has statsmodels' interval of the log-ratio, less one."""
    for (s, n), (t, m) in PAIRS:
        if not s or not t or s == n or t == m:
            continue
        found = stats.lift(exact(s, n), exact(t, m), confidence)

        low, high = confint_proportions_2indep(
            s, n, t, m, method="log", compare="ratio", alpha=1 - confidence
        )
        assert found is not None
        assert found.value + 1 == close(s / n / (t / m))
        assert (found.low + 1, found.high + 1) == (close(low), close(high)), ((s, n), (t, m))


@pytest.mark.parametrize(
    ("ours", "theirs"), [((0, 10), (3, 10)), ((3, 10), (0, 10)), ((0, 0), (3, 10))]
)
def test_there_is_no_lift_without_conversions(
    ours: tuple[int, int], theirs: tuple[int, int]
) -> None:
    """A relative lift needs conversions on both sides."""
    assert stats.lift(exact(*ours), exact(*theirs)) is None


def test_p_value_is_that_of_the_pooled_z_test() -> None:
    """The p-value of exact counts is statsmodels' two-proportion z-test."""
    for (s, n), (t, m) in PAIRS:
        if 0 < s + t < n + m:
            found = stats.p_value(exact(s, n), exact(t, m))

            assert found == close(proportions_ztest([s, t], [n, m])[1]), ((s, n), (t, m))


@pytest.mark.parametrize(
    "p_values",
    [
        [],
        [0.03],
        [0.01, 0.04, 0.03],
        [0.5, 0.5, 0.001, 0.9],
        [0.02] * 5,
        [i / 400 for i in range(1, 40)],
    ],
    ids=len,
)
def test_holm_adjusts_as_statsmodels_does(p_values: list[float]) -> None:
    """Several variants' p-values are adjusted by Holm's method."""
    expected = multipletests(p_values, method="holm")[1] if p_values else []
    assert stats.holm(p_values) == close(tuple(expected))


@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="gbstats wants a pandas that Python 3.12 no longer has"
)
@pytest.mark.filterwarnings("ignore:overflow encountered in exp")
@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_anytime_interval_and_p_are_growthbooks(confidence: float) -> None:
    """On exact counts the anytime-valid interval and p-value of the difference are those of gbstats."""
    from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
    from gbstats.models.statistics import ProportionStatistic

    config = SequentialConfig(alpha=1 - confidence, difference_type="absolute")
    for (s, n), (t, m) in PAIRS:
        if s in (0, n) or t in (0, m):
            continue
        arm, control = exact(s, n), exact(t, m)
        found = stats.anytime_difference(arm, control, confidence)
        p = stats.anytime_p_value(
            found.value,
            arm.variance + control.variance,
            arm.effective + control.effective,
            confidence,
        )

        oracle = SequentialTwoSidedTTest(
            ProportionStatistic(n=m, sum=t), ProportionStatistic(n=n, sum=s), config
        )
        low, high = oracle.confidence_interval
        assert found.low == close(max(low, -1))
        assert found.high == close(min(high, 1))
        assert p == pytest.approx(oracle.p_value, rel=1e-9, abs=1e-290)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 10, 39])
def test_chi_square_equals_scipy_down_to_tiny_p(degrees: int) -> None:
    """The tail of chi-square keeps its digits from p = 1 to 1e-290."""
    for statistic in [1e-12, 1e-3, 0.5, 1, 3.84, 10, 30, 100, 400, 1000, 1250]:
        assert stats.chi_square_p(statistic, degrees) == pytest.approx(
            scipy_stats.chi2.sf(statistic, degrees), rel=1e-9
        )


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
def test_split_of_exact_counts_is_pearsons_chi_square(
    visitors: tuple[int, ...], weights: tuple[float, ...]
) -> None:
    """On exact counts the check of the split is scipy's chi-square test."""
    found = stats.split([exact(0, n, weight) for n, weight in zip(visitors, weights, strict=True)])

    expected = [sum(visitors) * weight / sum(weights) for weight in weights]
    oracle = scipy_stats.chisquare(visitors, expected)
    assert found.checked
    assert found.statistic == pytest.approx(oracle.statistic, rel=1e-9, abs=1e-20)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-9)


def test_split_forgives_what_counting_explains() -> None:
    """At a million visitors precision 1 miscounts by 0.8%: a split of 50.4/49.6 is no alarm there, and one on exact counts."""
    assert not stats.split([noisy(0, 1_008_000), noisy(0, 992_000)]).is_mismatch
    assert stats.split([exact(0, 1_008_000), exact(0, 992_000)]).is_mismatch


def test_split_ignores_arms_without_weight_and_few_visitors() -> None:
    """An arm that should get nobody, or five expected visitors at most, makes no mismatch."""
    assert stats.split([exact(0, 500), exact(0, 510), exact(0, 90, weight=0)]).p > 0.5
    assert not stats.split([exact(0, 8), exact(0, 0)]).checked
    assert not stats.split([exact(0, 2, weight=0.01), exact(0, 8, weight=0.99)]).checked
    assert not stats.split([]).checked


@pytest.mark.parametrize("precision", [1, 16])
@pytest.mark.parametrize("p", [0.01, 0.05, 0.5, 0.9])
def test_noise_enters_as_the_effective_sample_size(p: float, precision: int) -> None:
    """With noise the variance of a rate is that of `effective` exactly counted visitors, and its interval about theirs."""
    visitors = 500_000.0
    arm = noisy(p * visitors, visitors, precision)
    same = exact(p * arm.effective, arm.effective)

    noise = relative_variance(visitors, precision) + relative_variance(p * visitors, precision)
    assert arm.noise == close(noise)
    assert arm.variance == pytest.approx(p * (1 - p) / visitors + p * p * noise, rel=1e-12)
    assert same.variance == pytest.approx(arm.variance, rel=1e-3)
    found, expected = stats.rate(arm), stats.rate(same)
    assert found.high - found.low == pytest.approx(expected.high - expected.low, rel=0.02)


def test_noise_at_a_rate_of_one_costs_its_own_size_and_no_more() -> None:
    """Near 100% the interval is as wide as counting noise is, about 2% here, not as if nothing were known."""
    found = stats.rate(noisy(10**7, 10**7))
    assert found.low == pytest.approx(1 - 1.96 * math.sqrt(2 * 1.08 / 16384), abs=1e-3)
    assert found.high == 1
    assert noisy(10**7, 10**7).effective > 50


def test_first_visitors_settle_nothing() -> None:
    """One conversion against none, of one visitor each, has no variance in the textbook and must not win."""
    found = stats.compare([exact(1, 1), control := exact(0, 1)], control)[0]
    assert not found.wins
    assert found.anytime_p > 0.5


def test_comparisons_share_the_confidence() -> None:
    """With three variants each anytime-valid interval is one at 98.33%, and its p-value is multiplied by three."""
    control, *others = arms = [exact(500 + 40 * i, 10_000) for i in range(4)]
    found = stats.compare(arms, control, 0.95)

    assert [comparison.arm for comparison in found] == others
    for comparison in found:
        assert comparison.anytime_difference == stats.anytime_difference(
            comparison.arm, control, 1 - 0.05 / 3
        )
        assert (comparison.anytime_p < 0.05) == (comparison.anytime_difference.low > 0)


def test_parts_of_a_count_add_up_with_their_variances() -> None:
    """A count made of several precisions has the sum of their variances; exact parts add none."""
    found = Count.of({"1": 400, "16": 23_422.4, "exact": 12})

    assert found.value == close(23_834.4)
    assert found.variance == close(
        400**2 * relative_variance(400, 1) + 23_422.4**2 * relative_variance(23_422.4, 16)
    )
    assert found.precision == 16
    assert Count.of({}) == Count() == Count.of({"exact": 0})


@pytest.mark.parametrize(
    "parts",
    [{"1": -1}, {"16": math.nan}, {"0": 5}, {"sixteen": 5}, {"-4": 1}, {"exact": math.inf}],
    ids=str,
)
def test_what_cannot_be_a_count_is_refused(parts: dict[str, float]) -> None:
    """A precision or a number that makes no sense is a ValueError."""
    with pytest.raises(ValueError):
        Count.of(parts)


@pytest.mark.parametrize(
    ("goals", "visitors", "expected"),
    [
        (1000, 1000, True),
        (1001, 1000, True),
        (1010, 1000, True),
        (1100, 1000, False),
        (3, 0, False),
        (0, 0, True),
    ],
)
def test_more_goals_than_visitors_are_noticed_beyond_noise(
    goals: int, visitors: int, expected: bool
) -> None:
    """Somewhat more goals than visitors may be noise, many more are a goal that is not unique."""
    assert noisy(goals, visitors).is_conversion is expected
