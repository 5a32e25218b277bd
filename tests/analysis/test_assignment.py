"""The assignment of gimel.js is fair, and independent between experiments."""

from __future__ import annotations

import itertools

import numpy
import numpy.typing
import pytest
import scipy

import gimel
from gimel.page import assignment

Shares = numpy.typing.NDArray[numpy.float64]


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
        assert scipy.stats.chisquare(numpy.bincount(places), expected).pvalue > 0.001


def test_twenty_experiments_are_independent_of_each_other() -> None:
    """So are whether visitors are in a sample and which variant they get. 200,000 visitors."""
    names = [f"experiment {number}" for number in range(20)]
    buckets = [(shares(name, 200_000) * 3).astype(int) for name in names]
    buckets.append((shares(names[0], 200_000, assignment.SAMPLE) * 3).astype(int))
    lowest = 1.0
    for one, other in itertools.combinations(buckets, 2):
        table = numpy.bincount(one * 3 + other, minlength=9).reshape(3, 3)
        lowest = min(lowest, scipy.stats.chi2_contingency(table).pvalue)

    assert lowest > 0.01 / 210
