"""The dashboard keeps itself up to date in a real browser, without losing the reader's place."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support import crowd
from tests.support.browser import Visitors
from tests.support.dashboards import KEY, address, sign_in
from tests.support.served import Served, serving
from tests.support.servers import Store, running_store


def test_a_refresh_keeps_the_readers_place(
    simulated: Store, dashboard: Served, reader: Page
) -> None:
    """New figures appear; the opened table, the focus in it and the scroll position stay."""
    with simulated.client() as client:
        crowd.count(client, "refresh", "e", {"a": (3000, {"buy": 100}), "b": (3000, {"buy": 110})})
        reader.set_viewport_size({"width": 390, "height": 500})
        reader.goto(address(dashboard, "/experiment", name="e", namespace="refresh"))
        summary = reader.locator("summary", has_text="Details for statisticians")
        summary.click()
        assert reader.evaluate("document.activeElement.tagName") == "SUMMARY"
        reader.evaluate("scrollBy(0, -200)")
        place = reader.evaluate("scrollY")
        assert place > 500

        crowd.count(client, "refresh", "e", {"a": (3500, {"buy": 100}), "b": (3500, {"buy": 110})})
        reader.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(reader.locator(".facts")).to_contain_text("6,995 visitors")

    assert reader.evaluate("scrollY") == place
    focused = reader.evaluate("document.activeElement.textContent")
    assert focused.startswith("Details for statisticians (")
    opened = reader.locator("details[open]").evaluate_all("all => all.map(each => each.className)")
    assert opened == ["goal undecided", "statistics"]
    assert reader.locator("table", has_text="comparison with a").is_visible()


def test_a_refresh_opens_a_new_problem(simulated: Store, dashboard: Served, reader: Page) -> None:
    """The checks, which were closed; what the reader opened or closed stays so otherwise."""
    with simulated.client() as client:
        crowd.count(client, "news", "e", {"a": (900, {"x": 90, "y": 9}), "b": (910, {"x": 91})})
        reader.goto(address(dashboard, "/experiment", name="e", namespace="news"))
        assert reader.locator("details[open]").count() == 0
        reader.locator(".goal > summary", has_text="y").click()

        client.hset("news:e:meta", "ignored:limit reached", 3)
        reader.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(reader.locator(".checks > summary")).to_contain_text("1 problem")

    opened = reader.locator("details[open]").evaluate_all("all => all.map(each => each.className)")
    assert opened == ["checks wrong", "goal undecided"]
    assert reader.locator(".checks li").first.is_visible()
    assert reader.locator(".goal[open] strong").first.inner_text() == "y"


def test_a_refresh_keeps_the_search(simulated: Store, dashboard: Served, reader: Page) -> None:
    """What does not match stays hidden, also what appears."""
    with simulated.client() as client:
        crowd.count(client, "search", "button", {"a": (90, {"x": 9}), "b": (91, {"x": 8})})
        reader.goto(address(dashboard, namespace="search"))
        reader.locator("#search").fill("foot")
        assert reader.get_by_role("rowheader").count() == 0
        for name in ("button 2", "footer"):
            crowd.count(client, "search", name, {"a": (90, {"x": 9}), "b": (91, {"x": 8})})
        reader.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(reader.get_by_role("rowheader")).to_have_text(["footer"])


def test_a_refresh_comes_by_itself_until_it_is_stopped(dashboard: Served, new_reader: Page) -> None:
    """Every ten seconds of the page's clock; not after the button was pressed."""
    new_reader.clock.install()
    new_reader.goto(address(dashboard))
    with new_reader.expect_response(address(dashboard)):
        new_reader.clock.run_for(10_500)
    new_reader.get_by_role("button", name="Stop refreshing").click()
    asked: list[str] = []
    new_reader.on("request", lambda request: asked.append(request.url))
    new_reader.clock.run_for(60_000)
    new_reader.wait_for_timeout(300)
    assert asked == []


def test_a_refresh_that_fails_keeps_the_figures_and_says_so(
    tmp_path: Path, visitors: Visitors
) -> None:
    """While Redis is away, and after gimel has stopped."""
    (tmp_path / "store").mkdir()
    with running_store(tmp_path / "store") as store:
        with store.client() as client:
            crowd.count(client, "alephbet", "e", {"a": (100, {}), "b": (110, {})})
        with serving(tmp_path / "gimel", "--redis", store.url, "--api-key", KEY) as running:
            page = visitors.page()
            sign_in(page, running)
            page.wait_for_selector("table")
            store.kill()
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            expect(page.get_by_role("status")).to_contain_text("Redis cannot be reached.")
            assert page.get_by_role("link", name="e", exact=True).is_visible()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("status")).to_contain_text("Gimel does not respond")
