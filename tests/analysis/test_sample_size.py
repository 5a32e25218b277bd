"""Sample sizes are the textbook's, enlarged by counting noise, and detect what they promise."""

import pytest
from statsmodels.stats.proportion import power_proportions_2indep

from gimel.analysis.counts import EXACT, Arm, Count
from gimel.analysis.sample_size import sample_size
from gimel.analysis.stats import anytime_difference, quantile


@pytest.mark.parametrize(("baseline", "lift"), [(0.05, 0.1), (0.01, 0.2), (0.3, 0.05), (0.5, -0.1)])
def test_the_fixed_size_without_noise_is_the_textbooks(baseline: float, lift: float) -> None:
    """For one look at exact counts it is z^2 (p1 q1 + p2 q2) / delta^2 and has the wanted power."""
    found = sample_size(baseline, lift, precision=EXACT)

    other = baseline * (1 + lift)
    z = quantile(0.95) + 0.8416212335729143
    expected = z * z * (baseline * (1 - baseline) + other * (1 - other)) / (other - baseline) ** 2
    assert found.fixed == found.fixed_exact == pytest.approx(expected, rel=2e-4)
    assert found.widening == 0
    power = power_proportions_2indep(
        other - baseline, baseline, found.fixed, alpha=0.05, return_results=False
    )
    assert power == pytest.approx(0.8, abs=0.01)


def test_noise_needs_more_visitors_at_a_lower_precision() -> None:
    """Counting noise enlarges the sample, less so with more shards."""
    coarse, fine = sample_size(0.05, 0.1, precision=1), sample_size(0.05, 0.1, precision=16)

    assert coarse.fixed_exact == fine.fixed_exact
    assert coarse.widening is not None
    assert fine.widening is not None
    assert coarse.widening > 10 * fine.widening > 0


def test_a_lift_that_counting_hides_has_no_sample_size() -> None:
    """At precision 1 no number of visitors detects a 2% lift over a 50% rate; at 256 one does."""
    assert sample_size(0.5, 0.02, precision=1).fixed is None
    assert sample_size(0.5, 0.02, precision=1).widening is None
    assert sample_size(0.5, 0.02, precision=256).fixed is not None


@pytest.mark.parametrize("precision", [1, 16, EXACT])
def test_with_the_anytime_size_the_lift_is_detected(precision: int) -> None:
    """With so many visitors the always-valid interval around the lift excludes zero with power."""
    visitors = sample_size(0.05, 0.1, precision=precision).anytime
    assert visitors is not None
    kind = str(precision) if precision else "exact"
    arms = [
        Arm("", Count.from_parts({kind: visitors}), Count.from_parts({kind: visitors * rate}))
        for rate in (0.05, 0.055)
    ]

    found = anytime_difference(arms[1], arms[0])
    deviation = (arms[0].variance + arms[1].variance) ** 0.5
    assert found.low == pytest.approx(0.8416 * deviation, rel=0.02)


def test_more_variants_need_more_visitors_each() -> None:
    """Sharing the confidence between comparisons costs visitors."""
    one, three = sample_size(0.05, 0.1), sample_size(0.05, 0.1, comparisons=3)
    assert one.fixed is not None
    assert three.fixed is not None
    assert three.fixed > one.fixed
