"""What a reader sees first on the dashboard, in a real browser: places, rows, keyboard, paper."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from gimel.report import html
from tests.support.answers import SINCE, analysed, two
from tests.support.answers import row as experiment
from tests.support.browser import Visitors
from tests.support.dashboards import SIMULATED, add_cookie, address
from tests.support.served import Served

DESK: Any = {"width": 1280, "height": 800}


@pytest.fixture
def desk(reader: Page) -> Page:
    """A reader's page on a common laptop."""
    reader.set_viewport_size(DESK)
    return reader


def box(locator: Locator) -> tuple[float, float, float, float]:
    """Return where something is on the page: left, top, right, bottom."""
    found = locator.bounding_box()
    assert found
    return found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]


def test_the_verdict_is_what_is_seen_first(dashboard: Served, desk: Page) -> None:
    """Its sentence ends within 300 px; the checks are one line, open only if something is wrong."""
    for name in SIMULATED:
        desk.goto(address(dashboard, "/experiment", name=name))
        assert box(desk.locator(".banner .sentence"))[3] <= 300, name
        checks = desk.locator(".checks")
        wrong = desk.locator(".checks li .doubt").count() > 0
        assert (checks.get_attribute("open") is not None) == wrong, name
        _, top, _, bottom = box(checks.locator("> summary"))
        assert bottom - top < 40, name
        assert checks.locator("table").is_visible() == wrong, name


def test_a_goal_is_one_row(dashboard: Served, desk: Page) -> None:
    """Name with role and rates, strip, lift and interval are side by side, in columns."""
    desk.goto(address(dashboard, "/experiment", name="tax"))
    columns = []
    for goal in desk.locator(".goal > summary").all():
        parts = [
            box(goal.locator(part)) for part in (".goal-name", ".strip", ".value", ".interval-text")
        ]
        _, top, _, bottom = box(goal)
        assert bottom - top < 80
        assert all(top <= part[1] < part[3] <= bottom for part in parts)
        assert all(left[2] <= right[0] for left, right in itertools.pairwise(parts))
        columns.append((parts[1][0], parts[2][2], parts[3][2]))
    assert len(columns) == 4
    assert len(set(columns)) == 1
    assert box(desk.locator(".goal").last)[3] < DESK["height"]


def test_a_goal_opens(dashboard: Served, desk: Page) -> None:
    """With a key or a click, and closes again; the details within open by themselves."""
    desk.goto(address(dashboard, "/experiment", name="button"))
    row, table = desk.locator(".goal > summary").first, desk.locator(".goal table").first
    assert not table.is_visible()
    for key, is_open in itertools.product(("Enter", "Space", None), (True, False)):
        if key:
            row.focus()
            desk.keyboard.press(key)
        else:
            row.click()
        assert table.is_visible() == is_open
    assert not desk.locator(".statistics table").first.is_visible()


LONG = "a name as long as it can be " * 7
WIDE = [
    analysed(
        experiment(
            LONG, {LONG: (12_345_678, {LONG: 60_000}), "b": (12_345_000, {LONG: 60_900})}, (LONG,)
        )
    ),
    analysed(two("few", blue=(1000, 2), red=(1000, 300))),
    analysed(two("none", blue=(1000, 200), red=(1000, 0))),
    analysed(two("close", blue=(90_123_456, 9_000_000), red=(90_123_999, 9_000_900)), days=1234),
    analysed(two("wide", blue=(1_234_567, 100), red=(1_234_567, 60)), days=999),
    analysed(two("new", blue=(5, 1), red=(5, 2), since=None)),
]


def test_a_row_of_the_overview_does_not_wrap(quiet_visitors: Visitors) -> None:
    """However long its names are; every figure is whole."""
    page = quiet_visitors.page(viewport=DESK)
    choices = html.Choices("alephbet", "alephbet")
    page.set_content(html.report(WIDE, {}, choices, html.Frame("made up"), SINCE + 10**8))
    heights = page.locator("#experiments tbody tr").evaluate_all(
        "rows => rows.map(row => row.offsetHeight)"
    )
    assert len(heights) == len(WIDE)
    assert max(heights) <= 36
    assert cut_off(page.locator("#experiments .number")) == []


def cut_off(cells: Locator) -> list[str]:
    """Return the texts of those that are wider than their place."""
    found: list[str] = cells.evaluate_all(
        "all => all.filter(each => each.offsetWidth && each.scrollWidth > each.clientWidth)"
        ".map(each => each.textContent)"
    )
    return found


def test_labels_of_an_axis_do_not_overlap(dashboard: Served, desk: Page) -> None:
    """As they are drawn, on the overview, above the goals and in their tables."""
    for path, query in (("", {}), ("/experiment", {"name": "tax"})):
        desk.goto(address(dashboard, path, **query))
        desk.evaluate("document.querySelectorAll('details').forEach(all => { all.open = true; })")
        axes = desk.locator(".axis").evaluate_all(
            """axes => axes.map(axis => [...axis.querySelectorAll("text")].map(text => {
                 const box = text.getBoundingClientRect();
                 return [box.left, box.right];
               }).filter(([left, right]) => right > left))"""
        )
        assert axes
        for spans in axes:
            flat = [end for span in spans for end in span]
            assert flat == sorted(flat)


@pytest.mark.parametrize("width", [320, 1280])
def test_a_search_hides_rows_while_somebody_types(
    width: int, dashboard: Served, reader: Page
) -> None:
    """Also those that an earlier search in the address left over; the rest comes back."""
    reader.set_viewport_size({"width": width, "height": 800})
    reader.goto(address(dashboard, q="butt"))
    names = reader.get_by_role("rowheader")
    assert names.all_inner_texts() == ["button"]
    reader.locator("#search").fill("FO")
    assert names.all_inner_texts() == ["form", "footer"]
    assert not reader.locator("#nothing").is_visible()
    reader.locator("#search").fill("forx")
    assert names.count() == 0
    assert not reader.locator("#experiments").is_visible()
    assert reader.locator("#nothing").is_visible()
    reader.get_by_role("link", name=f"Show all {len(SIMULATED)}").click()
    assert names.count() == len(SIMULATED)


def test_a_choice_applies_at_once(dashboard: Served, desk: Page) -> None:
    """With what is in the other fields; no button is needed."""
    desk.goto(address(dashboard, state="decided"))
    desk.locator("#search").fill("t")
    desk.locator("select[name=sort]").select_option("name")
    desk.wait_for_url("**sort=name**")
    assert desk.get_by_role("rowheader").all_inner_texts() == ["button", "checkout", "footer"]
    desk.goto(address(dashboard, "/experiment", name="tax"))
    desk.locator("select[name=goal]").select_option("refund")
    desk.wait_for_url("**goal=refund**")
    assert desk.locator(".goal strong").all_inner_texts() == ["refund"]
    assert desk.locator(".goal table").first.is_visible()


def test_the_overview_works_without_javascript(
    dashboard: Served, session_cookie: str, quiet_visitors: Visitors
) -> None:
    """States are links with numbers; search and order are a form."""
    context = quiet_visitors.browser(java_script_enabled=False)
    add_cookie(context, dashboard, session_cookie)
    page = quiet_visitors.page(context)
    page.goto(address(dashboard))
    names = page.get_by_role("rowheader")
    assert names.count() == len(SIMULATED)
    link = page.get_by_role("link", name="Decided")
    number = int(link.inner_text().split()[-1])
    link.press("Enter")
    assert names.count() == number
    page.locator("#search").fill("CH")
    page.get_by_role("button", name="Show").press("Enter")
    assert names.all_inner_texts() == ["checkout"]
    page.get_by_role("link", name="All").click()
    assert names.all_inner_texts() == ["checkout", "search"]
    page.locator("#search").fill("")
    page.locator("select[name=sort]").select_option("name")
    page.get_by_role("button", name="Show").click()
    assert names.all_inner_texts() == sorted(SIMULATED)


def test_the_first_key_skips_to_the_results(dashboard: Served, desk: Page) -> None:
    """The next one is then the first link among them."""
    desk.goto(address(dashboard, "/experiment", name="button"))
    desk.keyboard.press("Tab")
    assert desk.evaluate("document.activeElement.textContent") == "Skip to results"
    assert box(desk.locator(".skip"))[0] >= 0
    desk.keyboard.press("Enter")
    desk.keyboard.press("Tab")
    assert desk.evaluate("document.activeElement.textContent") == "All experiments"


@pytest.mark.parametrize("width", [624, 720], ids=["wide margins", "usual margins"])
def test_paper_has_everything(width: int, dashboard: Served, reader: Page) -> None:
    """Marks in their colours, rows whole, and what was folded; no form and no button."""
    reader.set_viewport_size({"width": width, "height": 1000})
    reader.emulate_media(media="print")
    reader.goto(address(dashboard, "/experiment", name="tax"))
    assert reader.locator("details[open]").count() == 0
    for part in (".checks table", ".inside > table", ".statistics table", ".glossary dd"):
        for each in reader.locator(part).all():
            assert each.is_visible(), part
            assert box(each)[3] - box(each)[1] > 10, part
    marks = reader.locator(".goal .mark").evaluate_all(
        "all => all.map(each => getComputedStyle(each).printColorAdjust)"
    )
    assert set(marks) == {"exact"}
    rows = reader.locator("tr, .goal").evaluate_all(
        "all => all.map(each => getComputedStyle(each).breakInside)"
    )
    assert set(rows) == {"avoid"}
    for part in (".choices", "header form", "a.danger", "#refresh"):
        assert not reader.locator(part).is_visible()
    assert reader.evaluate("document.scrollingElement.scrollWidth") <= width
    reader.goto(address(dashboard))
    assert reader.locator("#experiments tr").first.locator("th:visible").count() == 9
    assert cut_off(reader.locator("#experiments tbody :is(th, td)")) == []
    assert reader.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_keep_marks_and_strips(scheme: Any, dashboard: Served, desk: Page) -> None:
    """Strips in the colour of the text, marks in their own."""
    desk.emulate_media(forced_colors="active", color_scheme=scheme)
    desk.goto(address(dashboard, "/experiment", name="tax"))
    colours = desk.evaluate(
        """() => {
          const style = (part, name) => getComputedStyle(document.querySelector(part))[name];
          return {
            text: style("body", "color"),
            interval: style(".goal .interval", "stroke"),
            point: style(".goal .point", "fill"),
            mark: style(".goal .mark", "backgroundColor"),
            ground: style("body", "backgroundColor"),
          };
        }"""
    )
    assert colours["interval"] == colours["point"] == colours["text"]
    assert len({colours["text"], colours["mark"], colours["ground"]}) == 3
