"""The page of all experiments: its rows, what is chosen of them, and what an empty one says."""

from __future__ import annotations

import re

import pytest

from gimel.analysis.experiment import Experiment
from gimel.report import html
from gimel.report.html import Choices, Frame
from gimel.report.overview import Filter
from tests.support.answers import analysed, two
from tests.support.pages import text_of

NOW = 1_700_000_000 + 21 * 86400.0
CHOICES = Choices("alephbet", "alephbet")
FRAME = Frame("counted by https://host/prod")
HOSTILE = "<script>alert(1)</script>"


def overview(*experiments: Experiment, choices: Choices = CHOICES, **ignored: int) -> str:
    return html.overview(experiments, ignored, choices, FRAME, NOW)


def test_the_overview_has_a_row_per_experiment() -> None:
    """State, name, goal, lift, visitors, age, verdict; start and sentence are tooltips."""
    page = overview(analysed(two("button", red=(10_000, 800))))

    row = "✓ Decided button buy +60% +35% to +91% 20,000 21 days choose “red”"
    assert row in text_of(page)
    assert 'title="2023-11-14, 21 days ago"' in page
    assert (
        'title="“buy”: Choose “red”: it converts 60% better than “blue”, the assumed control'
        ' (35% to 91% better). Safe to stop."' in page
    )


def test_an_unknown_start_is_a_dash() -> None:
    """1.5.0 does not know when an experiment began."""
    assert "20,000 - perhaps 51,000 more visitors" in text_of(
        overview(analysed(two("button", since=None)))
    )


def test_the_overview_has_doubts_beside_the_verdict() -> None:
    """The mark warns of them; a wrong split, which is the verdict, is not repeated."""
    page = overview(analysed(two(unreadable=1)), analysed(two(red=(9000, 450))))

    assert text_of(page).count("! Needs attention e") == 2
    assert re.search(
        r'title="“buy”: Not decided yet\. [^"]* incomplete: 1 counter cannot be read"', page
    )
    assert page.count("visitors are split") == 1
    assert "19,000 21 days wrong split" in text_of(page)


def test_an_empty_namespace_is_explained() -> None:
    """The page says when an experiment appears."""
    shown = text_of(overview(choices=Choices("shop", "alephbet")))

    assert "No experiment is running in the namespace shop ." in shown
    assert "An experiment appears after its first event." in shown
    for command in ("gimel snippet --url TRACK_URL", "gimel simulate"):
        assert f"{command} " in shown


def test_an_empty_overview_links_to_ten_namespaces() -> None:
    """In the given order, without its own; their names are text."""
    names = [HOSTILE, "nope", *(f"shop {n}" for n in range(12))]
    page = html.overview([], {}, Choices("nope", "shop 3"), FRAME, NOW, namespaces=names)

    listed = page[page.index("Namespaces that exist:") :]
    assert re.findall(r'<a href="([^"]+)"><bdi>shop (\d)', listed)[2:4] == [
        ("/dashboard?namespace=shop+2", "2"),
        ("/dashboard", "3"),
    ]
    assert listed.count("<li>") == 10
    assert "<bdi>nope" not in listed
    assert HOSTILE not in page


def test_ignored_events_of_unknown_experiments_are_shown() -> None:
    """Below the experiments."""
    assert "Ignored events from unknown experiments: 12 (bot)." in text_of(overview(bot=12))


def test_a_deleted_experiment_is_confirmed() -> None:
    """Its name is shown as text."""
    page = html.overview([], {}, CHOICES, FRAME, NOW, deleted="\x07e")

    assert "Deleted: \\u0007e" in text_of(page)


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ({}, Filter("", "", "state")),
        ({"state": "decided", "q": "Bu", "sort": "lift"}, Filter("decided", "Bu", "lift")),
        ({"state": "happy", "q": HOSTILE, "sort": "luck"}, Filter("", HOSTILE, "state")),
        ({"state": "DECIDED", "sort": ""}, Filter("", "", "state")),
    ],
    ids=["nothing", "all", "unknown", "almost"],
)
def test_a_filter_is_read_from_the_address(asked: dict[str, str], chosen: Filter) -> None:
    """What does not exist is as good as not asked for."""
    assert Filter.parse(asked) == chosen


def chosen_overview(chosen: Filter, choices: Choices = CHOICES) -> str:
    experiments = [analysed(two("button", red=(10_000, 800))), analysed(two("footer"))]
    return html.overview(experiments, {}, choices, FRAME, NOW, chosen=chosen)


def test_each_state_is_a_link_with_its_number() -> None:
    """It keeps the namespace, the search and the order; the one shown is marked."""
    page = chosen_overview(Filter("decided", "b&c", "lift"), Choices("shop", "alephbet"))

    links = re.findall(r'<a href="([^"]+)"( aria-current="true")?>([\w ]+) <span[^>]+>(\d)<', page)
    usual = "q=b%26c&amp;sort=lift&amp;namespace=shop"
    assert links == [
        (f"/dashboard?{usual}", "", "All", "2"),
        (f"/dashboard?state=attention&amp;{usual}", "", "Needs attention", "0"),
        (f"/dashboard?state=decided&amp;{usual}", ' aria-current="true"', "Decided", "1"),
        (f"/dashboard?state=running&amp;{usual}", "", "Running", "1"),
    ]


def test_the_form_keeps_what_was_chosen() -> None:
    """Search, order and state."""
    page = chosen_overview(Filter("decided", '"b"', "visitors"))

    assert 'id="search" value="&#34;b&#34;"' in page
    assert '<option value="visitors" selected>' in page
    assert '<input type="hidden" name="state" value="decided">' in page


@pytest.mark.parametrize(
    ("chosen", "shown", "empty"),
    [
        (Filter(), ["button", "footer"], False),
        (Filter("decided"), ["button"], False),
        (Filter(query="FOOT"), ["footer"], False),
        (Filter("decided", "foot"), [], True),
        (Filter("attention"), [], True),
    ],
    ids=["all", "a state", "a search", "neither", "none of a state"],
)
def test_only_what_was_chosen_is_visible(chosen: Filter, shown: list[str], empty: bool) -> None:
    """An empty list is not drawn, and leads to all experiments."""
    page = chosen_overview(chosen)

    rows = re.findall(r'<tr role="row" class="\w+">.*?<bdi>(\w+)</bdi>', page, re.DOTALL)
    assert rows == shown
    assert ('id="experiments" hidden>' in page) == empty
    assert ('<p id="nothing">No experiment matches. <a href="/dashboard">' in page) == empty
    assert ('<p id="nothing" hidden>' in page) != empty
