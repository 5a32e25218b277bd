"""The demo page of `gimel serve` in a real browser."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import redis
from playwright.sync_api import Page

from tests.support.browser import Visitors
from tests.support.served import Served, serving
from tests.support.servers import DURABLE, Store, running_store, start_store
from tests.support.shop import EXPERIMENT, variant


@pytest.fixture
def demo(tmp_path: Path, session_store: Store, store: redis.Redis) -> Iterator[Served]:
    """A `gimel serve` whose demo page has counted nothing yet."""
    with serving(tmp_path, "--redis", session_store.url) as gimel:
        yield gimel


SUM_OF_COLUMN = """(column =>
  [...document.querySelectorAll(`#counts td:nth-child(${column})`)]
    .reduce((sum, cell) => sum + Number(cell.innerText), 0)
)"""


def shown(page: Page) -> dict[str, dict[str, int]]:
    """Return the counts in the demo page's table in the form of `Served.counts`."""
    rows: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('#counts tr')].map(r => [...r.cells].map(c => c.innerText))"
    )
    counted = [row for row in rows if len(row) == 3]
    return {
        "participate": {label: int(trials) for label, trials, _ in counted},
        "bought": {label: int(successes) for label, _, successes in counted},
    }


def wait_for_message(page: Page, text: str) -> None:
    """Wait until the demo page's message contains the text, or is empty if the text is empty."""
    page.wait_for_function(
        """text => {
          const shown = document.getElementById("message").textContent;
          return text ? shown.includes(text) : !shown;
        }""",
        arg=text,
    )


def wait_for_visitors(page: Page, number: int) -> None:
    page.wait_for_function(
        f"number => {SUM_OF_COLUMN}(2) >= number",
        arg=number,
    )


def test_the_demo_page_shows_what_its_visitors_do(demo: Served, visitors: Visitors) -> None:
    """It names the variant; Buy, a new visitor and a hundred more change the counts."""
    page = visitors.page()
    page.goto(demo.url)
    wait_for_visitors(page, 1)
    first = variant(page)
    named = page.inner_text("#variant")
    page.click(".buy-button")
    page.click(".buy-button")
    page.wait_for_function("document.querySelector('#counts td:nth-child(3)').innerText === '1'")
    after_buying = shown(page)

    page.click("#again")
    wait_for_visitors(page, 2)
    page.click("#many")
    page.wait_for_selector("#many:disabled")
    page.wait_for_selector("#many:enabled")
    wait_for_visitors(page, 102)
    page.wait_for_function("!adapters.some(hasUnsent)")
    counts = demo.counts("gimel-demo")
    page.wait_for_function(
        f"bought => {SUM_OF_COLUMN}(3) === bought",
        arg=sum(counts["bought"].values()),
    )

    assert named == first
    assert after_buying == {"participate": {first: 1}, "bought": {first: 1}}
    assert sum(counts["participate"].values()) == 102
    assert min(*counts["participate"].values(), *counts["bought"].values()) > 5
    assert shown(page) == counts
    assert visitors.complaints == []


def test_the_demo_page_outlives_redis(tmp_path: Path, visitors: Visitors) -> None:
    """It says that Redis is away; when it is back, all of a hundred visitors are counted."""
    (tmp_path / "store").mkdir()
    with (
        running_store(tmp_path / "store", *DURABLE) as store,
        serving(tmp_path / "gimel", "--redis", store.url) as gimel,
    ):
        page = visitors.page()
        page.goto(gimel.url)
        wait_for_visitors(page, 1)
        store.kill()
        wait_for_message(page, "Redis cannot be reached.")
        page.click("#many")
        page.wait_for_selector("#many:disabled")
        page.wait_for_selector("#many:enabled")
        again = start_store(tmp_path / "store", *DURABLE, port=store.port)
        try:
            wait_for_visitors(page, 101)
            wait_for_message(page, "")
            page.wait_for_function("!adapters.some(hasUnsent)")
            counts = gimel.counts("gimel-demo")
        finally:
            again.kill()
    wait_for_message(page, "gimel serve is not answering.")

    assert sum(counts["participate"].values()) == 101


def test_the_demo_page_says_that_alephbet_is_missing(demo: Served, visitors: Visitors) -> None:
    """Without AlephBet nothing runs: the page says why, disables its buttons, shows counts."""
    demo.track("gimel-demo", experiment=EXPERIMENT, variant="red", event="participate", uuid="1")
    visitors.alephbet = None
    page = visitors.page()
    page.goto(demo.url)
    wait_for_visitors(page, 1)

    assert "AlephBet could not be loaded from unpkg.com" in page.inner_text("#message")
    assert page.locator("button:enabled").count() == 0


def test_the_demo_page_says_that_its_events_are_ignored(
    tmp_path: Path, session_store: Store, visitors: Visitors
) -> None:
    """A configuration for other experiments excludes the demo: the empty page says so."""
    configuration = {"allowed_experiments": ["another"]}
    with serving(tmp_path, "--redis", session_store.url, configuration=configuration) as gimel:
        session_store.client().flushall()
        page = visitors.page()
        page.goto(gimel.url)
        wait_for_message(page, "config.json does not allow it")


def test_the_demo_page_fits_its_window(gimel: Served, visitors: Visitors) -> None:
    """Only the snippet is wider than a phone, and has its own scroll bar."""
    page = visitors.page()
    page.goto(gimel.url)
    wait_for_visitors(page, 1)

    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert page.evaluate(
            """[...document.querySelectorAll("button")]
              .every(button => button.getBoundingClientRect().right <= innerWidth)"""
        )


CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.background = "Canvas";
  const ground = getComputedStyle(probe).backgroundColor;
  const luminance = colours => {  // painted over each other, as WCAG 2 defines it
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrasts = {};
  const texts = "h1, h2, p, strong, button, th, td, pre, code, small";
  for (const element of document.querySelectorAll(texts)) {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      layers.unshift(getComputedStyle(each).backgroundColor);
    }
    const behind = luminance([ground, ...layers]);
    const text = luminance([ground, ...layers, getComputedStyle(element).color]);
    const name = `${element.tagName} ${element.className}`;
    const contrast = (Math.max(behind, text) + 0.05) / (Math.min(behind, text) + 0.05);
    contrasts[name] = Math.min(contrasts[name] || 21, contrast);
  }
  return [contrasts, luminance([ground])];
}"""


def test_the_demo_page_can_be_read(gimel: Served, visitors: Visitors) -> None:
    """Every text has the contrast to its background that WCAG 2 AA requires, 4.5 to 1."""
    page = visitors.page()
    page.goto(gimel.url)
    wait_for_visitors(page, 1)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme, button in itertools.product(schemes, ("blue", "red")):
        page.emulate_media(color_scheme=scheme)
        page.evaluate("name => { document.documentElement.dataset.buyButton = name; }", button)
        contrasts, ground = page.evaluate(CONTRASTS)

        assert {name: contrast for name, contrast in contrasts.items() if contrast < 4.5} == {}
        assert (ground < 0.1) == (scheme == "dark")
