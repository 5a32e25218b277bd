"""The recorded calls, from which the tests of faults and kills are made, are true."""

from __future__ import annotations

import pytest

from tests.support import recorded_calls
from tests.support.account import Account
from tests.support.journeys import JOURNEYS, calls_of
from tests.support.proxy import AwsProxy


@pytest.mark.parametrize("name", JOURNEYS)
def test_each_journey_makes_its_recorded_calls(
    unprepared: Account, proxy: AwsProxy, name: str
) -> None:
    """In this order. Otherwise `python -m tests.support.journeys` records them again."""
    assert calls_of(JOURNEYS[name], unprepared, proxy) == recorded_calls.recorded()[name]


def test_the_records_are_of_these_journeys() -> None:
    """Neither more nor fewer."""
    assert list(recorded_calls.recorded()) == list(JOURNEYS)
