"""The published tests are copied correctly: their counts lead to the published figures."""

from __future__ import annotations

import pytest
from scipy.stats import chisquare

from gimel.analysis.counts import Arm, Count
from gimel.analysis.shares import check_shares
from gimel.analysis.stats import p_value
from tests.analysis.published import MISMATCH, TESTS, Conclusion, Group, PublishedTest

GROUPS = [(test, group) for test in TESTS for group in test.groups]
COMPARISONS = [(test, variant) for test in TESTS for variant in test.variants]


def name(value: PublishedTest | Group) -> str:
    return value.name if isinstance(value, Group) else f"{value.experiment}: {value.goal}"


def arm(group: Group) -> Arm:
    return Arm(group.name, Count(group.visitors), Count(group.conversions), group.weight)


def decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


@pytest.mark.parametrize(("test", "group"), GROUPS, ids=name)
def test_the_rate_is_the_published_one(test: PublishedTest, group: Group) -> None:
    """In percent, with as many digits as were printed."""
    assert round(100 * arm(group).rate, decimals(group.rate)) == float(group.rate)


@pytest.mark.parametrize(("test", "variant"), COMPARISONS, ids=name)
def test_the_p_value_is_the_published_one(test: PublishedTest, variant: Group) -> None:
    """With as many digits as were printed, or on the printed side of a limit."""
    p = p_value(arm(variant), arm(test.control))
    if variant.p.startswith("<"):
        assert p < float(variant.p[1:])
    elif variant.p.startswith(">"):
        assert p > float(variant.p[1:])
    elif variant.p:
        assert round(p, decimals(variant.p)) == float(variant.p)


@pytest.mark.parametrize(("test", "variant"), COMPARISONS, ids=name)
def test_the_conclusion_follows_from_the_figures(test: PublishedTest, variant: Group) -> None:
    """At the usual level of 5%, and in the direction that the authors wanted."""
    ours, theirs = arm(variant), arm(test.control)
    if p_value(ours, theirs) > 0.05:
        conclusion = Conclusion.NOT_SIGNIFICANT
    elif (ours.rate > theirs.rate) != test.decrease:
        conclusion = Conclusion.BETTER
    else:
        conclusion = Conclusion.WORSE
    assert variant.conclusion is conclusion


def test_the_lift_of_the_splash_page_is_the_published_one() -> None:
    """40.6%: the counts were derived from it and from the two rates."""
    (test,) = (test for test in TESTS if test.goal == "sign-up")
    (variant,) = test.variants
    assert round(100 * (arm(variant).rate / arm(test.control).rate - 1), 1) == 40.6


@pytest.mark.parametrize("test", TESTS, ids=name)
def test_no_published_test_has_a_wrong_split(test: PublishedTest) -> None:
    """Otherwise no verdict could agree with a conclusion. Cookie Cats is the closest."""
    assert not check_shares([arm(group) for group in test.groups]).is_mismatch


def test_the_published_mismatch_is_found() -> None:
    """50.2% of 1.6 million visitors: the p-value is the published one, and the check agrees."""
    assert f"{chisquare(MISMATCH.visitors).pvalue:.1e}" == f"{float(MISMATCH.p):.1e}"
    arms = [Arm("arm", Count(visitors), Count()) for visitors in MISMATCH.visitors]
    assert check_shares(arms).is_mismatch
