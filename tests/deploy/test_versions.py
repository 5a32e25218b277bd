"""Which versions of a function are left after many deploys, one after the other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.state.after import after
from tests.support.state.cases import planned
from tests.support.state.cloud import (
    FUNCTIONS,
    TRACK,
    WITH_ROUTES,
    State,
)
from tests.support.state.deviations import change_function, deviate
from tests.support.state.settled import left_by_1_5_0, settled


def deploy(there: State, *memory: int) -> State:
    """Deploy all functions with each of these sizes in turn."""
    for each in memory:
        document: dict[str, Any] = {"functions": {name: {"memory": each} for name in FUNCTIONS}}
        there = after(there, planned(there, aws=document))
    return there


def versions(there: State, name: str = TRACK) -> tuple[list[int], int | None]:
    """Return the versions of a function, and which one is live."""
    return sorted(there.functions[name].versions), there.functions[name].live


@pytest.mark.parametrize(
    ("deploys", "left"), [(0, [1]), (3, [1, 2, 3, 4]), (4, [1, 2, 3, 4, 5]), (6, [3, 4, 5, 6, 7])]
)
def test_the_last_five_versions_are_kept(deploys: int, left: list[int]) -> None:
    """The newest one is live."""
    there = deploy(settled(), *range(160, 160 + deploys))

    for name in FUNCTIONS:
        assert versions(there, name) == (left, left[-1])


def test_the_live_version_is_kept_however_old() -> None:
    """It goes when no rollback leads to it any more."""
    there = deploy(settled(), 160, 192, 224, 256, 288, 320)
    there = deviate(there, change_function(TRACK, live=3))

    there = deploy(there, 352)

    assert versions(there) == ([3, 4, 5, 6, 8], 8)
    assert versions(deploy(there, 384, 416, 448, 480)) == ([8, 9, 10, 11, 12], 12)


def test_a_version_that_was_used_again_is_kept_while_a_rollback_leads_to_it() -> None:
    """It has the lowest number, and is not the oldest to have been live."""
    there = deploy(settled(), 160, 192, 128, 224, 256, 288)

    assert versions(there) == ([1, 3, 4, 5, 6], 6)


def test_a_version_that_somebodys_alias_points_to_is_kept() -> None:
    """Beside the five."""
    there = deviate(settled(), change_function(TRACK, theirs=frozenset({1})))

    assert versions(deploy(there, 160, 192, 224, 256, 288, 320)) == ([1, 3, 4, 5, 6, 7], 7)


def test_a_version_of_1_5_0_goes_in_its_turn() -> None:
    """It and the takeover's are the oldest of six."""
    there = left_by_1_5_0()

    there = deploy(after(there, planned(there)), 160, 192, 224, 288, 320)

    for name in WITH_ROUTES:
        assert versions(there, name) == ([3, 4, 5, 6, 7], 7)


def test_a_deploy_after_a_rollback_goes_forward_without_a_new_version() -> None:
    """What the configuration asks for is published already."""
    there = deploy(settled(), 256)
    rolled_back = deviate(there, *(change_function(name, live=1) for name in FUNCTIONS))

    assert deploy(rolled_back, 256) == there
