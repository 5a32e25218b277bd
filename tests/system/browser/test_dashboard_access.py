"""Names that attack the dashboard, deleting, and signing in, in a real browser."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Dialog, Page

from gimel.report import figures
from gimel.serve.sessions import SECONDS_IDLE
from tests.support import crowd
from tests.support.browser import Visitors
from tests.support.dashboards import KEY, address, sign_in
from tests.support.served import Served
from tests.support.servers import Store

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(2)>"
    "\"'`><a href='javascript:alert(3)'>{{ 7 * 7 }}{% raw %}",
    "direction": "\u202egnol si siht\u2066",
    "long": "x" * 200,
    "wide": "界" * 200,
    "address": "../../etc/passwd 100%25 %2F?a=b&name=c#d+e a:b,c::16",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_text_and_can_be_deleted(
    name: str, simulated: Store, dashboard: Served, reader: Page
) -> None:
    """As experiment, variant and goal: shown, linked, drawn, deleted, and never run."""
    namespace = f"hostile {name}"[:200]
    with simulated.client() as client:
        crowd.count(client, namespace, name, {name: (900, {name: 90}), "b": (910, {name: 80})})
    reader.set_viewport_size({"width": 390, "height": 800})
    dialogs: list[Dialog] = []
    reader.on("dialog", lambda dialog: dialogs.append(dialog))
    reader.goto(address(dashboard, namespace=namespace))
    reader.locator("tbody a").first.click()
    assert reader.get_by_role("heading", level=1).inner_text() == figures.visible(name)
    assert reader.locator(".goal > summary .point").count() == 1
    assert reader.evaluate("document.scrollingElement.scrollWidth") <= 390
    reader.get_by_role("link", name="Delete this experiment").click()
    assert reader.evaluate("document.scrollingElement.scrollWidth") <= 390
    assert len(dashboard.experiments(namespace=namespace)) == 2
    reader.get_by_role("button", name="Delete permanently").click()

    assert reader.inner_text(".done") == f"Deleted: {figures.visible(name)}"
    assert dashboard.experiments(namespace=namespace)[1:] == []
    assert dialogs == []


def test_deleting_asks_first(simulated: Store, dashboard: Served, reader: Page) -> None:
    """It says how many visitors would be lost; keeping the experiment leads back."""
    with simulated.client() as client:
        crowd.count(client, "delete", "e", {"a": (900, {"buy": 90}), "b": (910, {"buy": 80})})
    reader.goto(address(dashboard, "/experiment", name="e", namespace="delete"))
    reader.get_by_role("link", name="Delete this experiment").click()
    assert reader.get_by_role("heading", level=1).inner_text() == "Delete e?"
    assert "1,8" in reader.inner_text("main")
    reader.get_by_role("link", name="Cancel").click()
    assert reader.get_by_role("heading", level=1).inner_text() == "e"
    assert len(dashboard.experiments(namespace="delete")) == 2


def test_the_key_is_asked_once_and_shown_nowhere(dashboard: Served, visitors: Visitors) -> None:
    """Not in an address, a page, the cookie or the log.

    The cookie expires and is out of reach of scripts.
    """
    page = visitors.page()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.goto(address(dashboard))
    assert page.locator("table").count() == 0
    sign_in(page, dashboard)
    page.wait_for_selector("table")
    (cookie,) = page.context.cookies()
    again = visitors.page(page.context)
    again.goto(address(dashboard, "/experiment", name="button"))
    assert again.locator(".goal > summary .point").count() == 2

    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
        True,
        "Strict",
        "/dashboard",
    )
    assert SECONDS_IDLE - 60 < cookie["expires"] - time.time() < SECONDS_IDLE + 1
    assert KEY not in f"{cookie}{seen}{page.content()}{again.content()}{dashboard.log.read_text()}"
    assert page.evaluate("document.cookie") == ""
    again.locator("form[action$='/sign-out'] button").click()
    again.wait_for_selector("input[name=key]")
    assert page.context.cookies() == []
