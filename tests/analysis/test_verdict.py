"""The verdict says the one thing that matters; a reason to distrust the data comes first."""

import time

import pytest

from gimel.analysis.counts import Arm, Count
from gimel.analysis.verdict import Kind, Verdict, decide


def arm(
    name: str, visitors: float, conversions: float, precision: str = "16", weight: float = 1.0
) -> Arm:
    return Arm(
        name,
        Count.from_parts({precision: visitors}),
        Count.from_parts({precision: conversions}),
        weight,
    )


def decided(*arms: Arm, minimum_lift: float = 0.1) -> Verdict:
    """Return the verdict on these arms, of which the first is the control."""
    return decide(arms, arms[0], minimum_lift=minimum_lift)


CASES = {
    "nothing counted": (
        [arm("blue", 0, 0), arm("red", 0, 0)],
        Kind.NO_DATA,
        "no data: no visitors counted yet",
    ),
    "wrong split": (
        [arm("blue", 10_420, 900), arm("red", 9_580, 1_100)],
        Kind.SPLIT_MISMATCH,
        "do not trust this: visitors are split 52/48, expected 50/50 (p < 0.000001)",
    ),
    "slightly wrong split": (
        [arm("blue", 500_900, 25_000, "exact"), arm("red", 497_000, 25_000, "exact")],
        Kind.SPLIT_MISMATCH,
        "do not trust this: visitors are split 50.2/49.8, expected 50.0/50.0 (p = 0.00009)",
    ),
    "wrong split of many": (
        [arm("blue", 100, 5), *(arm(name, 300, 15) for name in ("red", "green", "grey", "pink"))],
        Kind.SPLIT_MISMATCH,
        "do not trust this: blue has 8% of visitors, expected 20% (p < 0.000001)",
    ),
    "a variant without visitors": (
        [arm("blue", 1000, 50), arm("red", 0, 0)],
        Kind.SPLIT_MISMATCH,
        "do not trust this: visitors are split 100/0, expected 50/50 (p < 0.000001)",
    ),
    "not unique": (
        [arm("blue", 1000, 1800), arm("red", 1010, 1500)],
        Kind.NOT_A_CONVERSION,
        "not a conversion: more goals than visitors (blue: 1,800 goals, 1,000 visitors)",
    ),
    "one goal and one visitor are singular": (
        [arm("blue", 1, 20), arm("red", 1, 1)],
        Kind.NOT_A_CONVERSION,
        "not a conversion: more goals than visitors (blue: 20 goals, 1 visitor)",
    ),
    "goals without visitors": (
        [arm("blue", 0, 5), arm("red", 0, 0)],
        Kind.NOT_A_CONVERSION,
        "not a conversion: more goals than visitors (blue: 5 goals, 0 visitors)",
    ),
    "one variant": (
        [arm("blue", 1000, 50)],
        Kind.SINGLE_VARIANT,
        "nothing to compare: only blue has visitors",
    ),
    "no conversions": (
        [arm("blue", 1000, 0), arm("red", 1000, 0)],
        Kind.NO_CONVERSIONS,
        "no conversions yet among 2,000 visitors",
    ),
    "a variant wins": (
        [arm("blue", 20_000, 1000), arm("red", 20_000, 1250)],
        Kind.WINNER,
        "red beats blue (lift +25%, between +9.5% and +43%), safe to stop",
    ),
    "several win and one loses": (
        [
            arm("blue", 200_000, 20_000),
            arm("red", 200_000, 23_000),
            arm("green", 200_000, 22_900),
            arm("grey", 200_000, 18_000),
            arm("pink", 200_000, 20_000),
        ],
        Kind.WINNER,
        "red beats blue (lift +15%, between +11% and +19%), safe to stop; green also beats blue; "
        "grey loses to blue",
    ),
    "a control without conversions loses": (
        [arm("blue", 1000, 0), arm("red", 1000, 100)],
        Kind.WINNER,
        "red beats blue (10% against 0%), safe to stop",
    ),
    "the control wins": (
        [arm("blue", 20_000, 1250), arm("red", 20_000, 1000)],
        Kind.CONTROL_WINS,
        "blue, the control, beats red (lift -20%, between -30% and -8.6%), safe to stop",
    ),
    "the control beats all": (
        [arm("blue", 90_000, 6000), arm("red", 90_000, 5000), arm("green", 90_000, 4800)],
        Kind.CONTROL_WINS,
        "blue, the control, beats every variant (red comes closest: lift -17%, between -22% and "
        "-11%), safe to stop",
    ),
    "no difference": (
        [arm("blue", 200_000, 20_000), arm("red", 200_000, 20_100)],
        Kind.NO_DIFFERENCE,
        "no difference worth detecting: the lift of red is between -2.9% and +4.1%, safe to stop",
    ),
    "too early": (
        [arm("blue", 5000, 250), arm("red", 5000, 260)],
        Kind.TOO_EARLY,
        "too early: needs about 68,000 more visitors per variant to detect a 10% lift",
    ),
    "too early for one, another loses": (
        [arm("blue", 40_000, 2000), arm("red", 40_000, 2050), arm("green", 40_000, 1500)],
        Kind.TOO_EARLY,
        "too early: needs about 41,000 more visitors per variant to detect a 10% lift; "
        "green loses to blue",
    ),
    "long enough and undecided": (
        [arm("blue", 80_000, 4000), arm("red", 80_000, 4180)],
        Kind.TOO_EARLY,
        "too early: needs about 83,000 more visitors per variant to tell red from blue",
    ),
}


@pytest.mark.parametrize(("arms", "kind", "sentence"), CASES.values(), ids=CASES)
def test_each_situation_has_its_verdict(arms: list[Arm], kind: Kind, sentence: str) -> None:
    """Each situation has its kind and its sentence."""
    found = decided(*arms)
    assert (found.kind, found.sentence) == (kind, sentence)


def test_counting_noise_can_make_a_question_unanswerable() -> None:
    """If counting hides the minimum lift, no number of visitors is promised."""
    found = decided(
        arm("blue", 10**6, 500_000, "1"), arm("red", 10**6, 500_500, "1"), minimum_lift=0.01
    )
    assert (found.kind, found.more_visitors) == (Kind.TOO_NOISY, None)
    assert (
        found.sentence
        == "cannot be decided: a 1% lift is too small to detect at counting precision 1"
    )


def test_every_kind_of_verdict_is_covered() -> None:
    """The cases above have every kind but the one that has its own test."""
    assert {kind for _, kind, _ in CASES.values()} == set(Kind) - {Kind.TOO_NOISY}


def test_weights_say_which_split_is_right() -> None:
    """A split of 9 to 1 is right if the weights ask for it, and the verdict is on the goal."""
    found = decided(arm("blue", 90_000, 4500, weight=90), arm("red", 10_000, 900, weight=10))
    assert found.kind is Kind.WINNER


def test_a_verdict_has_its_figures_for_programs() -> None:
    """Winner, lift, losers and missing visitors are fields, so that no one parses the sentence."""
    won = decided(arm("blue", 20_000, 1000), arm("red", 20_000, 1250), arm("green", 20_000, 700))
    assert (won.variant, won.winners, won.losers, won.safe_to_stop) == (
        "red",
        ("red",),
        ("green",),
        True,
    )
    assert won.lift is not None
    assert won.lift.low > 0
    early = decided(arm("blue", 5000, 250), arm("red", 5000, 260))
    assert (early.more_visitors, early.safe_to_stop) == (68_000, False)


def test_a_p_value_of_one_look_wins_nothing() -> None:
    """A difference that is significant at one look (p = 0.03) is not safe to stop at."""
    assert decided(arm("blue", 20_000, 1000), arm("red", 20_000, 1098)).kind is Kind.TOO_EARLY


def test_verdicts_of_a_whole_dashboard_take_little_time() -> None:
    """Two hundred verdicts on four variants, none decided, take less than 0.4 s of CPU time."""
    arms = [
        arm(name, 5000, 250 + index) for index, name in enumerate(("blue", "red", "green", "grey"))
    ]
    started = time.process_time()
    for _ in range(200):
        decided(*arms)
    assert time.process_time() - started < 0.4
