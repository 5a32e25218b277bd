"""What is shown of one experiment: banner, checks and the row of each goal."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.analysis.design import Design
from gimel.report.views import anchor, experiment_view
from tests.support.answers import SINCE, analysed, row, two

NOW = SINCE + 30 * 86_400

HARM = row(
    "e",
    {"old": (40_000, {"buy": 2000, "x": 200}), "red": (40_000, {"buy": 2400, "x": 300})},
    ("buy", "x"),
)
GUARDED = Design(goal="buy", guardrails=("x",), decrease=("x",))


@pytest.mark.parametrize(
    ("item", "design", "mark", "state", "lift", "about"),
    [
        (
            two(red=(10_000, 700)),
            None,
            "decided",
            "Decided",
            "+40%",
            "“buy”: “red” compared with “blue”",
        ),
        (
            two(red=(10_000, 350)),
            None,
            "decided",
            "Decided",
            "\u221230%",
            "“buy”: “red” compared with “blue”",
        ),
        (two(), None, "undecided", "Running", "+4.0%", "“buy”: “red” compared with “blue”"),
        (HARM, GUARDED, "doubt", "Needs attention", "", ""),
        (two(red=(9000, 450)), None, "doubt", "Needs attention", "", ""),
        (two(blue=(1000, 3000), red=(1000, 50)), None, "doubt", "Needs attention", "", ""),
        (row("e", {"a": (9, {"buy": 1})}), None, "undecided", "Running", "", ""),
        (row("e", {"a": (90, {"buy": 1})}), None, "doubt", "Needs attention", "", ""),
        (row("e", {}, ()), None, "undecided", "Running", "", ""),
    ],
    ids=[
        "winner",
        "loser",
        "undecided",
        "harm",
        "mismatch",
        "misuse",
        "new",
        "one variant",
        "nothing",
    ],
)
def test_the_banner(
    item: dict[str, Any], design: Design | None, mark: str, state: str, lift: str, about: str
) -> None:
    """State and lift of the headline, and what the lift is about; none that cannot be trusted."""
    banner = experiment_view(analysed(item, design), NOW).banner

    assert (banner.mark, banner.state, banner.lift.value, banner.about) == (
        mark,
        state,
        lift,
        about,
    )
    assert (banner.lift.strip is None) == (not lift)
    assert banner.sentence


@pytest.mark.parametrize(
    ("item", "design", "words"),
    [
        (two(), Design(visitors=30_000), "20,000 of 30,000 planned visitors"),
        (two(), Design(visitors=15_000), "20,000 of 15,000 planned visitors"),
        (two(), None, "20% of the visitors that it may need"),
        (two(red=(10_000, 700)), Design(visitors=30_000), None),
        (two(red=(9000, 450)), Design(visitors=30_000), None),
        (row("e", {}, ()), Design(visitors=30_000), None),
    ],
    ids=["a plan", "beyond the plan", "a forecast", "decided", "untrusted", "no visitors"],
)
def test_progress(item: dict[str, Any], design: Design | None, words: str | None) -> None:
    """Only of what is running; never beyond its end."""
    progress = experiment_view(analysed(item, design), NOW).banner.progress

    assert (progress and progress.words) == words
    assert progress is None or 0 < progress.value <= progress.most


@pytest.mark.parametrize(
    ("variants", "shown", "rates"),
    [
        (
            {"a": (9000, 900), "b": (9000, 1200), "c": (9000, 1000)},
            "b",
            (("a", "10.0%"), ("b", "13.3%")),
        ),
        (
            {"a": (9000, 900), "b": (9000, 600), "c": (9000, 700)},
            "c",
            (("a", "10.0%"), ("c", "7.8%")),
        ),
        (
            {"a": (9000, 900), "b": (9000, 910), "c": (9000, 890)},
            "b",
            (("a", "10.0%"), ("b", "10.1%")),
        ),
        ({"a": (9000, 900)}, "", ()),
        ({"a": (9000, 0), "b": (9000, 0)}, "", ()),
    ],
    ids=["the winner", "the best loser", "the best", "no other", "no rate"],
)
def test_the_row_of_a_goal_shows_one_variant(
    variants: dict[str, tuple[int, int]], shown: str, rates: tuple[tuple[str, str], ...]
) -> None:
    """That of the verdict, else the best; its rate beside the control's."""
    item = row("e", {name: (seen, {"buy": done}) for name, (seen, done) in variants.items()})

    (goal,) = experiment_view(analysed(item), NOW).goals

    assert (goal.variant, goal.rates) == (shown, rates)


def test_goals_have_their_roles_and_verdicts() -> None:
    """A single goal has neither: its verdict is the banner's."""
    first, second = experiment_view(analysed(HARM, GUARDED), NOW).goals
    (single,) = experiment_view(analysed(two()), NOW).goals

    assert (first.role, second.role, single.role) == ("primary", "guardrail, lower is better", "")
    assert (first.mark, second.mark) == ("decided", "doubt")
    assert (first.lift.word, second.lift.word) == ("better", "worse")
    assert second.sentence.startswith("Harmed: ")
    assert single.sentence == ""


def test_a_misuse_is_among_the_doubts() -> None:
    """With its figures, unless the banner has them."""
    item = row(
        "e",
        {"a": (9000, {"x": 900, "y": 30_000}), "b": (9000, {"x": 1200, "y": 31_000})},
        ("x", "y"),
    )

    (doubt,) = experiment_view(analysed(item), NOW).doubts
    (short,) = experiment_view(analysed(two(blue=(1000, 3000), red=(1000, 50))), NOW).doubts

    assert doubt.startswith("“y”: Not a conversion: more goals than visitors (")
    assert short == "“buy” is not a conversion"


def test_only_figures_have_a_minus_sign() -> None:
    """Names, also those that look like figures, stay what they are."""
    item = row("-1", {"-5": (10_000, {"-7": 900}), "x -3": (10_000, {"-7": 500})}, ("-7",))

    view = experiment_view(analysed(item, Design(control="-5")), NOW)

    (goal,) = view.goals
    assert (view.name, goal.name, goal.variant) == ("-1", "-7", "x -3")
    assert goal.lift.value == "\u221244%"
    for table in (goal.table, *goal.details):
        assert {cells[0] for cells in table.table.rows} <= {"-5 (control)", "x -3"}
        assert "\u2212" not in table.table.caption
    figures = [cell for table in (goal.table, *goal.details) for cell in table.table.rows[-1][1:]]
    assert any("\u2212" in figure for figure in figures)
    assert not any("-" in figure for figure in figures if figure != "-")


def test_an_id_depends_on_the_names_alone() -> None:
    """It stays while other experiments and goals come and go."""
    (goal,) = experiment_view(analysed(two("e")), NOW).goals

    assert goal.anchor == anchor("e", "buy")
    assert len({anchor("e"), anchor("e", "buy"), anchor("ebuy"), anchor("\ud800")}) == 4
