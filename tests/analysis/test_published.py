"""Published tests have the published figures, and their verdicts are the published conclusions."""

from __future__ import annotations

import pytest
import scipy

from gimel.analysis.counts import Arm, Count
from gimel.analysis.design import LIFT_WORTH_DETECTING, Design
from gimel.analysis.experiment import Experiment
from gimel.analysis.shares import check_shares
from gimel.analysis.stats import p_value
from gimel.analysis.verdict import Kind
from tests.analysis.published import MISMATCH, TESTS, Conclusion, Group, PublishedTest
from tests.support.experiments import experiment

GROUPS = [(test, group) for test in TESTS for group in test.groups]
OPPOSITE: dict[Conclusion | None, int] = {Conclusion.BETTER: -1, Conclusion.WORSE: 1}
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


def analysed(test: PublishedTest, lift: float, precision: str = "exact") -> Experiment:
    """Return the test as an experiment of 30 days."""
    groups = (test.control, *test.variants)
    design = Design(
        control=test.control.name,
        weights={group.name: group.weight for group in groups},
        decrease={test.goal} if test.decrease else (),
        lift=lift,
    )
    variants = {group.name: (group.visitors, {test.goal: group.conversions}) for group in groups}
    return experiment(variants, design, days=30, precision=precision)


@pytest.mark.parametrize("test", TESTS, ids=name)
def test_the_verdict_is_the_published_conclusion(test: PublishedTest) -> None:
    """At the lift that the authors held to be worth detecting."""
    found = analysed(test, test.lift).headline

    for conclusion, names in ((Conclusion.BETTER, found.better), (Conclusion.WORSE, found.worse)):
        published = {each.name for each in test.variants if each.conclusion is conclusion}
        assert set(names) == published
    conclusions = {variant.conclusion for variant in test.variants}
    if Conclusion.BETTER in conclusions:
        assert (found.kind, found.safe_to_stop) == (Kind.WINNER, True)
        assert found.variant in found.better
    elif conclusions == {Conclusion.WORSE}:
        assert (found.kind, found.variant) == (Kind.CONTROL_WINS, test.control.name)
    else:
        assert found.kind in (Kind.TOO_EARLY, Kind.SMALL_DIFFERENCE, Kind.NO_DIFFERENCE)


@pytest.mark.parametrize("precision", ["exact", "16", "1"])
@pytest.mark.parametrize("test", TESTS, ids=name)
def test_no_verdict_contradicts_a_published_conclusion(test: PublishedTest, precision: str) -> None:
    """At the default lift and at any precision it may be open, but it is never the opposite."""
    (goal,) = analysed(test, LIFT_WORTH_DETECTING, precision).goals

    for comparison, variant in zip(goal.case.comparisons, test.variants, strict=True):
        assert comparison.direction != OPPOSITE.get(variant.conclusion)
        if variant.conclusion is Conclusion.NOT_SIGNIFICANT:
            assert comparison.direction == 0
        if goal.verdict.kind is Kind.NO_DIFFERENCE and not comparison.direction:
            assert p_value(comparison.arm, comparison.control) > 0.05


def test_cookie_cats_is_not_without_a_difference() -> None:
    """p = 0.0016: it was once said to have none worth detecting, and to be safe to stop."""
    (test,) = (test for test in TESTS if test.goal == "7-day retention")

    open_question = analysed(test, LIFT_WORTH_DETECTING).headline
    decided = analysed(test, test.lift).headline

    assert open_question.kind is Kind.SMALL_DIFFERENCE
    assert "“gate_40” leans worse (8.5% worse to 0.089% better)" in open_question.sentence
    assert decided.sentence == (
        "“7-day retention”: Keep “gate_30” (control): “gate_40” converts 4.3% worse (0.074% to 8.4%"
        " worse). Safe to stop."
    )


@pytest.mark.parametrize("test", TESTS, ids=name)
def test_no_published_test_has_a_wrong_split(test: PublishedTest) -> None:
    """Otherwise no verdict could agree with a conclusion. Cookie Cats is the closest."""
    assert not check_shares([arm(group) for group in test.groups]).is_mismatch


def test_the_published_mismatch_is_found() -> None:
    """50.2% of 1.6 million visitors: the p-value is the published one, and the check agrees."""
    assert f"{scipy.stats.chisquare(MISMATCH.visitors).pvalue:.1e}" == f"{float(MISMATCH.p):.1e}"
    control, treatment = MISMATCH.visitors
    variants = {"control": (control, {"buy": 9}), "treatment": (treatment, {"buy": 9})}
    found = experiment(variants, precision="exact")
    assert found.headline.kind is Kind.SPLIT_MISMATCH
    assert "visitors are split 50.2/49.8, expected 50.0/50.0" in found.headline.sentence
