"""The demo page of `gimel serve` in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gimel.serve.demo_experiment import NAME
from tests.support.browser import Site, Visitors
from tests.support.dashboards import cells, load_axe, violations
from tests.support.served import Served, serving
from tests.support.servers import DURABLE, running_store, start_store, wait_until

VISITORS = "Visitors of each variant"
TABLE = "bought: lift over blue"
LONG_PAUSE = """localStorage["gimel:wait"] =
  JSON.stringify([Date.now() + 1e7, [9, Date.now() + 1e6]])"""
UNSENT = "Object.keys(localStorage).filter(key => key.startsWith('gimel:queue:')).length"
NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("blocked", "SecurityError"); },
})"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A `gimel serve` whose links nobody has opened."""
    with serving(tmp_path_factory.mktemp("fresh")) as gimel:
        yield gimel


@pytest.fixture
def demo(gimel: Served) -> Iterator[Served]:
    """A `gimel serve` whose demo page has counted nothing yet."""
    delete(gimel)
    yield gimel
    delete(gimel)


def delete(gimel: Served) -> None:
    answer = gimel.http.delete("/delete", params={"experiment": NAME}, headers=gimel.key)
    assert answer.status_code == 200, answer.text


def opened(gimel: Served, page: Page, query: str = "") -> Page:
    """Return the page once it shows visitors."""
    page.goto(f"{gimel.url}/{query}")
    page.wait_for_selector("[data-counted=yes]")
    return page


def counts(gimel: Served) -> dict[str, dict[str, int]]:
    """Return what the API counted in the demo's experiment."""
    (found,) = gimel.results(scope=NAME)
    counted = {"participate": {row["label"]: row["trials"] for row in found["participants"]}}
    for goal in found["goals"]:
        counted[goal["goal"]] = {row["label"]: row["successes"] for row in goal["results"]}
    return counted


def visitors_of(gimel: Served) -> int:
    return sum(counts(gimel)["participate"].values())


def shown(page: Page) -> dict[str, dict[str, int]]:
    """Return the page's table in the form of `counts`."""
    rows = {
        row[0].removesuffix(" (control)"): [int(cell.replace(",", "")) for cell in row[1:3]]
        for row in cells(page, TABLE)
    }
    return {
        "participate": {name: visitors for name, (visitors, _) in rows.items()},
        "bought": {name: bought for name, (_, bought) in rows.items()},
    }


def send(page: Page) -> None:
    """Click and wait until all are sent."""
    page.click("#many")
    expect(page.locator("#message")).to_contain_text("Sent 1,000 visitors")


def test_three_clicks_reach_the_verdict_of_the_dashboard(
    fresh: Served, quiet_visitors: Visitors
) -> None:
    """By the printed link, without another host; then the dashboard, already signed in."""
    page = quiet_visitors.page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(fresh.links[0])
    page.wait_for_url(f"{fresh.url}/")
    state = page.locator(".banner .state")
    clicks = 0
    while "Decided" not in state.inner_text() and clicks < 3:
        send(page)
        clicks += 1
        expect(page.locator(".banner .facts")).to_contain_text(f"{clicks},00")
    expect(state).to_contain_text("Decided")
    banner = page.inner_text(".banner")
    assert "Choose “red”" in banner
    assert shown(page) == counts(fresh)
    assert visitors_of(fresh) in range(1000 * clicks - 8, 1000 * clicks + 10)

    page.click("text=See this test in the dashboard")
    assert page.inner_text("h1") == NAME
    assert page.inner_text(".banner") == banner
    assert all(url.startswith((fresh.url, "data:")) for url in asked)


def test_a_visitor_counts_once(demo: Served, quiet_visitors: Visitors) -> None:
    """In two tabs and after two clicks, shown in a second; then comes a new visitor."""
    context = quiet_visitors.browser()
    page, other = (opened(demo, quiet_visitors.page(context)) for _ in range(2))
    first = page.evaluate("document.documentElement.dataset.buyButton")
    assert page.inner_text("#variant") == f"your button is {first}"
    assert first in [row[0].split()[0] for row in cells(page, VISITORS) if row[1] == "1"]
    for tab in (page, page, other):
        tab.click(".buy-button")
    expect(page.get_by_text(TABLE)).to_be_visible()
    assert shown(page)["bought"][first] == 1
    page.click("#again")
    expect(page.locator(".banner .facts")).to_contain_text("2 visitors")

    assert visitors_of(demo) == 2
    assert counts(demo)["bought"][first] == 1


def test_it_outlives_redis(tmp_path: Path, visitors: Visitors) -> None:
    """It says that Redis is away; when it is back, the visitors on their way are counted once."""
    (tmp_path / "store").mkdir()
    with (
        running_store(tmp_path / "store", *DURABLE) as store,
        serving(tmp_path / "gimel", "--redis", store.url) as gimel,
    ):
        page = opened(gimel, visitors.page())
        store.kill()
        trouble = page.locator("#trouble")
        expect(trouble).to_contain_text("Redis cannot be reached.")
        page.click(".buy-button")
        page.click("#many")
        expect(page.locator("#message")).to_contain_text("The store does not answer.")
        assert page.locator("#many, #again").and_(page.locator(":disabled")).count() == 2
        page.evaluate(LONG_PAUSE)
        again = start_store(tmp_path / "store", *DURABLE, port=store.port)
        try:
            expect(page.locator("#message")).to_contain_text("Sent 1,000 visitors")
            expect(trouble).to_have_text("")
            wait_until(lambda: visitors_of(gimel) in range(993, 1010))
            wait_until(lambda: page.evaluate(UNSENT) == 0)
            wait_until(lambda: shown(page) == counts(gimel))
        finally:
            again.kill()
    expect(trouble).to_contain_text("gimel serve is not answering.")


def test_without_javascript_it_says_so(demo: Served, quiet_visitors: Visitors) -> None:
    """And shows what was counted."""
    demo.track("alephbet", experiment=NAME, variant="red", event="participate", uuid="1")
    page = quiet_visitors.page(quiet_visitors.browser(java_script_enabled=False))
    page.goto(demo.url)
    assert "JavaScript is off." in page.inner_text("main")
    assert cells(page, VISITORS)[1][:2] == ["red", "1"]
    assert page.locator("button:enabled").count() == 0


@pytest.mark.parametrize(
    ("query", "words", "link"),
    [
        ("?gimel=off", "Your visits are not counted", "Count them again"),
        ("?gimel=demo button:red", "nothing that you do here is counted", "Take part"),
    ],
    ids=["off", "forced"],
)
def test_a_visit_that_does_not_count_is_explained(
    query: str, words: str, link: str, demo: Served, quiet_visitors: Visitors
) -> None:
    """A link leads to the page that counts."""
    page = quiet_visitors.page()
    page.goto(f"{demo.url}/{query}")
    expect(page.locator("#state")).to_contain_text(words)
    page.click(".buy-button")
    assert page.evaluate(UNSENT) == 0
    assert visitors_of(demo) == 0
    page.click(f"text={link}")
    page.wait_for_selector("[data-counted=yes]")
    expect(page.locator("#state")).to_be_hidden()


def test_blocked_storage_is_explained(demo: Served, visitors: Visitors) -> None:
    """Each page view is then a visitor, who can buy."""
    page = visitors.page()
    page.add_init_script(NO_STORAGE)
    for _ in range(2):
        opened(demo, page)
        assert "Your browser blocks storage" in page.inner_text("#state")
        page.click(".buy-button")
        wait_until(lambda: "bought" in counts(demo))
    wait_until(lambda: sum(counts(demo)["bought"].values()) == 2)

    assert visitors_of(demo) == 2


def test_a_deleted_experiment_is_explained(demo: Served, quiet_visitors: Visitors) -> None:
    """This visitor counts no more; a new one begins the experiment again."""
    page = opened(demo, quiet_visitors.page())
    delete(demo)
    expect(page.locator("#trouble")).to_contain_text("the experiment was deleted")
    page.click("#again")
    page.wait_for_selector("[data-counted=yes]")
    expect(page.locator("#trouble")).to_have_text("")


def test_what_is_not_counted_is_not_sent_on(demo: Served, quiet_visitors: Visitors) -> None:
    """One answer that the experiment is ignored ends the sending, with the reason."""
    page = opened(demo, quiet_visitors.page())
    posts: list[Any] = []
    ignored = {"events": [{"status": "ignored", "reason": "experiment not allowed"}]}

    def refuse(route: Any) -> None:
        posts.append(route)
        route.fulfill(json=ignored)

    page.route("**/e", refuse)
    page.click("#many")
    expect(page.locator("#message")).to_have_text(
        "Gimel did not count them: experiment not allowed."
    )
    assert len(posts) == 1
    assert page.locator("button:enabled").count() == 3


def test_without_the_client_it_shows_counts(demo: Served, visitors: Visitors) -> None:
    """It says that gimel.js did not load, and disables its buttons."""
    demo.track("alephbet", experiment=NAME, variant="red", event="participate", uuid="1")
    page = visitors.page()
    page.route("**/gimel.js", lambda route: route.abort())
    opened(demo, page)
    assert "/gimel.js did not load" in page.inner_text("#state")
    assert page.locator("button:enabled").count() == 0


def test_axe_finds_nothing(demo: Served, quiet_visitors: Visitors) -> None:
    """With the verdict and everything open, by night on a phone and by day on a desk."""
    page = opened(demo, quiet_visitors.page())
    send(page)
    expect(page.get_by_text(TABLE)).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    load_axe(page)
    for width, scheme, variant in ((320, "dark", "red"), (1280, "light", "blue")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("name => { document.documentElement.dataset.buyButton = name; }", variant)
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width


def test_the_keyboard_is_enough(demo: Served, quiet_visitors: Visitors) -> None:
    """The focus stays on the button that was disabled meanwhile, and on an open part."""
    page = opened(demo, quiet_visitors.page())
    page.locator("#many").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_contain_text("Sent 1,000 visitors")
    assert page.evaluate("document.activeElement.id") == "many"
    checks = page.locator("#live .checks")
    checks.locator("summary").focus()
    page.keyboard.press("Enter")
    before = page.inner_text(".banner .facts")
    demo.track("alephbet", experiment=NAME, variant="red", event="participate", uuid="1")
    expect(page.locator(".banner .facts")).not_to_have_text(before)
    assert checks.evaluate("element => element.open")
    assert checks.locator("summary").evaluate("each => each === document.activeElement")


def test_the_dashboard_link_signs_in_one_browser(
    fresh: Served, site: Site, visitors: Visitors
) -> None:
    """Also when a page of another site leads to it, such as a terminal in the browser."""
    link = fresh.links[1]
    site.pages["/terminal"] = f'<!doctype html><a href="{link}">Dashboard</a>'
    page = visitors.page(intercept=False)
    page.goto(f"{site.origin.replace('127.0.0.1', 'localhost')}/terminal")
    page.click("a")
    page.wait_for_url(f"{fresh.url}/dashboard")
    assert page.inner_text("h1") == "Experiments"
    page.goto(link)
    assert page.inner_text("h1") == "Experiments"

    second = visitors.page()
    second.goto(link)
    assert "This link has been used" in second.inner_text("[role=alert]")
    second.fill("input[name=key]", fresh.key["x-api-key"])
    second.keyboard.press("Enter")
    expect(second.locator("h1")).to_have_text("Experiments")
