"""Redis' HyperLogLog in NumPy: what PFADD writes, what PFCOUNT answers, and samples of its error.

`registers` and `pfcount` repeat the server's arithmetic, which
tests/analysis/test_counting_error.py compares with a real server. The samplers draw from the same
distribution without hashing a million uuids for each repetition. Nothing here knows about
statistics.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gimel.runtime.hyperloglog import REGISTERS as REGISTERS
from gimel.runtime.hyperloglog import unrounded

RANKS = 52  # the values of a register: 0 (unused) to 51
ALPHA = 0.5 / math.log(2)
SEED = 0xADC83B19

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def murmur64a(elements: list[bytes]) -> NDArray[np.uint64]:
    """Hash elements of one length as Redis does: MurmurHash64A (Austin Appleby), with SEED."""
    length = len(elements[0])
    blocks, tail = divmod(length, 8)
    multiplier, shift = np.uint64(0xC6A4A7935BD1E995), np.uint64(47)
    padded = np.zeros((len(elements), 8 * (blocks + 1)), dtype=np.uint8)
    padded[:, :length] = np.frombuffer(b"".join(elements), dtype=np.uint8).reshape(
        len(elements), length
    )
    words: NDArray[np.uint64] = padded.view("<u8")
    with np.errstate(over="ignore"):
        hashed: NDArray[np.uint64] = np.full(len(elements), SEED, dtype=np.uint64)
        hashed = hashed ^ (np.uint64(length) * multiplier)
        for block in range(blocks):
            word = words[:, block] * multiplier
            word = (word ^ (word >> shift)) * multiplier
            hashed = (hashed ^ word) * multiplier
        if tail:
            hashed = (hashed ^ words[:, blocks]) * multiplier
        hashed = (hashed ^ (hashed >> shift)) * multiplier
        hashed ^= hashed >> shift
        return hashed


def positions(hashes: NDArray[np.uint64]) -> tuple[Integers, NDArray[np.uint8]]:
    """Return for each hash its register (the 14 low bits) and its rank there (1 to 51)."""
    rest = (hashes >> np.uint64(14)) | np.uint64(1 << 50)
    lowest = rest & (~rest + np.uint64(1))
    ranks = np.frexp(lowest.astype(np.float64))[1].astype(np.uint8)
    return (hashes & np.uint64(REGISTERS - 1)).astype(np.int64), ranks


def registers(hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return the 16,384 registers after a PFADD of every element."""
    result = np.zeros(REGISTERS, dtype=np.uint8)
    np.maximum.at(result, *positions(hashes))
    return result


def histogram(values: NDArray[np.uint8]) -> Integers:
    """Return how many registers have the values 0, 1, ... 51."""
    return np.bincount(values, minlength=RANKS)


def estimate(histograms: Integers) -> Floats:
    """Return the cardinality before rounding (Ertl 2017, algorithm 6).

    The last axis of `histograms` is that of the registers' values.
    """
    counts = np.asarray(histograms, dtype=np.float64)
    z = REGISTERS * _tau(1 - counts[..., -1] / REGISTERS)
    for rank in range(RANKS - 2, 0, -1):
        z = 0.5 * (z + counts[..., rank])
    with np.errstate(divide="ignore"):
        return ALPHA * REGISTERS * REGISTERS / (z + REGISTERS * _sigma(counts[..., 0] / REGISTERS))


def pfcount(histograms: Integers) -> Integers:
    """Return what PFCOUNT answers: the estimate rounded to a whole number."""
    rounded: Integers = np.floor(estimate(histograms) + 0.5).astype(np.int64)
    return rounded


UNROUNDED = np.array([unrounded(count) for count in range(2000)])


def corrected(counts: Integers) -> Floats:
    """Return `gimel.runtime.hyperloglog.unrounded` of every count."""
    return np.where(
        counts < len(UNROUNDED), UNROUNDED[np.minimum(counts, len(UNROUNDED) - 1)], counts
    )


def sample_errors(
    rng: np.random.Generator, size: int, elements: float
) -> tuple[Integers, Integers]:
    """Draw `size` independent HyperLogLogs of Poisson(elements) distinct elements.

    Return (true counts, PFCOUNTs). A register with b elements has a value of at most r with
    probability (1 - 2^-r)^b. The numbers of registers with each (b, r) are drawn at once, from one
    multinomial over a few hundred cells. They are distributed as if the elements had been hashed.
    """
    mean = elements / REGISTERS
    hits = np.arange(int(mean + 12 * math.sqrt(mean) + 14))
    logs = hits * math.log(mean) - mean - np.array([math.lgamma(hit + 1) for hit in hits])
    ranks = np.arange(RANKS)
    at_most = np.where(ranks == RANKS - 1, 1.0, 1 - 0.5**ranks)[None, :] ** hits[:, None]
    joint = np.exp(logs)[:, None] * np.diff(at_most, axis=1, prepend=0.0)
    likely = joint > 1e-16
    hit_of, rank_of = (
        np.broadcast_to(hits[:, None], joint.shape)[likely],
        np.broadcast_to(ranks, joint.shape)[likely],
    )
    order = np.argsort(-joint[likely])
    cells = joint[likely][order] / joint[likely].sum()
    onehot = np.eye(RANKS)[rank_of[order]]
    true, counted = np.empty(size, np.int64), np.empty(size, np.int64)
    for start in range(0, size, 500):
        drawn = rng.multinomial(REGISTERS, cells, size=min(500, size - start)).astype(np.float64)
        true[start : start + 500] = drawn @ hit_of[order]
        counted[start : start + 500] = pfcount((drawn @ onehot).astype(np.int64))
    return true, counted


def sample_subset(
    rng: np.random.Generator, size: int, elements: float, share: float
) -> tuple[Integers, Integers]:
    """Draw `size` pairs of HyperLogLogs with the same uuids.

    One has Poisson(elements) visitors, the other the `share` of them that converted. Return
    (PFCOUNTs of the visitors, PFCOUNTs of the converted ones).
    """
    ranks = np.arange(RANKS)
    some = np.exp(-elements * share / REGISTERS * np.where(ranks == RANKS - 1, 0.0, 0.5**ranks))
    rest = np.exp(
        -elements * (1 - share) / REGISTERS * np.where(ranks == RANKS - 1, 0.0, 0.5**ranks)
    )
    at_most = some[np.minimum(ranks[:, None], ranks[None, :])] * rest[None, :]
    joint = np.diff(np.diff(at_most, axis=0, prepend=0.0), axis=1, prepend=0.0)
    converted_of, visitors_of = np.nonzero(joint > 1e-16)
    cells = joint[joint > 1e-16]
    order = np.argsort(-cells)
    counts = np.empty((2, size), np.int64)
    for start in range(0, size, 500):
        drawn = rng.multinomial(
            REGISTERS, cells[order] / cells.sum(), size=min(500, size - start)
        ).astype(np.float64)
        for which, rank_of in enumerate((visitors_of, converted_of)):
            counts[which, start : start + 500] = pfcount(
                (drawn @ np.eye(RANKS)[rank_of[order]]).astype(np.int64)
            )
    return counts[0], counts[1]


def sample_path(rng: np.random.Generator, arrivals: Integers) -> Integers:
    """Return a HyperLogLog's PFCOUNT at the end of each day, with `arrivals[day]` new elements."""
    values = np.zeros(REGISTERS, dtype=np.uint8)
    index, ranks = positions(rng.integers(0, 2**64, size=int(arrivals.sum()), dtype=np.uint64))
    ends = np.cumsum(arrivals)
    histograms = np.empty((len(arrivals), RANKS), dtype=np.int64)
    for day, (start, end) in enumerate(zip(ends - arrivals, ends, strict=True)):
        np.maximum.at(values, index[start:end], ranks[start:end])
        histograms[day] = histogram(values)
    return pfcount(histograms)


def _sigma(x: Floats) -> Floats:
    """Return Ertl's sigma, which is infinite at 1 (an empty HyperLogLog)."""
    x = np.asarray(x, dtype=np.float64)
    empty = x == 1
    power, scale = np.where(empty, 0.0, x), 1.0
    total = power.copy()
    while True:
        power = power * power
        following = total + power * scale
        scale += scale
        if np.array_equal(following, total):
            return np.where(empty, np.inf, total)
        total = following


def _tau(x: Floats) -> Floats:
    """Return Ertl's tau, which is zero at 0 and 1."""
    x = np.asarray(x, dtype=np.float64)
    edge = (x == 0) | (x == 1)
    root, scale = np.where(edge, 1.0, x), 1.0
    total = 1 - root
    while True:
        root = np.sqrt(root)
        scale *= 0.5
        following = total - (1 - root) ** 2 * scale
        if np.array_equal(following, total):
            return np.where(edge, 0.0, total / 3)
        total = following
