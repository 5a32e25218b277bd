"""Small crowds in Chromium. `python -m benchmarks.reliability crowds` drives large ones.

tests/system/browser/test_client.py has the other cases, with a visitor each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from gimel.analysis.counts import Count
from tests.faults.crowd import CLIENTS, Client, Outcome, Town, town
from tests.faults.crowd_cases import CASES

GIMEL_JS, ALEPHBET = CLIENTS
FEW = 2


@pytest.fixture(scope="module")
def running() -> Iterator[Town]:
    with town() as found:
        yield found


@pytest.mark.parametrize(
    ("client", "case"),
    [(GIMEL_JS, "equal variants"), (GIMEL_JS, "store killed"), (ALEPHBET, "equal variants")],
    ids=lambda each: each.name if isinstance(each, Client) else each,
)
def test_counts_equal_what_visitors_did(running: Town, client: Client, case: str) -> None:
    """Whatever happens to the browser, the store or the page."""
    outcome = CASES[case](running, client, FEW)

    assert outcome.all_problems() == []
    assert outcome.events >= FEW


def outcome(did: int, counted: float, precision: str = "256") -> Outcome:
    found = Count.from_parts({precision: counted})
    return Outcome(
        "a client", "a case", did, did, {"buy": Counter({"red": did})}, {"buy": {"red": found}}
    )


@pytest.mark.parametrize(
    ("did", "counted", "precision", "problems"),
    [
        (100, 100.0, "256", []),
        (100, 99.0, "256", []),
        (100, 98.0, "256", ["100 did buy in red, 98.0 were counted"]),
        (2000, 1997.0, "256", []),
        (2000, 1995.0, "256", ["2,000 did buy in red, 1,995.0 were counted"]),
        (2000, 1990.0, "16", []),
        (2000, 3845.0, "16", ["2,000 did buy in red, 3,845.0 were counted"]),
        (0, 2.0, "256", ["0 did buy in red, 2.0 were counted"]),
        (2, 0.0, "256", ["2 did buy in red, 0.0 were counted"]),
    ],
)
def test_a_difference_beyond_the_counting_error_is_a_problem(
    did: int, counted: float, precision: str, problems: list[str]
) -> None:
    """Two visitors may share a register, and four standard errors are noise."""
    assert outcome(did, counted, precision).all_problems() == problems


def test_many_small_differences_are_a_problem() -> None:
    """One visitor may be lost by chance, but not one of each variant under each goal."""
    did = {goal: Counter({"blue": 100, "red": 100}) for goal in ("buy", "look")}
    counts = {goal: {name: Count(99.0) for name in ("blue", "red")} for goal in ("buy", "look")}

    found = Outcome("a client", "a case", 200, 200, did, counts)

    assert found.all_problems() == ["400 did all events in all variants, 396.0 were counted"]
