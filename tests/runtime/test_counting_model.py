"""The model of counting: its invariants hold, and each protection of the protocol is needed."""

from __future__ import annotations

import pytest

from tests.runtime.counting_model import SCENARIOS, explore
from tests.support.counting_protocol import PROTECTIONS

NEEDED_IN = {
    "a known counter's mark is read after PFADD": "a known event and a delete",
    "marks are found only with their names": "a known event and a delete",
    "limits": "at the limit",
    "since is written before the name": "two events of a new counter",
    "another precision is noticed": "two precisions",
    "an older experiment has a counter": "a new event of precision 1 and a delete",
    "events look again": "a known event and a delete",
    "leftovers are recorded": "at the limit, a known event and a delete",
    "a delete records its counters": "a known event and a delete",
    "each delete has a token": "at the limit, a known event and a delete",
    "marks are removed before data": "a known event and a delete",
    "the namespace is put back": "another experiment and a delete",
    "deletes look again": "a known event and a delete",
    "events look for a conclusion": "a new event and a conclusion",
    "a late registration is withdrawn": "a new event and a conclusion",
    "a conclusion looks again": "a conclusion and a mortal delete",
    "a reopening looks again": "a delete and a reopening",
    "a reopening ends as a delete does": "a delete and a reopening",
    "a name is put back after the marks": "a delete and a reopening",
}
"""A scenario in which an invariant breaks without the protection."""


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_invariants(scenario: str) -> None:
    """Whatever the interleaving, and whoever dies, every invariant holds in the end."""
    assert list(explore(SCENARIOS[scenario])) == []


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_protections(protection: str) -> None:
    """Without any one of the protections, some invariant breaks."""
    scenario = SCENARIOS[NEEDED_IN[protection]]

    assert next(explore(scenario, frozenset({protection})), None) is not None
