"""axe-core on every kind of page of the dashboard, against WCAG 2.2 AA and its best practices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import Visitors
from tests.support.dashboards import add_cookie, address, load_axe, sign_in, violations
from tests.support.served import Served

PAGES: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    ("", {"namespace": "empty"}),
    ("/experiment", {"name": "button"}),
    ("/experiment", {"name": "video"}),
    ("/experiment", {"name": "headline"}),
    ("/experiment", {"name": "search"}),
    ("/experiment", {"name": "pop-up"}),
    ("/experiment", {"name": "tax"}),
    ("/delete", {"name": "button"}),
]


@pytest.fixture(
    scope="module", params=PAGES, ids=lambda page: " ".join((page[0], *page[1].values()))
)
def opened(
    request: pytest.FixtureRequest, dashboard: Served, session_cookie: str, chromium: Browser
) -> Iterator[Page]:
    """One of these pages, with every table opened, shared by the tests below."""
    path, query = request.param
    visitors = Visitors(chromium)
    context = visitors.browser(bypass_csp=True)
    add_cookie(context, dashboard, session_cookie)
    page = visitors.page(context)
    page.goto(address(dashboard, path, **query))
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    load_axe(page)
    yield page
    visitors.close()
    assert visitors.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_axe_finds_nothing(width: int, scheme: Any, opened: Page) -> None:
    """By day and by night, on a desk and on a phone, where pages scroll in one direction only."""
    opened.emulate_media(color_scheme=scheme)
    opened.set_viewport_size({"width": width, "height": 800})
    assert violations(opened) == []
    assert opened.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_the_key_is_asked(
    scheme: Any, dashboard: Served, visitors: Visitors
) -> None:
    """On the page that says that the key was wrong."""
    page = visitors.page(bypass_csp=True, color_scheme=scheme)
    sign_in(page, dashboard, "wrong")
    assert page.get_by_role("alert").is_visible()
    load_axe(page)
    assert violations(page) == []
