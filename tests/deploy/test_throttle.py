"""The API's throttle: the worst month that it allows, and the default that bounds it."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.deploy.cost import cost_of_flood
from gimel.deploy.throttle import cost_guard, cost_guard_at
from tests.support.configurations import LINKED, SECOND_PATH
from tests.support.state.settled import desired


@pytest.mark.parametrize(
    ("rate", "functions", "preflights", "dollars"),
    [
        # 2,678,400 requests in 31 days at one per second: $3.50 and $0.3733 per million.
        (1, 1, 0, 10.37),
        (1, 4, 0, 41.50),
        (1, 0, 4, 37.50),
        # 333 million at $3.50, 667 at $2.80, 1,678.4 at $2.38 and Lambda's $0.3733 for each.
        (1000, 1, 0, 8027.63),
        # 21,427 million: 19,000 at $2.38 and the rest at $1.51.
        (8000, 1, 0, 58_407.67),
    ],
)
def test_a_flood(rate: float, functions: int, preflights: int, dollars: float) -> None:
    """Checked by hand against AWS's price list, whose price per million falls in tiers."""
    flood = cost_of_flood(rate, [(128, "arm64")] * functions, preflights=preflights)

    assert flood == pytest.approx(dollars, abs=0.01)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"aws": {"functions": {"gimel-track": {"memory": 10_240}}, "architecture": "x86_64"}},
        {"extra_wiring": [SECOND_PATH]},
    ],
    ids=["defaults", "all memory", "another path"],
)
def test_the_default_allows_at_most_300_dollars(document: dict[str, Any]) -> None:
    """In a month in which every method that anybody can call is flooded."""
    dollars = cost_guard(desired(**document)).dollars

    assert dollars is not None
    assert 200 < dollars <= 300


def test_the_guard_in_words_and_as_json() -> None:
    """Four methods for events and the preflights of four paths."""
    guard = cost_guard(desired())

    assert list(guard.lines()) == [
        "Worst month that the throttle allows: about $237 (3 requests per second to each of 8 "
        "public methods)."
    ]
    assert guard.as_json() == {
        "rate": 3,
        "burst": 2000,
        "public_methods": 8,
        "worst_month_dollars": 236.98,
        "unthrottled_function_urls": [],
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Set aws.functions.linked.reserved_concurrency to limit what a month can cost."),
        # 267.84 million requests at $0.3733 per million.
        (
            {"aws": {"functions": {"linked": {"reserved_concurrency": 10}}}},
            "Its aws.functions.linked.reserved_concurrency allows 100 requests per second: about "
            "$100 in the worst month.",
        ),
    ],
)
def test_a_function_url_has_no_throttle(options: dict[str, Any], words: str) -> None:
    """The guard says so, and what limits it."""
    guard = cost_guard(desired(extra_wiring=[LINKED], **options))

    assert list(guard.lines())[1:] == [f"The function URL of linked has no throttle. {words}"]
    assert guard.as_json()["unthrottled_function_urls"] == ["linked"]


def test_a_stage_without_a_throttle() -> None:
    """As Gimel 1.5.0 leaves it."""
    guard = cost_guard_at(desired(), None, None)

    assert list(guard.lines()) == ["The API has no throttle: nothing limits what a month can cost."]
    assert guard.as_json()["worst_month_dollars"] is None
