"""What `gimel results` prints, at 80 columns and without colour."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.analysis.design import Design
from tests.support.answers import row, two
from tests.support.printed import lines, printed

BUTTON = two("button", (20_034, 1001), (20_101, 1260), ignored={"bot": 1203})


def test_an_experiment_is_shown_in_full() -> None:
    """Facts, verdict, participants and notes; for each goal its lifts with one interval."""
    assert lines(printed(BUTTON)) == [
        "button",
        "started 2023-11-14, 21 days ago; 40,135 visitors; control: blue (assumed)",
        "“buy”: Choose “red”: it converts 25% better than “blue”, the assumed control",
        "(10% to 43% better). Safe to stop.",
        "",
        "  variant          visitors  counting error  share  expected split",
        "  blue (control?)    20,034             ±28  49.9%           50.0%",
        "  red                20,101             ±28  50.1%           50.0%",
        "  Traffic split as expected.",
        "  Ignored events: 1,203 (bot).",
        "",
        "  variant          conversions   rate  lift  95% interval  0%               +43%",
        "  blue (control?)        1,001  5.00%     -             -",
        "  red                    1,260  6.27%  +25%  +10% to +43%  ┊    ├──────●───────┤",
        "",
        "A lift is the relative change of the rate over the control. Its interval",
        "contains the true lift with the confidence given, however often you look. A",
        "counting error is one standard error. Where the control is only assumed, name it",
        "in config.json, as the experiment's control.",
    ]


def test_details_are_shown_on_request() -> None:
    """They add to everything else: counting noise, and all figures that hold for one look."""
    usual, detailed = lines(printed(BUTTON)), lines(printed(BUTTON, details=True))

    assert [line for line in detailed if line and line in usual] == [*filter(None, usual)]
    assert [line for line in detailed if line not in usual] == [
        "  Counted with precision 16.",
        "  Counting noise widens the intervals by at most 0.26%.",
        "  Details for statisticians (one look only; not used by the verdict)",
        "  variant           rate    95% interval  chance to be best",
        "  blue (control?)  5.00%  4.70% to 5.31%              <0.1%",
        "  red              6.27%  5.94% to 6.61%             >99.9%",
        "                      difference,                                    chance to",
        "  variant       percentage points                 lift  p (Holm)  beat control",
        "  red      +1.27 (+0.82 to +1.72)  +25% (+16% to +36%)   <0.0001        >99.9%",
        "The details for statisticians are fixed-horizon: valid for one look on a date",
        "chosen in advance. Their intervals are not that of the verdict, which holds at",
        "every look.",
    ]


def test_one_variant_has_its_rate_among_the_details() -> None:
    """There is nothing to compare, but its rate is known."""
    shown = lines(printed(row("e", {"a": (900, {"buy": 9})}), details=True))

    assert "  a        1.0%  0.5% to 1.9%                  -" in shown
    assert not [line for line in shown if "beat control" in line]


TWO_GOALS = row(
    "e",
    {
        "old": (40_000, {"buy": 2000, "look": 20_000, "return": 200}),
        "red": (40_000, {"buy": 2400, "look": 20_100, "return": 300}),
    },
    ("look", "return", "buy"),
)


def test_each_goal_has_its_verdict() -> None:
    """The primary goal comes first, then the guardrails; the headline warns of harm."""
    design = Design(goal="buy", guardrails=("return",), decrease=("return",), visitors=90_000)

    shown = lines(printed(TWO_GOALS, design=design))

    assert shown[1].endswith("80,000 of 90,000 planned visitors; control: old")
    assert shown[2].startswith(
        "Guardrail “return” is harmed: “red” has a rate 50% higher than “old” "
    )
    goals = [line[:41] for line in shown if line.startswith(("“buy” (", "“return” (", "“look” ("))]
    assert goals == [
        "“buy” (primary): “red” converts 20% bette",
        "“return” (guardrail, lower is better): Ha",
        "“look” (secondary): Secondary goal, shown",
    ]


def test_one_goal_keeps_the_headline_of_the_experiment() -> None:
    """So that harm under another goal is not hidden."""
    design = Design(goal="buy", guardrails=("return",), decrease=("return",))
    whole = lines(printed(TWO_GOALS, design=design))

    shown = lines(printed(TWO_GOALS, design=design, goal="look"))

    assert shown[:6] == whole[:6]
    assert shown[2].startswith("Guardrail “return” is harmed: ")
    assert [line for line in shown if line.startswith("“look” (secondary): Secondary goal")]
    assert not [line for line in shown if line.startswith(("“buy” (", "“return” ("))]


def test_a_verdict_is_written_once() -> None:
    """Where the headline has it, the goal has its name and role alone."""
    item = row(
        "e",
        {
            "old": (40_000, {"buy": 2000, "look": 9000}),
            "red": (40_000, {"buy": 2400, "look": 9010}),
        },
        ("buy", "look"),
    )

    shown = printed(item, design=Design(goal="buy", guardrails=("look",)))

    assert shown.count("Choose “red”") == 1
    assert "“buy” (primary)" in lines(shown)
    assert "\n“look” (guardrail): No harm of 10% or more (“red”: " in shown


def test_variants_without_a_weight_are_noted() -> None:
    """They have no share and no part in the verdict."""
    item = row("e", {"a": (900, {"buy": 9}), "b": (901, {"buy": 9}), "x": (3, {"buy": 1})})

    shown = lines(printed(item, design=Design(weights={"a": 1, "b": 1})))

    assert "  Without a weight in config.json, and so without a verdict: “x”." in shown
    assert "  x                   3              ±0      -               -" in shown


def test_an_open_interval_is_said_in_words() -> None:
    """A control without conversions has no lift to draw."""
    shown = lines(printed(two(blue=(1000, 0), red=(1000, 50))))

    assert "  red                       50  5.00%     -  +472% or more" in shown


def test_a_wrong_split_comes_before_any_figure() -> None:
    """It is the third line."""
    shown = lines(printed(two(blue=(10_400, 501), red=(9600, 560))))

    assert shown[2].startswith("! Do not trust this: visitors are split 52/48, expected 50/50")


def test_under_a_wrong_split_no_goal_can_be_trusted() -> None:
    """The verdict on each goal says so."""
    shown = lines(printed(two(blue=(10_400, 501), red=(9600, 560))))

    assert "“buy”: Do not trust this: the traffic is not split as expected." in shown


def test_under_a_wrong_split_nothing_is_compared() -> None:
    """Neither lift, interval nor bar, which would look like a winner's; but what to do next."""
    shown = printed(two(blue=(10_400, 501), red=(9600, 700)), details=True)

    assert "Look for a redirect, for bots, or for a variant that fails" in shown
    assert "  red                      700  7.29%" in lines(shown)
    assert "  variant          conversions   rate" in lines(shown)
    for figure in ("lift  ", "interval  ", "●", "Details for statisticians ("):
        assert figure not in shown


def test_a_goal_that_is_not_a_conversion_has_no_percentage() -> None:
    """It is shown per visitor."""
    shown = printed(two(blue=(1040, 5010), red=(1060, 5600)))

    assert "“buy”: Not a conversion: more goals than visitors" in shown
    assert "  blue (control?)     1,040  5,010               4.82" in lines(shown)
    assert "interval" not in shown


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        pytest.param(row("e", {}, ()), "No visitors counted yet.", id="nothing"),
        pytest.param(
            row("e", {"a": (9, {}), "b": (8, {})}, ()),
            "No conversions yet among 17 visitors.",
            id="no goal",
        ),
        pytest.param(
            row("e", {"a": (900, {"buy": 9})}),
            "Nothing to compare: only “a” has visitors.",
            id="one variant",
        ),
        pytest.param(
            row("e", {"a": (20, {"buy": 1}), "b": (21, {"buy": 2})}),
            "There are too few visitors to estimate how long",
            id="too few",
        ),
    ],
)
def test_missing_data_is_explained(item: dict[str, Any], sentence: str) -> None:
    """A sentence says what is missing, instead of an empty table."""
    assert sentence in printed(item)


def test_a_reached_limit_comes_first() -> None:
    """With what to do about it; events of known and unknown experiments are counted together."""
    shown = printed(
        two("a"), two("b", ignored={"limit reached": 2}), ignored={"limit reached": 1000}
    )

    warning, experiment = shown.index("gimel delete"), shown.index("started 2023-11-14")
    assert shown.startswith("! A limit was reached: 1,002 events were not counted. ")
    assert warning < experiment
    assert "limit was reached" not in printed(two(), ignored={"bot": 1})


def test_a_precision_that_is_not_the_configured_one_is_explained() -> None:
    """Below all experiments; each has its own precision among its details."""
    shown = printed(two("a", precision="4"), two("b"), precision=4, details=True)

    assert "Counted with precision 4." in shown[: shown.index("Counted with precision 16.")]
    assert "The configured precision, 4, applies to new experiments: 1 of the above" in shown
    assert "configured precision" not in printed(two(), precision=16)
    assert "configured precision" not in printed(two())


def test_ignored_events_of_unknown_experiments_come_last() -> None:
    """They may have a name that the configuration does not allow."""
    shown = printed(two(), ignored={"experiment not allowed": 1234})

    expected = "Ignored events from unknown experiments: 1,234 (experiment not allowed)."
    assert expected in shown[shown.index("95% interval") :]


@pytest.mark.parametrize(
    ("red", "code"),
    [
        pytest.param((10_000, 900), "\x1b[1;32m", id="a winner is green"),
        pytest.param((10_000, 510), "\x1b[33m", id="an undecided goal is yellow"),
        pytest.param((10_000, 90_000), "\x1b[1;31m", id="what cannot be trusted is red"),
    ],
)
def test_the_colour_of_a_verdict(red: tuple[int, int], code: str) -> None:
    """Colour repeats what the words say."""
    verdict = next(
        line for line in printed(two(red=red), colour=True).splitlines() if "“buy”: " in line
    )

    assert code in verdict


def test_a_sentence_has_a_real_minus_and_quotes() -> None:
    """Where they can be shown; a name that has a minus keeps its own."""
    item = row("e", {"-5": (200_000, {"buy": 20_000}), "x -3": (200_000, {"buy": 20_050})})

    shown, plain = (" ".join(printed(item, ascii_only=only).split()) for only in (False, True))

    assert "the lift of “x -3” is between −3% and +3.6%" in shown
    assert 'the lift of "x -3" is between -3% and +3.6%' in plain
    assert plain.isascii()
