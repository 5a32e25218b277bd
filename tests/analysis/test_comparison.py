"""A variant is compared with the control by one always-valid interval, with details beside it."""

from __future__ import annotations

import pytest

from gimel.analysis import stats
from gimel.analysis.comparison import Comparison, Question, compare
from gimel.analysis.design import Design, Role
from gimel.analysis.mixture import lift_interval
from tests.support.arms import exact
from tests.support.experiments import experiment, pair


def compared(
    theirs: tuple[float, float], ours: tuple[float, float], **question: bool | float
) -> Comparison:
    """Return the comparison of an arm with the control, each of (conversions, visitors)."""
    (found,) = compare(exact(*theirs), [exact(*ours)], Question(**question))  # type: ignore[arg-type]
    return found


def test_comparisons_and_goals_share_the_error() -> None:
    """With three variants beside the control and two goals, each interval has a sixth of 5%."""
    control, *others = [exact(500 + 40 * i, 10_000) for i in range(4)]

    found = compare(control, others, Question(goals=2))

    assert [each.arm for each in found] == others
    for each in found:
        alone = lift_interval(control, each.arm, 0.1, 0.05 / 6)
        assert (each.lift.low, each.lift.high) == pytest.approx((alone.low, alone.high))


def test_a_variant_without_weight_takes_no_share_of_the_error() -> None:
    """Anyone can make up a variant; it must not make the real ones wait longer."""
    control, real, stray = exact(500, 10_000), exact(600, 10_000), exact(1, 10, weight=0)

    alone, together = (
        compare(control, [real], Question()),
        compare(control, [real, stray], Question()),
    )

    assert together[0].lift == alone[0].lift


def test_the_details_are_those_of_a_single_look() -> None:
    """They use the whole confidence; only the p-values are adjusted for the variants."""
    control, *others = [exact(500, 10_000), exact(560, 10_000), exact(590, 10_000)]

    first, second = compare(control, others, Question(confidence=0.9, goals=3))

    assert first.details.difference == stats.difference(others[0], control, 0.9)
    assert second.details.lift == stats.lift(others[1], control, 0.9)
    assert first.details.p_adjusted == first.details.p
    assert second.details.p_adjusted == 2 * second.details.p


@pytest.mark.parametrize(
    ("role", "goals"), [("buy", 1), ("refund", 2), ("leave", 2), ("view", 3), ("read", 3)]
)
def test_each_role_has_its_own_error(role: str, goals: int) -> None:
    """The primary goal has all of it, guardrails share theirs, and so do secondary goals."""
    conversions = dict.fromkeys(("buy", "refund", "leave", "view", "read", "like"), 500)
    design = Design(goal="buy", guardrails=("refund", "leave"))

    found = experiment(dict.fromkeys(("blue", "red"), (9000, conversions)), design)

    (goal,) = (each for each in found.goals if each.name == role)
    (comparison,) = goal.case.comparisons
    assert comparison.question.goals == goals
    assert comparison.alpha == pytest.approx(0.05 / goals)


def test_without_a_design_all_goals_share_the_error() -> None:
    """But one that is not a conversion cannot decide, and takes no share."""
    variants = {name: (9000, {"buy": 500, "look": 800, "view": 20_000}) for name in ("blue", "red")}

    found = experiment(variants)

    assert [goal.role for goal in found.goals] == [Role.EQUAL] * 3
    assert {goal.case.comparisons[0].question.goals for goal in found.goals} == {2}


@pytest.mark.parametrize(("is_decrease", "direction", "leaning"), [(False, 1, 1), (True, -1, -1)])
def test_the_direction_decides_what_is_better(
    is_decrease: bool, direction: int, leaning: int
) -> None:
    """More conversions are better, unless fewer are; the lift itself stays."""
    found = compared((1000, 20_000), (1250, 20_000), is_decrease=is_decrease)

    assert (found.direction, found.leaning) == (direction, leaning)
    assert found.gain == pytest.approx(0.0125 * direction)
    assert found.lift.sign == 1


@pytest.mark.parametrize(
    ("theirs", "ours", "in_failures"),
    [((9000, 20_000), (9500, 20_000), False), ((18_000, 20_000), (18_400, 20_000), True)],
    ids=["45%", "90%"],
)
def test_above_one_half_the_lift_is_also_that_of_the_failures(
    theirs: tuple[int, int], ours: tuple[int, int], in_failures: bool
) -> None:
    """From 90% to 92% of conversions there are a fifth fewer failures."""
    found = compared(theirs, ours)

    assert (found.failures is not None) is in_failures
    if found.failures:
        assert found.failures.value == pytest.approx(-0.2)
        assert found.failures.sign == -found.lift.sign


def test_the_first_visitors_decide_nothing() -> None:
    """One conversion against none, of one visitor each, has no variance in the textbook."""
    found = compared((0, 1), (1, 1))

    assert (found.direction, found.is_small) == (0, False)


@pytest.mark.parametrize("counts", [((0, 0), (3, 10)), ((3, 10), (0, 0)), ((0, 0), (0, 0))])
def test_without_visitors_nothing_is_known(counts: tuple[tuple[int, int], tuple[int, int]]) -> None:
    """The interval is open on both sides."""
    found = compared(*counts)

    assert not found.has_visitors
    assert (found.lift.low, found.lift.high, found.direction) == (None, None, 0)
    assert found.details.p == 1


def test_a_longer_list_of_goals_makes_a_wider_interval() -> None:
    """So that 20 goals have no more false winners together than one."""
    one = experiment(pair((20_000, 1000), (20_000, 1200)))
    many = {
        name: (20_000, {f"goal {number}": conversions for number in range(20)})
        for name, conversions in (("blue", 1000), ("red", 1200))
    }

    narrow = one.goals[0].case.comparisons[0].lift
    wide = experiment(many).goals[0].case.comparisons[0].lift

    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low < narrow.low
