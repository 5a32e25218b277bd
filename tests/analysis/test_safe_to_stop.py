"""Nothing is safe to stop too soon, by luck, or against what the figures beside it show."""

from __future__ import annotations

import pytest

from gimel.analysis.design import Design
from gimel.analysis.verdict import Kind
from tests.support.experiments import pair, verdict

LARGE = 200_000
NAMED = Design(control="blue")


@pytest.mark.parametrize(
    ("blue", "red", "days", "kind", "sentence"),
    [
        pytest.param(
            (600, 60),
            (600, 150),
            0.007,
            Kind.AHEAD,
            "“red” is ahead: it converts 150% better than “blue” (56% to 323% better). Wait 7 more"
            " days: the minimum is 7 days.",
            id="ten minutes",
        ),
        pytest.param(
            (20_000, 1250),
            (20_000, 1000),
            6.2,
            Kind.AHEAD,
            "“blue” (control) is ahead: “red” converts 20% worse (9.1% to 30% worse). Wait 1 more"
            " day: the minimum is 7 days.",
            id="the control, on the last day",
        ),
        pytest.param(
            (LARGE, 20_000),
            (LARGE, 20_100),
            2,
            Kind.TOO_EARLY,
            "No difference of 10% or more so far. Wait 5 more days: the minimum is 7 days.",
            id="no difference",
        ),
    ],
)
def test_before_the_minimum_days_nothing_is_safe_to_stop(
    blue: tuple[int, int], red: tuple[int, int], days: float, kind: Kind, sentence: str
) -> None:
    """A winner is only ahead: 600 visitors per arm in ten minutes have not seen a weekend."""
    found = verdict(pair(blue, red), NAMED, days=days)

    assert (found.kind, found.sentence) == (kind, sentence)
    assert found.days_left == int(sentence.partition("Wait ")[2].split()[0])
    assert not found.safe_to_stop


@pytest.mark.parametrize(("days", "left"), [(7, 0), (6.99, 1), (None, 0)])
def test_the_minimum_ends_on_its_last_day(days: float | None, left: int) -> None:
    """An experiment whose start nobody knows is not kept waiting."""
    found = verdict(pair((20_000, 1000), (20_000, 1250)), days=days)

    assert (found.days_left, found.safe_to_stop) == (left, not left)


@pytest.mark.parametrize("precision", ["exact", "16"])
def test_one_lucky_visitor_in_a_small_arm_wins_nothing(precision: str) -> None:
    """Weights 99 to 1, 3,653 of 4,059 against 40 of 41, p = 0.108: b was once said to win."""
    design = Design(control="a", weights={"a": 99, "b": 1})
    variants = {"a": (4059, {"buy": 3653}), "b": (41, {"buy": 40})}

    assert verdict(variants, design, precision=precision).kind is Kind.TOO_EARLY


def test_a_p_value_of_one_look_wins_nothing() -> None:
    """A difference that is significant at one look (p = 0.03) is not safe to stop at."""
    assert verdict(pair((20_000, 1000), (20_000, 1098))).kind is Kind.TOO_EARLY


@pytest.mark.parametrize(
    ("blue", "red", "kind", "words"),
    [
        pytest.param(
            (200_000, 10_000),
            (200_000, 10_420),
            Kind.SMALL_DIFFERENCE,
            "“red” leans better",
            id="p = 0.003",
        ),
        pytest.param(
            (3000, 2850), (3000, 2895), Kind.TOO_EARLY, "Not decided yet.", id="30% of the failures"
        ),
        pytest.param(
            (44_700, 8502),
            (45_489, 8279),
            Kind.SMALL_DIFFERENCE,
            "“red” leans worse",
            id="Cookie Cats, p = 0.0016",
        ),
        pytest.param(
            (100_000, 10_000),
            (100_000, 10_150),
            Kind.NO_DIFFERENCE,
            "No difference of 10% or more: the lift of “red” is between −2.8% and +6%.",
            id="-2.7% to +5.7%",
        ),
        pytest.param(
            (30_000, 3000), (30_000, 3150), Kind.TOO_EARLY, "Not decided yet.", id="+5%, p = 0.04"
        ),
    ],
)
def test_a_difference_is_never_denied_while_one_look_shows_it(
    blue: tuple[int, int], red: tuple[int, int], kind: Kind, words: str
) -> None:
    """And where it is denied, the sentence names the lift that it denies."""
    found = verdict(pair(blue, red), precision="exact")

    assert found.kind is kind
    assert words in found.sentence


@pytest.mark.parametrize(
    ("lift", "kind"), [(0.1, Kind.NO_DIFFERENCE), (0.05, Kind.TOO_EARLY), (0.01, Kind.TOO_EARLY)]
)
def test_the_lift_worth_detecting_can_be_set(lift: float, kind: Kind) -> None:
    """Between -2.8% and +6% there is no difference of 10%, but there may be one of 5%."""
    design = Design(lift=lift)

    assert verdict(pair((100_000, 10_000), (100_000, 10_150)), design).kind is kind
