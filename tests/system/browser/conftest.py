"""One Chromium, one web site and one `gimel serve` of each kind for all browser tests of a worker.

Tests keep apart by the namespace that they count in.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support import dashboards
from tests.support.browser import (
    CHROMIUM,
    Site,
    Visitors,
    running_browser,
    running_site,
    start_browser,
)
from tests.support.events import BROWSER
from tests.support.served import Served, serving
from tests.support.servers import Store, running_store

PAGES_END = {"test_client", "test_counting", "test_outages", "test_recipes", "test_snippet"}
"""The files whose tests count on what a page sends while it ends."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The headless shell, where it is installed. It drops some of what a page sends at its end."""
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def whole_chromium(chromium: Browser) -> Iterator[Browser]:
    """The browser that users have."""
    browser = start_browser(chromium.browser_type, f"--user-agent={BROWSER}", programs=CHROMIUM)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def gimel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A `gimel serve` with a private Redis and without a configuration."""
    with serving(tmp_path_factory.mktemp("gimel")) as gimel:
        yield gimel


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture
def visitors(request: pytest.FixtureRequest) -> Iterator[Visitors]:
    """Opens pages, which may complain."""
    kind = "whole_chromium" if request.path.stem in PAGES_END else "chromium"
    visitors = Visitors(request.getfixturevalue(kind))
    yield visitors
    visitors.close()


@pytest.fixture
def quiet_visitors(visitors: Visitors) -> Iterator[Visitors]:
    """Opens pages, whose consoles must stay empty and which must reach nothing but loopback."""
    yield visitors
    assert visitors.complaints == []


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A Redis with the simulated experiments."""
    with running_store(tmp_path_factory.mktemp("simulated")) as store:
        dashboards.simulate(store)
        yield store


@pytest.fixture(scope="session")
def dashboard(simulated: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A `gimel serve` that shows these experiments."""
    home = tmp_path_factory.mktemp("dashboard")
    options = ("--redis", simulated.url, "--api-key", dashboards.KEY)
    with serving(home, *options, configuration=dashboards.CONFIGURATION) as running:
        yield running


@pytest.fixture(scope="session")
def session_cookie(dashboard: Served) -> str:
    """The cookie of a browser that has signed in."""
    return dashboards.sign_in_over_http(dashboard)


@pytest.fixture(scope="session")
def session_reader(
    dashboard: Served, session_cookie: str, chromium: Browser
) -> Iterator[tuple[Visitors, Page]]:
    visitors = Visitors(chromium)
    context = visitors.browser()
    dashboards.add_cookie(context, dashboard, session_cookie)
    yield visitors, visitors.page(context)
    visitors.close()


@pytest.fixture
def reader(session_reader: tuple[Visitors, Page]) -> Iterator[Page]:
    """A page of a browser that has signed in, whose console must stay empty.

    Tests share it: to open one takes longer than most of them.
    """
    visitors, page = session_reader
    page.goto("about:blank")
    page.set_viewport_size({"width": 1280, "height": 720})
    page.emulate_media(media="screen", color_scheme="light", forced_colors="none")
    visitors.complaints.clear()
    yield page
    assert visitors.complaints == []


@pytest.fixture
def new_reader(dashboard: Served, session_cookie: str, quiet_visitors: Visitors) -> Page:
    """Such a page for one test alone."""
    context = quiet_visitors.browser()
    dashboards.add_cookie(context, dashboard, session_cookie)
    return quiet_visitors.page(context)
