"""The verdict on one goal: a winner, no difference, or what keeps it from being decided."""

from __future__ import annotations

import pytest

from gimel.analysis.design import Design
from gimel.analysis.verdict import Kind
from tests.support.experiments import Variants, experiment, pair, verdict

LARGE = 200_000
NAMED = Design(control="blue")


def large(**conversions: int) -> Variants:
    """Return variants of 200,000 visitors each, with their conversions."""
    return {name: (LARGE, {"buy": number}) for name, number in conversions.items()}


DECIDED = {
    "a variant wins": (
        pair((20_000, 1000), (20_000, 1250)),
        Kind.WINNER,
        "Choose “red”: it converts 25% better than “blue” (10% to 42% better). Safe to stop.",
    ),
    "several win and one loses": (
        large(blue=20_000, red=23_000, green=22_900, grey=18_000, pink=20_000),
        Kind.WINNER,
        "Choose “red”: it converts 15% better than “blue” (11% to 19% better). “green” is also"
        " better. “grey” is worse. “pink” is not decided. Safe to stop.",
    ),
    "a control without conversions loses": (
        pair((1000, 0), (1000, 100)),
        Kind.WINNER,
        "Choose “red”: it converts better than “blue”: 10% against 0% (at least 12.2 times as"
        " often). Safe to stop.",
    ),
    "the control wins": (
        pair((20_000, 1250), (20_000, 1000)),
        Kind.CONTROL_WINS,
        "Keep “blue” (control): “red” converts 20% worse (9.1% to 30% worse). Safe to stop.",
    ),
    "the control beats all": (
        {
            "blue": (90_000, {"buy": 6000}),
            "red": (90_000, {"buy": 5000}),
            "green": (90_000, {"buy": 4800}),
        },
        Kind.CONTROL_WINS,
        "Keep “blue” (control): every variant is worse. The closest is “red”, which converts 17%"
        " worse (11% to 22% worse). Safe to stop.",
    ),
    "a variant without conversions loses": (
        pair((1000, 100), (1000, 0)),
        Kind.CONTROL_WINS,
        "Keep “blue” (control): “red” converts worse: 0% against 10% (at least 92% worse). Safe to"
        " stop.",
    ),
    "no difference": (
        large(blue=20_000, red=20_100),
        Kind.NO_DIFFERENCE,
        "No difference of 10% or more: the lift of “red” is between −2.7% and +3.9%. Safe to stop.",
    ),
    "no difference of several, one loses": (
        large(blue=20_000, red=20_100, green=20_000, grey=17_000),
        Kind.NO_DIFFERENCE,
        "No difference of 10% or more: the lifts of “green” and “red” are between −3.5% and +4.2%."
        " “grey” is worse. Safe to stop.",
    ),
    "no difference in failures": (
        large(blue=180_000, red=180_050),
        Kind.NO_DIFFERENCE,
        "No difference of 10% or more in failures to convert: “red” changes them by −8.7% to +9%."
        " Safe to stop.",
    ),
}


@pytest.mark.parametrize(("variants", "kind", "sentence"), DECIDED.values(), ids=DECIDED)
def test_a_decision_says_what_to_do(variants: Variants, kind: Kind, sentence: str) -> None:
    """After the minimum days the experiment may be stopped."""
    found = verdict(variants, NAMED)

    assert (found.kind, found.sentence) == (kind, sentence)
    assert found.safe_to_stop
    assert found.forecast is None


UNDECIDED = {
    "too early": (
        pair((5000, 250), (5000, 260)),
        Kind.TOO_EARLY,
        "Not decided yet. If the difference is real, about 7 more weeks or longer (35,000 visitors"
        " or more); to rule out a 10% lift either way, about 4 months.",
    ),
    "promising": (
        pair((5000, 250), (5000, 300)),
        Kind.TOO_EARLY,
        "Not decided yet. If the difference is real, about 1 day to 12 weeks more (800 to 58,000"
        " visitors).",
    ),
    "another loses": (
        {
            "blue": (40_000, {"buy": 2000}),
            "red": (40_000, {"buy": 2050}),
            "green": (40_000, {"buy": 1500}),
        },
        Kind.TOO_EARLY,
        "Not decided yet. If the difference of “red” is real, about 5 more weeks or longer (310,000"
        " visitors or more); to rule out a 10% lift either way, about 7 days. “green” is worse.",
    ),
    "too few conversions": (
        pair((5000, 3), (5000, 4)),
        Kind.TOO_EARLY,
        "Not decided yet. There are too few visitors to estimate how long it takes.",
    ),
    "the difference is small": (
        large(blue=10_000, red=10_420),
        Kind.SMALL_DIFFERENCE,
        "Not decided, but no difference of 10% or more: “red” leans better (0.38% worse to 9%"
        " better). If the difference is real, up to 5 more weeks (up to 940,000 visitors).",
    ),
}


@pytest.mark.parametrize(("variants", "kind", "sentence"), UNDECIDED.values(), ids=UNDECIDED)
def test_an_open_question_says_how_long_it_may_take(
    variants: Variants, kind: Kind, sentence: str
) -> None:
    """It is never safe to stop, even if any difference is small."""
    found = verdict(variants, NAMED)

    assert (found.kind, found.sentence) == (kind, sentence)
    assert not found.safe_to_stop


def test_the_plan_that_was_not_enough_is_named() -> None:
    """After the planned visitors the verdict says that they did not decide it."""
    found = verdict(pair((5000, 250), (5000, 260)), Design(visitors=10_000))

    assert found.sentence.startswith("Not decided after the planned 10,000 visitors. If the")


def test_counting_noise_can_make_a_question_unanswerable() -> None:
    """Then no number of visitors is promised."""
    found = verdict(pair((10**6, 500_000), (10**6, 500_500)), Design(lift=0.01), precision="1")

    assert found.kind is Kind.TOO_NOISY
    assert found.sentence == (
        "Unlikely to be decided at counting precision 1: the counting error hides the difference"
        " seen and a 1% change in failures to convert. A new experiment can have a higher"
        " precision in config.json."
    )


@pytest.mark.parametrize(
    ("decrease", "kind", "sentence"),
    [
        pytest.param(
            {"refund"},
            Kind.CONTROL_WINS,
            "Keep “old” (control): “new” has a rate 34% higher (18% to 52% higher; lower is"
            " better). Safe to stop.",
            id="lower is better",
        ),
        pytest.param(
            (),
            Kind.WINNER,
            "Choose “new”: it converts 34% better than “old” (18% to 52% better). Safe to stop.",
            id="more are better",
        ),
    ],
)
def test_a_rising_refund_is_not_a_win(decrease: set[str], kind: Kind, sentence: str) -> None:
    """1,340 refunds instead of 1,000 are worse if the design says that fewer are better."""
    variants = {"old": (20_000, {"refund": 1000}), "new": (20_000, {"refund": 1340})}

    found = verdict(variants, Design(decrease=decrease))

    assert (found.kind, found.sentence) == (kind, sentence)


@pytest.mark.parametrize(
    ("names", "design", "start"),
    [
        (("old", "new"), None, "Keep “old” (control): “new” converts 25% worse"),
        (
            ("old", "new"),
            Design(control="new"),
            "Choose “old”: it converts 33% better than “new” (",
        ),
        (("control", "new"), None, "Keep “control”: “new” converts 25% worse"),
        (("Control", "new"), None, "Keep “Control”: “new” converts 25% worse"),
        (("amber", "new"), None, "Keep “amber” (assumed control): “new” converts 25% worse"),
        (("new", "amber"), None, "Choose “new”: it converts 33% better than “amber”, the assumed"),
    ],
    ids=str,
)
def test_the_control_is_called_what_it_is(
    names: tuple[str, str], design: Design | None, start: str
) -> None:
    """A variant named control is not "control (control)", and a guess is marked as one."""
    high, low = names
    variants = {high: (20_000, {"buy": 1000}), low: (20_000, {"buy": 750})}

    assert verdict(variants, design).sentence.startswith(start)


def test_the_lift_of_the_verdict_is_that_of_the_table() -> None:
    """With five variants the winner's lift is the interval that is shown beside it."""
    conversions = {"a": 2000, "b": 2010, "c": 2440, "d": 2000, "e": 1990}
    variants = {name: (20_000, {"buy": number}) for name, number in conversions.items()}

    (goal,) = experiment(variants).goals

    (shown,) = (each.comparison for each in goal.variants if each.arm.name == "c")
    assert shown is not None
    assert goal.verdict.lift is shown.lift
    assert goal.verdict.sentence.startswith(
        "Choose “c”: it converts 22% better than “a” (10% to 35%"
    )
    assert (round(shown.lift.low or 0, 2), round(shown.lift.high or 0, 2)) == (0.10, 0.35)


def test_a_verdict_has_its_figures_for_programs() -> None:
    """Winner, lift, losers and the forecast are fields, so that no one parses the sentence."""
    variants = {
        "blue": (20_000, {"buy": 1000}),
        "red": (20_000, {"buy": 1250}),
        "green": (20_000, {"buy": 700}),
    }
    won = verdict(variants)
    kept = verdict(pair((20_000, 1250), (20_000, 1000)))
    early = verdict(pair((5000, 250), (5000, 260)))

    assert (won.variant, won.better, won.worse) == ("red", ("red",), ("green",))
    assert won.lift is not None
    assert (won.lift.value, won.lift.sign) == (0.25, 1)
    assert (kept.variant, kept.worse) == ("blue", ("red",))
    assert early.forecast is not None
    assert early.forecast.variant == "red"


def test_weights_say_which_split_is_right() -> None:
    """A split of 9 to 1 is right if the weights ask for it, and the verdict is on the goal."""
    design = Design(weights={"blue": 90, "red": 10})

    assert verdict(pair((90_000, 4500), (10_000, 900)), design).kind is Kind.WINNER
