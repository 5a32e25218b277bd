"""What `gimel status --check` finds about the parts of a deployment."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gimel.deploy.checks.health import check_live
from gimel.deploy.outputs import Outputs
from tests.support.state.cloud import SNAPSHOT, TRACK
from tests.support.state.deviations import Deviation, change_function, change_rule, deviate
from tests.support.state.seen import seen
from tests.support.state.settled import settled

REACHED = Outputs((), "key")


def findings(*deviations: Deviation, reached: Outputs | None = REACHED) -> dict[str, str]:
    """Return the name and status of what is not ok."""
    found = check_live(seen(deviate(settled(), *deviations)), reached)
    return {each.name: each.status for each in found if each.status != "ok"}


def test_a_settled_deployment_is_healthy() -> None:
    """Everything is ok."""
    assert findings() == {}


@pytest.mark.parametrize(
    ("deviations", "expected"),
    [
        ([change_function(TRACK, live=None)], {TRACK: "failed"}),
        ([change_rule(SNAPSHOT, is_enabled=False)], {"snapshots": "warning"}),
    ],
    ids=["no live version", "snapshots off"],
)
def test_what_does_not_work_is_named(
    deviations: Sequence[Deviation], expected: dict[str, str]
) -> None:
    """A snapshot that is off is a warning: events are still counted."""
    assert findings(*deviations) == expected


def test_a_missing_rest_api_is_a_failure() -> None:
    """Nobody can send events."""
    assert findings(reached=None) == {"REST API": "failed"}
