"""`gimel.assign` is fair, independent between experiments, and the same in gimel.js."""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import Any

import numpy
import numpy.typing
import pytest
from scipy import stats

import gimel
from gimel.page import assignment, client
from tests.support.programs import program

Shares = numpy.typing.NDArray[numpy.float64]

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
    done = subprocess.run(
        [program("node"), "-"],
        input=f"{client.script()}{known}console.log(JSON.stringify({source}));",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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


def shares(experiment: str, number: int, lane: int = assignment.VARIANT) -> Shares:
    """Return the hash as a share of 1 for visitors whose ids are consecutive numbers."""
    digits = numpy.arange(number)[:, None] // 10 ** numpy.arange(6, -1, -1) % 10 + ord("0")
    state = numpy.full(number, assignment._hash(lane, experiment, ""), numpy.uint32)
    for column in digits.T.astype(numpy.uint32):
        state ^= column
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            state = (state ^ state >> numpy.uint32(shift)) * numpy.uint32(factor)
        state ^= state >> numpy.uint32(16)
    return state / 2**32


def test_the_vectors_below_hold_what_is_assigned() -> None:
    """They are calculated with numpy, for a million visitors at once."""
    ids = [f"{number:07}" for number in range(300)]
    variants = [gimel.assign("button", each, {"a": 1, "b": 3}) for each in ids]
    in_sample = [assignment.in_sample("button", each, 0.5) for each in ids]

    assert [variant == "a" for variant in variants] == list(shares("button", 300) < 0.25)
    assert in_sample == list(shares("button", 300, assignment.SAMPLE) < 0.5)


@pytest.mark.parametrize(
    "weights", [(1, 1), (1, 3), (1, 1, 1), (1, 2, 3, 4), (5, 1, 1, 1, 1)], ids=str
)
def test_a_million_visitors_are_split_by_the_weights(weights: tuple[int, ...]) -> None:
    """The chi-square test finds no deviation, in two experiments per split."""
    expected = numpy.array(weights) / sum(weights) * 1_000_000
    for number in range(2):
        places = numpy.searchsorted(
            numpy.cumsum(weights) / sum(weights), shares(f"e{number}", 1_000_000), side="right"
        )
        assert stats.chisquare(numpy.bincount(places), expected).pvalue > 0.001


def test_twenty_experiments_are_independent_of_each_other() -> None:
    """So are whether visitors are in a sample and which variant they get. 200,000 visitors."""
    names = [f"experiment {number}" for number in range(20)]
    buckets = [(shares(name, 200_000) * 3).astype(int) for name in names]
    buckets.append((shares(names[0], 200_000, assignment.SAMPLE) * 3).astype(int))
    lowest = 1.0
    for one, other in itertools.combinations(buckets, 2):
        table = numpy.bincount(one * 3 + other, minlength=9).reshape(3, 3)
        lowest = min(lowest, stats.chi2_contingency(table).pvalue)

    assert lowest > 0.01 / 210
