"""Warnings of configured paths and names that the filter lists of ad blockers match."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.deploy.checks.ad_blockers import check_ad_blockers
from tests.support.configurations import OWN_FUNCTION, TRACK, URL
from tests.support.state.settled import configuration


def wired(path: str, *methods: str) -> list[dict[str, Any]]:
    """Return entries of extra_wiring that lead a path to gimel-track."""
    return [
        {"lambda": TRACK, "api_gateway": {"pathPart": path, "method": {"httpMethod": method}}}
        for method in methods
    ]


def found(**document: Any) -> dict[str, str]:
    """Return the names of the warnings, with their messages."""
    findings = list(check_ad_blockers(configuration(**document)))
    assert {each.status for each in findings} <= {"warning"}
    assert all(each.hint for each in findings)
    return {each.name: each.message for each in findings}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"extra_wiring": wired("g", "GET", "POST")},
        {"extra_wiring": wired("track", "GET")},
        {"extra_wiring": wired("hitcount", "POST")},
        {"extra_wiring": [URL]},
        {
            "extra_wiring": [
                {
                    **OWN_FUNCTION,
                    "api_gateway": {"pathPart": "ping", "method": {"httpMethod": "GET"}},
                }
            ]
        },
        {"allowed_namespaces": ["shop"], "experiments": {"buy button": {"goal": "buy"}}},
    ],
    ids=["defaults", "neutral path", "1.5.0's path", "POST", "URL", "results", "names"],
)
def test_what_no_rule_matches_is_no_warning(document: dict[str, Any]) -> None:
    """Nor is Gimel's own /track, which stays for 1.5.0's pages. Pages do not ask for results."""
    assert found(**document) == {}


@pytest.mark.parametrize(
    ("entries", "path", "cause"),
    [
        (wired("hitcount", "GET"), "/hitcount", "with a query"),
        (wired("hitcount", "GET", "POST"), "/hitcount", "with a query"),
        (wired("hitcount", "ANY"), "/hitcount", "with a query"),
        (wired("pingback", "GET", "POST"), "/pingback", "without a query"),
        (wired("vtrack", "GET", "POST"), "/vtrack", "all requests"),
        (wired("vtrack", "POST"), "/vtrack", "without a query"),
    ],
)
def test_a_configured_path_that_is_blocked_is_a_warning(
    entries: list[dict[str, Any]], path: str, cause: str
) -> None:
    """One for each path, which says which of its requests are blocked."""
    (warned,) = found(extra_wiring=entries).items()

    assert warned[0] == path
    assert cause in warned[1]


def test_a_configured_name_that_is_blocked_is_a_warning() -> None:
    """It may name a namespace, an experiment, a variant or a goal; each is reported once."""
    warned = found(
        allowed_namespaces=["shop", "new_728x90_ads"],
        allowed_experiments=["new-cookie-notice-text"],
        experiments={
            "new-cookie-notice-text": {
                "control": "a",
                "weights": {"a": 1, "top-468x60-b": 1},
                "goal": "accept",
                "guardrails": ["see_300x250_ad"],
                "decrease": ["see_300x250_ad"],
            }
        },
    )

    assert list(warned) == [
        'name "new_728x90_ads"',
        'name "new-cookie-notice-text"',
        'name "top-468x60-b"',
        'name "see_300x250_ad"',
    ]
    assert '"_728x90_"' in warned['name "new_728x90_ads"']
