"""The pages of the dashboard in a real browser: what they show of simulated experiments.

Every page must leave the browser's console without an error and reach nothing outside loopback.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

from gimel.analysis.verdict import Kind
from tests.support.browser import Visitors
from tests.support.command import gimel_here
from tests.support.dashboards import (
    CONFIGURATION,
    KEY,
    SIMULATED,
    YOUNGEST,
    add_cookie,
    address,
    cells,
)
from tests.support.served import Served


@pytest.fixture(scope="module")
def figures_of_results(
    dashboard: Served, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What `gimel results --json` says of the same experiments, by name."""
    home = tmp_path_factory.mktemp("results")
    (home / "config.json").write_text(json.dumps(CONFIGURATION))
    done = gimel_here("results", "--json", "--url", dashboard.url, "--api-key", KEY, home=home)
    assert done.returncode == 0, done.stderr
    return {each["experiment"]: each for each in json.loads(done.stdout)["experiments"]}


def test_every_verdict_is_on_the_overview(
    dashboard: Served, reader: Page, figures_of_results: dict[str, Any]
) -> None:
    """With the figures of `gimel results`; those that need attention come first."""
    reader.goto(address(dashboard))
    rows = cells(reader, "Experiments")

    kinds = {found["headline"]["kind"] for found in figures_of_results.values()}
    kinds |= {
        goal["verdict"]["kind"] for found in figures_of_results.values() for goal in found["goals"]
    }
    assert kinds == {kind.value for kind in Kind}
    assert {row[1] for row in rows} == set(SIMULATED)
    states = [row[0].split(maxsplit=1)[1] for row in rows]
    assert states == sorted(states, key=["Needs attention", "Decided", "Running"].index)
    assert {"headline", "video", "form"} <= {row[1] for row in rows if "Needs" in row[0]}
    for _, name, goal, _, value, interval, number, age, _ in rows:
        found = figures_of_results[name]
        headline = found["headline"]
        assert number == f"{sum(each['visitors'] for each in found['participants']):,.0f}"
        if value:
            subject = goal.split(": ")[0]
            verdicts = {each["goal"]: each["verdict"] for each in found["goals"]}
            assert subject == headline["goal"] or verdicts[subject]["kind"] == "harmed"
            lift = verdicts[subject]["lift"]
            assert written(value) == [pytest.approx(lift["value"], rel=0.05)]
            assert written(interval) == [
                pytest.approx(end, rel=0.05)
                for end in (lift["low"], lift["high"])
                if end is not None
            ]
        assert (age == "today") == (name == YOUNGEST)
    for row in reader.locator("#experiments tbody tr").all():
        found = figures_of_results[row.locator("th").inner_text()]
        sentence = row.locator(".brief").get_attribute("title") or ""
        assert found["headline"]["sentence"] in sentence
        assert all(doubt in sentence for doubt in found["doubts"])
        started = row.locator("td[data-label=age]").get_attribute("title") or ""
        assert started.endswith(", today") or started.startswith("2026-09-21, ")


@pytest.mark.parametrize("name", SIMULATED)
def test_an_experiments_page_says_what_gimel_results_says(
    name: str,
    dashboard: Served,
    reader: Page,
    figures_of_results: dict[str, Any],
) -> None:
    """Every goal's counts, intervals and verdict are on it, and those for one look on request."""
    found = figures_of_results[name]
    reader.goto(address(dashboard, "/experiment", name=name))
    assert "for one look" not in reader.inner_text("main")
    open_all(reader)
    text = reader.inner_text("main")

    assert reader.get_by_role("heading", level=1).inner_text() == name
    assert all(doubt in text for doubt in found["doubts"])
    assert found["split"]["mismatch"] or found["headline"]["sentence"] in text
    for goal in found["goals"]:
        if not goal["is_conversion"]:
            shown = {
                row[0]: row[3] for row in cells(reader, f"Goals per visitor of {goal['goal']}")
            }
            assert shown == {
                each["variant"]: f"{each['per_visitor']:.2f}" for each in goal["variants"]
            }
            continue
        assert found["split"]["mismatch"] or goal["verdict"]["sentence"] in text
        assert_lifts_are_shown(reader, found, goal)
        assert_details_are_shown(reader, found, goal)


def open_all(reader: Page) -> None:
    """Open everything that is closed, by clicks."""
    while (closed := reader.locator("details:not([open]) > summary:visible")).count():
        closed.first.click()


def marked(found: dict[str, Any], variant: str) -> str:
    """Return the name of a variant in a table."""
    if variant != found["control"] or variant == "control" or len(found["participants"]) == 1:
        return variant
    return f"{variant} (control?)" if found["control_is_guess"] else f"{variant} (control)"


def written(interval: str) -> list[float]:
    """Return the numbers of an interval, as shares of 1."""
    plain = interval.replace("\u2212", "-")
    return [float(number) / 100 for number in re.findall(r"[-+]?[\d.]+", plain)]


def assert_lifts_are_shown(reader: Page, found: dict[str, Any], goal: dict[str, Any]) -> None:
    """Counts, rate and lift of each variant are in the table, one lift is in the goal's row."""
    rows = {
        row[0]: row[1:] for row in cells(reader, f"{goal['goal']}: lift over {found['control']}")
    }
    details = reader.locator(".goal").filter(
        has=reader.locator("summary strong", has_text=re.compile(f"^{re.escape(goal['goal'])}$"))
    )
    first = details.locator("summary").first
    row = [first.locator(".value").inner_text(), first.locator(".interval-text").inner_text()]
    lifts = []
    for each in goal["variants"]:
        visitors, conversions, rate, value, interval = rows[marked(found, each["variant"])][:5]
        assert (visitors, conversions) == (
            f"{each['visitors']:,.0f}",
            f"{each['conversions']:,.0f}",
        )
        assert float(rate) == pytest.approx(100 * each["rate"], abs=0.06)
        lift = each["lift"]
        if lift is None or lift["value"] is None:
            assert value == "-"
            continue
        assert written(value) == [pytest.approx(lift["value"], rel=0.05)]
        ends = [end for end in (lift["low"], lift["high"]) if end is not None]
        assert written(interval) == [pytest.approx(end, rel=0.05) for end in ends]
        lifts.append([value, interval])
    assert [re.sub(r"%|\s+(better|worse)$", "", text) for text in row] in (lifts or [["", ""]])


def assert_details_are_shown(reader: Page, found: dict[str, Any], goal: dict[str, Any]) -> None:
    """The figures for one look are in tables, and each rate has its strip."""
    rates = {row[0]: row[1:] for row in cells(reader, f"{goal['goal']}: rates, for one look")}
    caption = f"{goal['goal']}: comparison with {found['control']}, for one look"
    comparisons = {row[0]: row[1:] for row in cells(reader, caption)}
    for each in goal["variants"]:
        details = each["details"]
        rate, interval, *_ = rates[marked(found, each["variant"])]
        assert written(f"{rate} {interval}") == [
            pytest.approx(end, abs=0.0006) for end in details["rate"].values()
        ]
        if each["is_control"]:
            continue
        difference, lift, _, _ = comparisons[each["variant"]]
        assert written(difference) == [
            pytest.approx(end, abs=0.0006) for end in details["difference"].values()
        ]
        if details["lift"]:
            assert written(lift) == [
                pytest.approx(end, abs=0.006) for end in details["lift"].values()
            ]


def test_doubts_come_before_any_table(dashboard: Served, reader: Page) -> None:
    """Lost events, a goal that is not a conversion, and ignored events, without opening them."""
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
    assert page.locator(".goal > summary strong").all_inner_texts() == ["sign up"]
    assert "control: red" in page.inner_text(".facts")
    assert page.get_by_label("Confidence").input_value() == "0.99"
    assert "99% interval" in page.inner_text("main")
    assert "for one look" not in page.inner_text("main")
    page.locator(".statistics > summary").press("Enter")
    assert "sign up: comparison with red, for one look" in page.inner_text("main")
