"""`gimel.assign` gives the variants that gimel.js shows. tests/analysis tests that it is fair."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

import gimel
from gimel.page import assignment, client
from tests.page.node import run_node

EXPERIMENTS: dict[str, dict[str, float]] = {
    "buy button colour": {"blue": 1, "red": 1},
    "Überschrift": {"c": 1, "b": 1, "a": 2},
    "ボタン": {"old": 0.4, "new": 0.35, "newer": 0.25, "never": 0},
    "emoji 😀": {"1": 1, "10": 1, "2": 1, "grün": 1, "\uff5e": 0.1, "😀": 0.3},
    "a:b%c": {"a": 2, "b": 1},
}
"""Splits whose order or sum depends on how a language sorts and adds."""

FORMS = ("{}", "user-{}", "é{}", "訪問者{}", "{}@example.com", "😀{}😀")
VISITORS = [form.format(n) for n, form in zip(range(100_000), itertools.cycle(FORMS), strict=False)]


def in_javascript(source: str) -> Any:
    """Evaluate JavaScript in node, where `gimel`, `ids` and `splits` exist; return the value."""
    known = f"const ids = {json.dumps(VISITORS)}, splits = {json.dumps(EXPERIMENTS)};"
    return run_node(f"{client.script()}{known}console.log(JSON.stringify({source}));")


def test_python_and_javascript_agree_on_the_variant() -> None:
    """For 100,000 ids, names that are not ASCII, and weights that are not whole numbers."""
    found = in_javascript(
        "ids.map((id, n) => {"
        "  const [name, weights] = Object.entries(splits)[n % 5];"
        "  return gimel.assign(name, id, weights);"
        "})"
    )

    expected = [
        gimel.assign(name, visitor, weights)
        for visitor, (name, weights) in zip(
            VISITORS, itertools.cycle(EXPERIMENTS.items()), strict=False
        )
    ]
    assert found == expected
    assert set(found) == {name for split in EXPERIMENTS.values() for name in split} - {"never"}


def test_the_assignment_of_a_release_is_kept() -> None:
    """A changed hash would give the visitors of running experiments other variants."""
    split = {"a": 1, "b": 1, "c": 1}

    assert [gimel.assign("button", f"v{n}", split) for n in range(12)] == list("bcabccacbabc")
    assert (
        assignment.event_uuid("shop", "button", "buy", "v1")
        == "e80bf08f-7f6288c4-9e448aca-37b731bc"
    )


def test_the_order_of_the_variants_does_not_matter() -> None:
    """To list them in another order moves no visitor."""
    for visitor in VISITORS[:200]:
        assert gimel.assign("e", visitor, {"a": 1, "b": 2}) == gimel.assign(
            "e", visitor, {"b": 2, "a": 1}
        )


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"a": 0},
        {"a": -1, "b": 2},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": 1e308, "b": 1e308},
    ],
    ids=str,
)
def test_weights_that_cannot_be_are_refused(weights: dict[str, float]) -> None:
    """Negative, infinite, or all zero."""
    with pytest.raises(ValueError, match="weight"):
        gimel.assign("e", "visitor", weights)
