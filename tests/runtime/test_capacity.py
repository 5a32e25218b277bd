"""Reading and deleting at the default limits, in the memory that the functions have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from benchmarks.competitors import THIS, Command, Usage, call, empty_store, fill, setups
from benchmarks.reading import MIB, Content
from tests.support.events import rest

COUNTERS = 20_000
LONGEST = "\N{GRINNING FACE}" * 195  # and a number of five digits


def ordinary_names() -> Iterator[Command]:
    """List COUNTERS counters of precision 16 in one namespace."""
    for command in Content("alephbet", COUNTERS // 10, 16).commands():
        if command[0] != "PFADD":  # a missing key is read as 0, like any other
            yield command


def longest_names() -> Iterator[Command]:
    """List COUNTERS counters whose names are as long as an event's may be."""
    for number in range(COUNTERS):
        experiment = f"{LONGEST}{number // 1000:05}"
        counter = (
            f"alephbet:counters:{experiment}:{LONGEST}{number:05}:{LONGEST}{number % 2:05}::16"
        )
        yield "SADD", "alephbet:experiments", experiment
        yield "SADD", "alephbet:counter_keys", counter
        yield "SADD", f"alephbet:{experiment}:counter_keys", counter


@pytest.mark.parametrize(
    ("commands", "experiment", "most"),
    [
        pytest.param(ordinary_names, "experiment-0", 100 * MIB, id="ordinary names"),
        # Half of what the functions have by default, for awslambdaric and the answer's copies.
        pytest.param(longest_names, f"{LONGEST}00000", 128 * MIB, id="longest names"),
    ],
)
def test_memory(commands: Callable[[], Iterator[Command]], experiment: str, most: int) -> None:
    """A process that reads everything once, or deletes an experiment, stays small."""
    setup = setups()[-1]

    def usage(handler: str, method: str, **query: str) -> Usage:
        return call(THIS, handler, rest(method, query), [{}], store, setup, warm=False)

    with empty_store() as store:
        fill(store, commands())
        assert usage("all", "GET", namespace="alephbet").peak_memory < most
        assert usage("delete", "DELETE", experiment=experiment).peak_memory < most
