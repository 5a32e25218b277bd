"""The words for a lift, its interval and the time that is left are true after rounding, too."""

from __future__ import annotations

import pytest

from gimel.analysis import sentences
from gimel.analysis.comparison import Comparison, Details, Question
from gimel.analysis.counts import Arm, Count
from gimel.analysis.forecast import Forecast, Progress, Span
from gimel.analysis.mixture import Lift
from gimel.analysis.stats import Estimate

NONE = Details(Estimate(0, 0, 0), None, 1, 1)
BLUE, RED = Arm("blue", Count(1000), Count(0)), Arm("red", Count(1000), Count(52))


def comparison(
    lift: tuple[float | None, float | None, float | None],
    failures: tuple[float | None, float | None, float | None] | None = None,
    *,
    is_decrease: bool = False,
    name: str = "red",
) -> Comparison:
    """Return the comparison of red with blue that has this lift: value, low, high."""
    return Comparison(
        Arm(name, RED.visitors, RED.conversions),
        BLUE,
        Lift(*lift),
        failures and Lift(*failures),
        NONE,
        Question(is_decrease=is_decrease),
        0.05,
    )


EFFECTS = {
    "better": (comparison((0.25, 0.1, 0.43)), "25% better than “blue” (10% to 43% better)"),
    "worse": (comparison((-0.2, -0.3, -0.091)), "20% worse than “blue” (9.1% to 30% worse)"),
    "less, which is better": (
        comparison((-0.25, -0.34, -0.15), is_decrease=True),
        "has a rate 25% lower than “blue” (15% to 34% lower; lower is better)",
    ),
    "more, which is worse": (
        comparison((0.34, 0.18, 0.52), is_decrease=True),
        "has a rate 34% higher than “blue” (18% to 52% higher; lower is better)",
    ),
    "no upper end": (comparison((3, 1.2, None)), "300% better than “blue” (at least 120% better)"),
    "no lower end": (comparison((-1, None, -0.9)), "100% worse than “blue” (at least 90% worse)"),
    "none at all": (
        comparison((-1, None, -0.99996)),
        "100% worse than “blue” (at least 99.996% worse)",
    ),
    "nearly none at all": (
        comparison((-1, None, -0.9999996)),
        "100% worse than “blue” (over 99.9% worse)",
    ),
    "a narrow interval": (
        comparison((0.102, 0.101, 0.104)),
        "10.2% better than “blue” (10.1% to 10.4% better)",
    ),
    "a point": (comparison((0.2, 0.2 - 1e-9, 0.2 + 1e-9)), "20% better than “blue”"),
    "hardly above zero": (
        comparison((0.02, 1e-6, 0.04)),
        "2% better than “blue” (under 0.01% to 4% better)",
    ),
    "beyond all measure": (
        comparison((150, 20, 3000)),
        "over 10,000% better than “blue” (2,000% to over 10,000% better)",
    ),
    "a control without conversions": (
        comparison((None, 11.28, None)),
        "better than “blue”: 5.2% against 0% (at least 12.2 times as often)",
    ),
    "hardly more than a control without conversions": (
        comparison((None, 0.04, None)),
        "better than “blue”: 5.2% against 0% (at least 4% better)",
    ),
    "failures": (
        comparison((0.019, 0.0065, 0.031), (-0.17, -0.26, -0.062)),
        "1.9% better than “blue” (0.65% to 3.1% better), with 17% fewer failures to convert (6.2%"
        " to 26% fewer)",
    ),
    "more failures": (
        comparison((-0.019, -0.031, -0.0065), (0.17, 0.062, None)),
        "1.9% worse than “blue” (0.65% to 3.1% worse), with 17% more failures to convert (at least"
        " 6.2% more)",
    ),
}


@pytest.mark.parametrize(("decided", "words"), EFFECTS.values(), ids=EFFECTS)
def test_an_effect_has_its_interval(decided: Comparison, words: str) -> None:
    """No end of it is rounded to zero, to 100%, or to the other end."""
    sentence = words if words.startswith("has a rate") else f"converts {words}"
    assert sentences.effect(decided, "“blue”") == sentence


def test_the_control_need_not_be_named_again() -> None:
    """After "Keep blue:" it is known."""
    decided = comparison((0.25, 0.1, 0.43))
    assert sentences.effect(decided) == "converts 25% better (10% to 43% better)"


INTERVALS = {
    "zero": (comparison((0, -0.086, 0.0022)), "8.6% worse to 0.22% better"),
    "lower is better": (
        comparison((0, -0.086, 0.0022), is_decrease=True),
        "8.6% lower to 0.22% higher",
    ),
    "above zero": (comparison((0.2, 0.1, 0.3)), "10% to 30% better"),
    "below zero": (comparison((-0.2, -0.3, -0.1)), "10% to 30% worse"),
    "only a lower end": (comparison((2, 1, None)), "at least 100% better"),
    "only an upper end": (comparison((-0.95, None, -0.9)), "at least 90% worse"),
    "open": (comparison((None, None, None)), "100% worse to any amount better"),
    "hardly worse": (comparison((0.03, -1e-7, 0.06)), "under 0.01% worse to 6% better"),
    "nearly the lift worth detecting": (
        comparison((0.05, -0.004, 0.0997)),
        "0.4% worse to 9.97% better",
    ),
    "failures": (
        comparison((0.01, -0.02, 0.03), (-0.1, -0.3, 0.2)),
        "30% fewer to 20% more failures to convert",
    ),
    "fewer failures": (
        comparison((0.02, 0.01, 0.03), (-0.2, -0.3, -0.1)),
        "10% to 30% fewer failures to convert",
    ),
    "open failures": (comparison((0.5, 0.4, 0.6), (None, None, None)), "40% to 60% better"),
    "no failures": (
        comparison((0.5, 0.4, 0.6), (-1, -1, -1)),
        "100% fewer failures to convert",
    ),
}


@pytest.mark.parametrize(("compared", "words"), INTERVALS.values(), ids=INTERVALS)
def test_an_interval_says_what_its_ends_mean(compared: Comparison, words: str) -> None:
    """An end that is open is any amount, or a loss of everything."""
    assert sentences.interval(compared) == words


@pytest.mark.parametrize(
    ("compared", "words"),
    [
        pytest.param(
            [comparison((0, -0.029, 0.041))],
            "the lift of “red” is between −2.9% and +4.1%",
            id="one",
        ),
        pytest.param(
            [comparison((0, -0.029, 0.01)), comparison((0, -0.01, 0.041), name="green")],
            "the lifts of “red” and “green” are between −2.9% and +4.1%",
            id="several",
        ),
        pytest.param(
            [comparison((0, -0.01, 0.01), (0, -0.05, 0.06))],
            "“red” changes them by −5% to +6%",
            id="failures",
        ),
        pytest.param(
            [
                comparison((0, -0.05, 0.05)),
                comparison((0, -0.01, 0.01), (0, -0.05, 0.06), name="x"),
            ],
            "the lift of “red” is between −5% and +5%, and “x” changes failures to convert by −5%"
            " to +6%",
            id="both",
        ),
        pytest.param(
            [comparison((0, -0.0996, 0.0999))],
            "the lift of “red” is between −9.96% and +9.99%",
            id="nearly 10%",
        ),
        pytest.param(
            [comparison((0.04, 1e-7, 0.08))], "the lift of “red” is between 0% and +8%", id="zero"
        ),
    ],
)
def test_bounds_lie_within_the_lift_worth_detecting(compared: list[Comparison], words: str) -> None:
    """They hold for all variants together, and are not rounded to that lift."""
    assert sentences.bounds(compared) == words


LEAST, MOST = Span(4_012, 3), Span(14_700, 12)
OUTLOOKS = {
    "a range": (LEAST, MOST, "about 3 to 12 more days (4,000 to 15,000 visitors)"),
    "two units": (
        LEAST,
        Span(90_000, 40),
        "about 3 days to 6 weeks more (4,000 to 90,000 visitors)",
    ),
    "one number": (Span(690, 4), Span(690, 4), "about 4 more days (690 visitors)"),
    "one day": (Span(90, 1), Span(110, 1), "about 1 more day (90 to 110 visitors)"),
    "from now on": (Span(0, 0), MOST, "up to 12 more days (up to 15,000 visitors)"),
    "within a day": (Span(300, 0), MOST, "up to 12 more days (300 to 15,000 visitors)"),
    "now": (Span(0, 0), Span(0, 0), "any time now"),
    "no end": (LEAST, None, "about 3 more days or longer (4,000 visitors or more)"),
    "neither begin nor end": (Span(0, 0), None, "any time now or much later"),
    "over ten years": (
        LEAST,
        Span(10**12, 10**6),
        "about 3 more days or longer (4,000 visitors or more)",
    ),
    "only over ten years": (Span(10**12, 10**6), None, "over 10 more years"),
    "many visitors": (
        Span(2 * 10**9, 3000),
        None,
        "about 8 more years or longer (over 1 billion visitors)",
    ),
    "unknown pace": (Span(4_012, None), Span(14_700, None), "about 4,000 to 15,000 more visitors"),
    "unknown pace, from now on": (
        Span(0, None),
        Span(14_700, None),
        "up to 15,000 more visitors",
    ),
    "unknown pace, no end": (Span(4_012, None), None, "about 4,000 more visitors or many more"),
    "unknown pace, too many": (Span(10**12, None), None, "over 1 billion more visitors"),
    "one visitor": (Span(1, None), Span(1, None), "about 1 more visitor"),
}


@pytest.mark.parametrize(("soonest", "latest", "words"), OUTLOOKS.values(), ids=OUTLOOKS)
def test_a_range_is_in_visitors_and_in_days(soonest: Span, latest: Span | None, words: str) -> None:
    """Rounded outwards to two digits, in the unit that suits it, and to ten years at most."""
    found = sentences.outlook(Forecast("red", soonest, latest, None), "10% lift", False)

    assert found == f"If the difference is real, {words}."


@pytest.mark.parametrize(
    ("rule_out", "words"),
    [
        (Span(40_000, 35), "to rule out a 10% lift either way, about 5 weeks"),
        (Span(40_000, None), "to rule out a 10% lift either way, about 40,000 more visitors"),
        (Span(40_000, 9999), "to rule out a 10% lift either way, over 10 years"),
        (Span(10**12, None), "to rule out a 10% lift either way, over 1 billion more visitors"),
    ],
    ids=["weeks", "visitors", "too long", "too many"],
)
def test_ruling_out_a_lift_has_its_own_time(rule_out: Span, words: str) -> None:
    """It follows the time that the difference seen may take."""
    found = sentences.outlook(Forecast("red", LEAST, MOST, rule_out), "10% lift", True)

    assert found == (
        "If the difference of “red” is real, about 3 to 12 more days (4,000 to 15,000 visitors);"
        f" {words}."
    )


def test_a_difference_may_be_too_small_to_detect() -> None:
    """If no feasible number of visitors shows it, none is promised."""
    found = sentences.outlook(Forecast("red", None, None, Span(40_000, 35)), "10% lift", False)

    assert found == (
        "The difference seen is too small to detect; to rule out a 10% lift either way, about 5"
        " weeks."
    )


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (3.2, "Wait 4 more days: the minimum is 7 days."),
        (6.5, "Wait 1 more day: the minimum is 7 days."),
    ],
)
def test_the_wait_is_in_whole_days(days: float, words: str) -> None:
    """The last of them may be a part of a day."""
    assert sentences.wait(Progress(0, days, 7)) == words


@pytest.mark.parametrize(
    ("name", "is_guess", "label"),
    [
        ("blue", False, "“blue” (control)"),
        ("blue", True, "“blue” (assumed control)"),
        ("control", False, "“control”"),
        ("Control", False, "“Control”"),
    ],
)
def test_the_control_is_labelled_once(name: str, is_guess: bool, label: str) -> None:
    """A variant of that name needs no label, and a guess is marked as one."""
    assert sentences.label_control(name, is_guess) == label
