"""Results over time in a real browser: the day under the pointer, the arrow keys, a refresh."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, Route, expect

from gimel.analysis.experiment import analyse
from gimel.report import html
from tests.support.browser import Visitors
from tests.support.dashboards import load_axe, violations
from tests.support.year import year

ADDRESS = "http://127.0.0.1:9/dashboard/experiment?name=year"


def page_after(days: int, **more: Any) -> str:
    """Return the page of an experiment on the morning after so many days."""
    counts, now = year(days, lifts={"new": 0.4}, **more)
    choices, frame = html.Choices("n", "n"), html.Frame("counted by X")
    return html.experiment(analyse(counts, now=now), choices, frame, now)


def show(page: Page, text: str) -> None:
    """Let the page's address answer with this text, under the policy of the dashboard."""

    def answer(route: Route) -> None:
        headers = {"Content-Security-Policy": html.policy()}
        route.fulfill(body=text, content_type="text/html; charset=utf-8", headers=headers)

    page.unroute_all()
    page.route("**/*", answer)


def test_the_figures_of_a_day_are_read_by_pointer_and_keys(quiet_visitors: Visitors) -> None:
    """In the legends and by a screen reader; a refresh keeps the day, the focus and the table."""
    page = quiet_visitors.page()
    show(page, page_after(20))
    page.goto(ADDRESS)
    goal = page.locator(".goal-over-time").first
    time, figures = goal.locator(".time"), goal.locator(".figure")
    latest = figures.all_inner_texts()
    expect(time).to_have_text("25 Jan 2026, 08:00")

    field = goal.locator(".field").first
    width = field.bounding_box()
    assert width
    field.hover(position={"x": width["width"] * 0.5, "y": 60})
    expect(time).to_have_text("15 Jan 2026, 00:05")
    assert figures.all_inner_texts() != latest
    expect(goal.locator(".cursor").first).to_have_attribute("visibility", "visible")
    page.mouse.move(0, 0)
    expect(time).to_have_text("25 Jan 2026, 08:00")
    assert figures.all_inner_texts() == latest

    goal.locator("summary", has_text="Figures as a table").click()
    slider = goal.get_by_role("slider")
    goal.locator("summary").first.focus()
    page.keyboard.press("Tab")
    expect(slider).to_be_focused()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(time).to_have_text("23 Jan 2026, 00:05")
    row = goal.locator("tbody tr", has_text="23 Jan 2026").locator("td").all_inner_texts()
    assert figures.all_inner_texts() == [row[2], row[0], row[1]]
    spoken = str(slider.get_attribute("aria-valuetext"))
    assert spoken.startswith("until 23 Jan 2026, 00:05. Lift over “control” with 95% interval: new")
    assert f"control {row[0]}, new {row[1]}" in spoken

    show(page, page_after(21))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#updated")).to_contain_text("2026-01-26")
    expect(slider).to_be_focused()
    expect(time).to_have_text("23 Jan 2026, 00:05")
    assert goal.locator("table.history").is_visible()
    page.keyboard.press("End")
    expect(time).to_have_text("26 Jan 2026, 08:00")


def test_axe_finds_nothing_over_time(quiet_visitors: Visitors) -> None:
    """With every table opened, on a phone by night and on a desk by day, which scroll one way."""
    page = quiet_visitors.page()
    show(page, page_after(8, missing=(5,)))
    page.goto(ADDRESS)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    load_axe(page)
    for width, scheme in ((320, "dark"), (1280, "light")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        assert violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
