"""axe-core on every kind of page of the dashboard, against WCAG 2.2 AA and its best practices."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page

from gimel.analysis.concluded import record
from gimel.analysis.experiment import analyse, analyse_all
from gimel.report import html, past_pages
from gimel.serve.demo import DESIGNS, Demo
from tests.support.browser import Visitors
from tests.support.dashboards import add_cookie, address, load_axe, sign_in, violations
from tests.support.served import Served

PAGES: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    ("", {"namespace": "empty"}),
    ("", {"state": "decided", "q": "nothing"}),
    ("/experiment", {"name": "button"}),
    ("/experiment", {"name": "headline"}),
    ("/experiment", {"name": "search"}),
    ("/experiment", {"name": "tax"}),
    ("/delete", {"name": "button"}),
    ("/conclude", {"name": "button"}),
    ("/concluded", {}),
]


def assert_sound(page: Page, width: int, scheme: Any) -> None:
    """On this page axe finds nothing, and it scrolls in one direction only."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    assert violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("path", "query"), PAGES, ids=[" ".join((path, *query.values())) for path, query in PAGES]
)
def test_axe_finds_nothing(
    path: str, query: dict[str, str], dashboard: Served, reader: Page
) -> None:
    """By night on a phone and by day on a desk, with every table opened."""
    reader.goto(address(dashboard, path, **query))
    reader.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    load_axe(reader)
    assert_sound(reader, 320, "dark")
    assert_sound(reader, 1280, "light")


def test_axe_finds_nothing_on_a_failure(
    dashboard: Served, session_cookie: str, visitors: Visitors
) -> None:
    """A page that leads back, also on a phone."""
    context = visitors.browser()
    add_cookie(context, dashboard, session_cookie)
    page = visitors.page(context)
    page.goto(address(dashboard, "/experiment", name="buton"))
    load_axe(page)
    assert_sound(page, 320, "light")
    assert_sound(page, 320, "dark")
    page.get_by_role("link", name="All experiments").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Experiments"


def test_axe_finds_nothing_in_a_report(visitors: Visitors) -> None:
    """Several experiments in one file, with every table opened, on a phone and on a desk."""
    now = time.time()
    counts = Demo(now).experiments("alephbet")
    some = replace(counts, experiments=counts.experiments[:2])
    demo = analyse_all(some, DESIGNS, now=now)
    page = visitors.page()
    page.set_content(html.report(demo, {}, html.Choices("a", "a"), html.Frame("made up"), now))
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 800})
    load_axe(page)
    assert violations(page) == []


@pytest.mark.parametrize("only", [None, "headline"], ids=["list", "one"])
def test_axe_finds_nothing_in_the_past(only: str | None, visitors: Visitors) -> None:
    """Concluded experiments, decided and undecided, with every table opened."""
    now = time.time()
    demo = Demo(now)
    counts = demo.experiments("alephbet").experiments
    for each in counts[: 2 if only is None else 1]:
        ended = analyse(each, DESIGNS.get(each.name), now=now)
        demo.conclude("alephbet", each.name, record(ended, note="Support likes it."))
    found = demo.concluded("alephbet")
    choices, frame = html.Choices("alephbet", "alephbet"), html.Frame("made up")
    page = visitors.page()
    page.set_content(past_pages.concluded(found, choices, frame, now, only, done="headline"))
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    load_axe(page)
    assert_sound(page, 320, "dark")
    assert_sound(page, 1280, "light")


def test_axe_finds_nothing_where_the_key_is_asked(dashboard: Served, visitors: Visitors) -> None:
    """On the page that says that the key was wrong."""
    page = visitors.page()
    sign_in(page, dashboard, "wrong")
    assert page.get_by_role("alert").is_visible()
    load_axe(page)
    assert_sound(page, 320, "light")
    assert_sound(page, 320, "dark")
