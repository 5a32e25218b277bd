"""The verdict says the one thing that matters, and what cannot be trusted before anything else."""

import time

import pytest

from gimel.analysis.counts import Arm, Count
from gimel.analysis.verdict import Kind, Verdict, verdict


def arm(
    name: str, visitors: float, conversions: float, precision: str = "16", weight: float = 1.0
) -> Arm:
    return Arm(name, Count.of({precision: visitors}), Count.of({precision: conversions}), weight)


def judged(*arms: Arm, wanted_lift: float = 0.1) -> Verdict:
    return verdict(arms, arms[0], wanted_lift=wanted_lift)


CASES = {
    "nothing counted": (
        [arm("blue", 0, 0), arm("red", 0, 0)],
        Kind.NO_DATA,
        "no data: no visitor has been counted yet",
    ),
    "wrong split": (
        [arm("blue", 10_420, 900), arm("red", 9_580, 1_100)],
        Kind.SPLIT_MISMATCH,
        "do not trust this: visitors are split 52/48 where 50/50 was expected (p < 0.000001)",
    ),
    "slightly wrong split": (
        [arm("blue", 500_900, 25_000, "exact"), arm("red", 497_000, 25_000, "exact")],
        Kind.SPLIT_MISMATCH,
        "do not trust this: visitors are split 50.2/49.8 where 50.0/50.0 was expected (p = 0.00009)",
    ),
    "wrong split of many": (
        [arm("blue", 100, 5), *(arm(name, 300, 15) for name in ("red", "green", "grey", "pink"))],
        Kind.SPLIT_MISMATCH,
        "do not trust this: blue has 8% of visitors where 20% was expected (p < 0.000001)",
    ),
    "a variant without visitors": (
        [arm("blue", 1000, 50), arm("red", 0, 0)],
        Kind.SPLIT_MISMATCH,
        "do not trust this: visitors are split 100/0 where 50/50 was expected (p < 0.000001)",
    ),
    "not unique": (
        [arm("blue", 1000, 1800), arm("red", 1010, 1500)],
        Kind.NOT_A_CONVERSION,
        "not a conversion: more goals than visitors (blue: 1,800 goals, 1,000 visitors)",
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
        "red beats blue (lift +15%, between +11% and +19%), safe to stop; green beats it too; grey loses to blue",
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
        "blue, the control, beats every variant (red comes closest: lift -17%, between -22% and -11%), safe to stop",
    ),
    "no difference": (
        [arm("blue", 200_000, 20_000), arm("red", 200_000, 20_100)],
        Kind.NO_DIFFERENCE,
        "no difference worth detecting: the lift of red is between -2.9% and +4.1%, safe to stop",
    ),
    "too early": (
        [arm("blue", 5000, 250), arm("red", 5000, 260)],
        Kind.TOO_EARLY,
        "too early: about 68,000 more visitors a variant to detect a 10% lift",
    ),
    "too early for one, another loses": (
        [arm("blue", 40_000, 2000), arm("red", 40_000, 2050), arm("green", 40_000, 1500)],
        Kind.TOO_EARLY,
        "too early: about 41,000 more visitors a variant to detect a 10% lift; green loses to blue",
    ),
    "long enough and undecided": (
        [arm("blue", 80_000, 4000), arm("red", 80_000, 4180)],
        Kind.TOO_EARLY,
        "too early: about 83,000 more visitors a variant to tell red from blue",
    ),
}


@pytest.mark.parametrize(("arms", "kind", "sentence"), CASES.values(), ids=CASES)
def test_verdict(arms: list[Arm], kind: Kind, sentence: str) -> None:
    """Each situation has its kind and its sentence."""
    found = judged(*arms)
    assert (found.kind, found.sentence) == (kind, sentence)


def test_counting_noise_can_make_a_question_unanswerable() -> None:
    """Where counting hides the wanted lift, no number of visitors is promised."""
    found = judged(
        arm("blue", 10**6, 500_000, "1"), arm("red", 10**6, 500_500, "1"), wanted_lift=0.01
    )
    assert (found.kind, found.more_visitors) == (Kind.TOO_NOISY, None)
    assert (
        found.sentence
        == "cannot be told: a 1% lift is smaller than counting at precision 1 can show"
    )


def test_every_kind_of_verdict_is_covered() -> None:
    """The cases above leave out no kind but the one that has its own test."""
    assert {kind for _, kind, _ in CASES.values()} == set(Kind) - {Kind.TOO_NOISY}


def test_weights_say_which_split_is_right() -> None:
    """A split of 9 to 1 is right where it was meant, and the verdict is on the goal."""
    found = judged(arm("blue", 90_000, 4500, weight=90), arm("red", 10_000, 900, weight=10))
    assert found.kind is Kind.WINNER


def test_verdict_names_the_figures_for_programs() -> None:
    """Winner, its lift, the losers and the visitors missing can be had without reading the sentence."""
    won = judged(arm("blue", 20_000, 1000), arm("red", 20_000, 1250), arm("green", 20_000, 700))
    assert (won.variant, won.winners, won.losers, won.safe_to_stop) == (
        "red",
        ("red",),
        ("green",),
        True,
    )
    assert won.lift is not None
    assert won.lift.low > 0
    early = judged(arm("blue", 5000, 250), arm("red", 5000, 260))
    assert (early.more_visitors, early.safe_to_stop) == (68_000, False)


def test_a_p_value_of_one_look_wins_nothing() -> None:
    """A difference that is significant at one look (p = 0.03) is not safe to stop at."""
    assert judged(arm("blue", 20_000, 1000), arm("red", 20_000, 1098)).kind is Kind.TOO_EARLY


def test_verdicts_of_a_whole_dashboard_take_little_time() -> None:
    """Six hundred verdicts of four variants, none decided, take well under a second of CPU time."""
    arms = [
        arm(name, 5000, 250 + index) for index, name in enumerate(("blue", "red", "green", "grey"))
    ]
    started = time.process_time()
    for _ in range(600):
        judged(*arms)
    assert time.process_time() - started < 1
