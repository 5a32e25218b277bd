"""While the store fails, no event is lost, and none is counted where it does not belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.drill import run
from tests.faults.outages import OUTAGES, Outage

EVENTS = 400


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: type(outage).__name__)
def test_an_outage_costs_no_event(outage: Outage, tmp_path: Path) -> None:
    """Clients that send an event until it gets a 200 lose none, and the store holds no other.

    No call outlasts its Lambda's time-out, and the first one after the outage is a 200.
    """
    assert run(outage, EVENTS, tmp_path).problems() == []
