"""The pages of the dashboard in a real browser: what they show of simulated experiments.

Every page must leave the browser's console without an error and reach nothing outside loopback.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

from gimel.analysis.verdict import Kind
from tests.support.browser import Visitors
from tests.support.command import gimel_here
from tests.support.dashboards import KEY, SIMULATED, add_cookie, address, cells
from tests.support.served import Served


@pytest.fixture(scope="module")
def figures_of_results(
    dashboard: Served, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What `gimel results --json` says of the same experiments, by name."""
    done = gimel_here(
        *("results", "--json", "--url", dashboard.url, "--api-key", KEY),
        home=tmp_path_factory.mktemp("results"),
    )
    assert done.returncode == 0, done.stderr
    return {each["experiment"]: each for each in json.loads(done.stdout)["experiments"]}


def test_every_verdict_is_on_the_overview(
    dashboard: Served, reader: Page, figures_of_results: dict[str, Any]
) -> None:
    """In the words of `gimel results`, with start and visitors; doubtful ones come first."""
    reader.goto(address(dashboard))
    rows = cells(reader, "All experiments; those with data-quality problems come first")

    kinds = {said["kind"] for found in figures_of_results.values() for said in found["verdicts"]}
    assert kinds == {kind.value for kind in Kind}
    assert {row[0] for row in rows} == set(SIMULATED)
    assert {row[0] for row in rows[:2]} == {"headline", "video"}
    for name, since, number, verdict in rows:
        found = figures_of_results[name]
        assert number == f"{sum(each['visitors'] for each in found['participants']):,.0f}"
        assert any(said["sentence"] in verdict for said in found["verdicts"])
        assert all(doubt in verdict for doubt in found["doubts"])
        assert since.startswith("2026-09-21, ")


@pytest.mark.parametrize("name", SIMULATED)
def test_an_experiments_page_says_what_gimel_results_says(
    name: str,
    dashboard: Served,
    reader: Page,
    figures_of_results: dict[str, Any],
) -> None:
    """Every goal's counts, intervals and verdicts are in its tables, and in its plots as text."""
    found = figures_of_results[name]
    reader.goto(address(dashboard, "/experiment", name=name))
    for summary in reader.locator("summary").all():
        summary.click()
    text = reader.inner_text("main")

    assert reader.get_by_role("heading", level=1).inner_text() == name
    assert all(doubt in text for doubt in found["doubts"])
    for goal in found["goals"]:
        if not goal["is_conversion"]:
            shown = {
                row[0]: row[3] for row in cells(reader, f"Goals per visitor of {goal['goal']}")
            }
            assert shown == {
                each["variant"]: f"{each['per_visitor']:.2f}" for each in goal["variants"]
            }
            continue
        rows = {row[0]: row[1:] for row in cells(reader, f"Rate of {goal['goal']}")}
        drawn = reader.get_by_role("img", name=f"Rate of {goal['goal']}").text_content() or ""
        for each in goal["variants"]:
            visitors_seen, conversions, rate, between, _ = rows[each["variant"]]
            assert (visitors_seen, conversions) == (
                f"{each['visitors']:,.0f}",
                f"{each['conversions']:,.0f}",
            )
            assert float(rate) == pytest.approx(100 * each["rate"]["value"], abs=0.06)
            low, high = map(float, between.strip("[]").split(", "))
            assert low == pytest.approx(100 * each["rate"]["low"], abs=0.06)
            assert high == pytest.approx(100 * each["rate"]["high"], abs=0.06)
            assert f"{rate}% {between}" in drawn
        lifts = {each["variant"]: each for each in goal["variants"] if each["lift"]}
        drawn = (
            reader.get_by_role("img", name=f"Lift of {goal['goal']}").text_content() or ""
            if lifts
            else ""
        )
        for row in (
            cells(reader, f"{goal['goal']}: comparison with {found['control']}") if lifts else []
        ):
            wide = lifts[row[0]]["anytime"]["lift"]
            assert float(row[2].split()[0]) == pytest.approx(
                100 * lifts[row[0]]["lift"]["value"], abs=0.6
            )
            assert float(row[5].strip("[]").split(",")[0]) == pytest.approx(
                100 * wide["low"], abs=0.6
            )
            assert row[2].replace(" ", "% ", 1) in drawn
            assert "0%" in drawn


def test_doubts_come_before_any_figure(dashboard: Served, reader: Page) -> None:
    """Lost events, a goal that is not a conversion, and ignored events, above the first table."""
    reader.goto(address(dashboard, "/experiment", name="video"))
    text = reader.inner_text("#live")
    first_table = text.index("Visitors of each variant")
    for doubt in (
        "41 events were not counted because a limit was reached",
        "more goals than visitors",
        "Ignored events: 7 (bot)",
    ):
        assert text.index(doubt) < first_table
    reader.goto(address(dashboard, "/experiment", name="headline"))
    assert "visitors are split 55/45, expected 50/50" in reader.inner_text(".trust")


def test_choices_work_without_javascript(
    dashboard: Served, session_cookie: str, quiet_visitors: Visitors
) -> None:
    """Control, goal and confidence, with the keyboard alone."""
    context = quiet_visitors.browser(java_script_enabled=False)
    add_cookie(context, dashboard, session_cookie)
    page = quiet_visitors.page(context)
    page.goto(address(dashboard))
    page.get_by_role("link", name="button").click()
    page.locator("select[name=control]").select_option("red")
    page.locator("select[name=goal]").select_option("sign up")
    page.get_by_label("Confidence").select_option("99%")
    page.get_by_role("button", name="Show").press("Enter")

    assert parse_qs(urlsplit(page.url).query) == {
        "name": ["button"],
        "control": ["red"],
        "goal": ["sign up"],
        "confidence": ["0.99"],
    }
    assert [heading.inner_text() for heading in page.locator("h2[id]", has_text="Goal:").all()] == [
        "Goal: sign up"
    ]
    assert "control: red" in page.inner_text(".facts")
    assert page.get_by_label("Confidence").input_value() == "0.99"
    page.locator("summary").first.press("Enter")
    assert "99% interval" in page.inner_text("main")
