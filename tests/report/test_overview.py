"""What the overview shows of many experiments, and in which order."""

from __future__ import annotations

import pytest

from gimel.analysis.experiment import Experiment
from gimel.report.overview import SORTS, Overview, OverviewRow, overview
from gimel.report.summary import State
from tests.support.answers import SINCE, analysed, row, two

NOW = SINCE + 30 * 86_400

EXPERIMENTS = [
    analysed(two("Footer", since=SINCE + 9)),
    analysed(two("button", red=(10_000, 700))),
    analysed(two("video", red=(9000, 450), since=SINCE + 5)),
    analysed(two("empty", blue=(0, 0), red=(0, 0), since=None)),
    analysed(two("aside", blue=(30_000, 1500), red=(30_000, 1000), since=SINCE + 1)),
]


def shown(state: str = "", query: str = "", sort: str = SORTS[0]) -> Overview:
    return overview(
        EXPERIMENTS, NOW, lambda each: f"/{each.name}", lambda each: f"?{each}", state, query, sort
    )


def names(found: Overview) -> list[str]:
    return [row.name for row in found.rows if not row.is_hidden]


def row_of(experiment: Experiment) -> OverviewRow:
    (found,) = overview([experiment], NOW, lambda _: "").rows
    return found


ORDERS = {
    "state": ["video", "button", "aside", "Footer", "empty"],
    "newest": ["Footer", "video", "aside", "button", "empty"],
    "visitors": ["aside", "button", "Footer", "video", "empty"],
    "lift": ["button", "Footer", "aside", "video", "empty"],
    "name": ["aside", "button", "empty", "Footer", "video"],
}


@pytest.mark.parametrize("sort", SORTS)
def test_the_order(sort: str) -> None:
    """Those that need attention first; else what has no start, visitors or lift comes last."""
    assert names(shown(sort=sort)) == ORDERS[sort]


def test_an_order_that_does_not_exist_is_the_usual_one() -> None:
    """An old address still works."""
    assert names(shown(sort="luck")) == ORDERS["state"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("", ["video", "button", "aside", "Footer", "empty"]),
        ("attention", ["video"]),
        ("decided", ["button", "aside"]),
        ("running", ["Footer", "empty"]),
    ],
)
def test_a_state_is_shown_alone(state: str, expected: list[str]) -> None:
    """The numbers of all states stay."""
    found = shown(state)

    assert [each.name for each in found.rows] == expected
    assert [(link.words, link.number, link.address, link.is_shown) for link in found.states] == [
        ("All", 5, "?", state == ""),
        ("Needs attention", 1, "?attention", state == "attention"),
        ("Decided", 2, "?decided", state == "decided"),
        ("Running", 2, "?running", state == "running"),
    ]
    assert found.total == 5


@pytest.mark.parametrize(
    ("query", "expected"),
    [("FOOT", ["Footer"]), ("e", ["video", "aside", "Footer", "empty"]), ("x", [])],
)
def test_a_search_hides_what_does_not_match(query: str, expected: list[str]) -> None:
    """Upper and lower case are the same; the rows stay, for the next search of a script."""
    found = shown(query=query)

    assert names(found) == expected
    assert found.has_matches == bool(expected)
    assert len(found.rows) == 5


def test_a_row_has_the_figures_of_its_headline() -> None:
    """One goal, one lift with its interval; the sentence in full."""
    found = row_of(analysed(two("button", red=(10_000, 700))))

    assert (found.name, found.mark, found.state, found.brief, found.goal, found.variant) == (
        "button",
        "decided",
        "Decided",
        "choose “red”",
        "buy",
        "",
    )
    assert (found.lift.value, found.lift.interval) == ("+40%", "+17% to +68%")
    assert found.lift.strip is not None
    assert (found.visitors, found.age, found.started) == (
        "20,000",
        "30 days",
        "2023-11-14, 30 days ago",
    )
    assert found.sentence.startswith("“buy”: Choose “red”: ")


@pytest.mark.parametrize(
    ("red", "variant"),
    [(620, "red"), (700, ""), (350, "green")],
    ids=["undecided", "a winner", "a loser"],
)
def test_a_row_names_the_variant_of_its_lift(red: int, variant: str) -> None:
    """If there are several, unless the verdict does."""
    variants = {"blue": (9000, {"buy": 560}), "green": (9000, {"buy": 420})}
    found = row_of(analysed(row("e", variants | {"red": (9000, {"buy": red})})))

    assert found.variant == variant


@pytest.mark.parametrize(
    "item",
    [
        two(red=(9000, 450)),
        two(blue=(1000, 3000), red=(1000, 50)),
        row(
            "e",
            {"a": (9000, {"x": 900, "y": 900}), "b": (9000, {"x": 1200, "y": 600})},
            ("x", "y"),
        ),
        row("e", {}, ()),
    ],
    ids=["a mismatch", "a misuse", "goals that disagree", "nothing"],
)
def test_a_row_without_a_verdict_on_one_goal_has_no_lift(item: dict[str, object]) -> None:
    """The most flattering goal must not stand for all."""
    found = row_of(analysed(item))

    assert (found.lift.value, found.lift.interval, found.lift.strip) == ("", "", None)


def test_all_rows_share_an_axis() -> None:
    """The control is at one place, so that the bars can be compared."""
    strips = [row.lift.strip for row in shown().rows if row.lift.strip]

    assert len(strips) == 3
    assert len({strip.mark for strip in strips}) == 1


def test_an_extreme_lift_does_not_hide_the_others() -> None:
    """It is cut off at the edge; alone it has an axis that holds it."""
    extreme, usual = analysed(two("x", (1000, 2), (1000, 300))), analysed(two("y"))

    high, low = (row.lift.strip for row in overview([extreme, usual], NOW, lambda _: "").rows)
    alone = row_of(extreme).lift.strip
    assert high is not None
    assert low is not None
    assert alone is not None
    assert high.cut_high
    assert low.high - low.low > 50
    assert alone.low < alone.x < high.x


def test_a_name_is_made_visible() -> None:
    """In the row and in its sentence."""
    found = row_of(analysed(two("\u202ee", unreadable=1)))

    assert found.name == "\\u202ee"


def test_every_state_has_an_address() -> None:
    """Its value is what the address carries."""
    assert [state.value for state in State] == ["attention", "decided", "running"]
