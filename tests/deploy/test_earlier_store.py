"""Which version of the function that takes snapshots reaches the store of an earlier deploy."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.desired import FunctionConfiguration
from gimel.deploy.earlier_store import snapshot_version
from gimel.deploy.history import Entry, History
from gimel.deploy.resources.observed_function import ObservedFunction, Version
from gimel.errors import GimelError

HISTORY = History((Entry(7, 4), Entry(5, 3), Entry(2, 1)))


def version(number: int, handler: str = "gimel.snapshot", **redis: Any) -> Version:
    settings = json.dumps({"redis": redis})
    configuration = FunctionConfiguration(
        handler=handler,
        runtime="python3.13",
        architecture="arm64",
        memory=256,
        timeout=900,
        subnets=(),
        security_groups=(),
        settings=settings,
        code_sha256="",
    )
    return Version(number, configuration)


SNAPSHOT = ObservedFunction(
    "gimel-snapshot",
    "role",
    version(4, host="new.example.com"),
    (version(4, host="new.example.com"), version(3, iam="gimel"), version(1, host="old", port=7)),
    history=HISTORY,
)
TRACK = replace(SNAPSHOT, name="gimel-track", versions=(version(3, "gimel.track", iam="gimel"),))


@pytest.mark.parametrize("deploy", [5, 6])
def test_the_version_that_a_deploy_left_live(deploy: int) -> None:
    """Also where that deploy did not change the function."""
    assert snapshot_version([TRACK, SNAPSHOT], deploy) == ("gimel-snapshot", "3")


@pytest.mark.parametrize(
    ("functions", "deploy", "message"),
    [
        ([SNAPSHOT], 7, "Deploy 7 counted in the Redis at new.example.com:6379. Pass its URL"),
        ([SNAPSHOT], 2, "Deploy 2 counted in the Redis at old:7. Pass its URL with --redis"),
        ([SNAPSHOT], 1, "What took snapshots after deploy 1 is no longer kept"),
        ([TRACK], 5, "What took snapshots after deploy 5 is no longer kept"),
        ([TRACK, SNAPSHOT], 8, "Deploy 8 does not exist. The newest is 7."),
        ([], 5, "no longer kept"),
    ],
)
def test_what_cannot_be_reached_is_said(
    functions: list[ObservedFunction], deploy: int, message: str
) -> None:
    """A Redis that `gimel deploy` did not create has an address of its owner's."""
    with pytest.raises(GimelError) as error:
        snapshot_version(functions, deploy)
    assert message in str(error.value)
