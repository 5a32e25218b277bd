"""The plan for the functions: one deviation per row, and its steps."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.configurations import OWN_FUNCTION
from tests.support.state.cases import Case
from tests.support.state.cloud import ALL, DELETE, FUNCTIONS, HERE, LATEST, TRACK
from tests.support.state.deviations import (
    change_function,
    deploy_with,
    existing,
    publish,
    remove_function,
)
from tests.support.state.expected import step, steps
from tests.support.state.names import (
    AllowApi,
    CreateAlias,
    CreateFunction,
    DeleteFunction,
    DeleteLogGroup,
    DeleteResource,
    DeleteVersion,
    DeployApi,
    MoveAlias,
    PublishVersion,
    PutRolePolicy,
    ReserveConcurrency,
    TryVersions,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
)
from tests.support.state.settled import settled

OUR = "our-experiment"


def sized(memory: int, **more: Any) -> dict[str, Any]:
    """Return a configuration in which the tracking function has so many MB."""
    return {"aws": {"functions": {TRACK: {"memory": memory}}, **more}}


def reserving(**concurrency: int) -> dict[str, Any]:
    """Return a configuration in which these functions reserve concurrency: track=5."""
    names = {"track": TRACK, "all": ALL, "delete": DELETE}
    options = {names[name]: {"reserved_concurrency": each} for name, each in concurrency.items()}
    return {"aws": {"functions": options}}


TRIED = step(TryVersions)
NEW_VERSION = [
    step(PublishVersion, function=TRACK),
    TRIED,
    step(MoveAlias, function=TRACK, before=1, number=None),
]
CONFIGURED = [step(UpdateFunctionConfiguration, function=TRACK), *NEW_VERSION]
UPLOADED = [step(UpdateFunctionCode, function=TRACK), *NEW_VERSION]

FUNCTION = {
    "function deleted": Case(
        [
            step(CreateFunction, function=TRACK),
            TRIED,
            step(CreateAlias, function=TRACK, number=None),
            step(AllowApi, function=TRACK, replace=False),
        ],
        [remove_function(TRACK)],
    ),
    "another memory size": Case(CONFIGURED, [deploy_with(TRACK, memory=512)]),
    "another timeout": Case(CONFIGURED, [deploy_with(TRACK, timeout=60)]),
    "another handler": Case(CONFIGURED, [deploy_with(TRACK, handler="gimel.all")]),
    "another runtime": Case(CONFIGURED, [deploy_with(TRACK, runtime="python3.9")]),
    "other subnets": Case(CONFIGURED, [deploy_with(TRACK, subnets=("subnet-a1",))]),
    "other security groups": Case(CONFIGURED, [deploy_with(TRACK, security_groups=("sg-a1",))]),
    "other settings": Case(CONFIGURED, [deploy_with(TRACK, settings="{}")]),
    "no settings": Case(CONFIGURED, [deploy_with(TRACK, settings=None)]),
    "another role": Case(CONFIGURED, [deploy_with(TRACK, role=f"{HERE.role}-2")]),
    "other code": Case(UPLOADED, [deploy_with(TRACK, code_sha256="other")]),
    "another architecture": Case(UPLOADED, [deploy_with(TRACK, architecture="x86_64")]),
    "other code and memory": Case(
        [step(UpdateFunctionCode, function=TRACK), *CONFIGURED],
        [deploy_with(TRACK, code_sha256="other", memory=512)],
    ),
    "updated and not published": Case(
        NEW_VERSION,
        [
            deploy_with(TRACK, memory=512),
            change_function(TRACK, latest=existing(settled().functions[TRACK].serving)),
        ],
    ),
    "$LATEST changed by hand": Case(
        [],
        [change_function(TRACK, latest=existing(settled(**sized(512)).functions[TRACK].serving))],
    ),
    "new settings for all": Case(
        [
            *steps(UpdateFunctionConfiguration, "function", FUNCTIONS),
            *steps(PublishVersion, "function", FUNCTIONS),
            TRIED,
            *steps(MoveAlias, "function", FUNCTIONS, before=1, number=None),
        ],
        now={"precision": 64},
        before={},
    ),
    "a VPC wanted": Case(
        [
            step(PutRolePolicy, interim=False),
            *steps(UpdateFunctionConfiguration, "function", FUNCTIONS),
            *steps(PublishVersion, "function", FUNCTIONS),
            TRIED,
            *steps(MoveAlias, "function", FUNCTIONS),
        ],
        now={"aws": {"vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}}},
        before={},
    ),
    "the VPC no longer wanted": Case(
        [
            step(PutRolePolicy, interim=False),
            *steps(UpdateFunctionConfiguration, "function", FUNCTIONS),
            *steps(PublishVersion, "function", FUNCTIONS),
            TRIED,
            *steps(MoveAlias, "function", FUNCTIONS),
        ],
        now={},
        before={"aws": {"vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}}},
    ),
    "a function that left the wiring": Case(
        [
            step(DeleteResource, path="experiment"),
            step(DeployApi),
            step(DeleteFunction, function=OUR),
            step(DeleteLogGroup, function=OUR),
            step(PutRolePolicy, interim=False),
        ],
        now={},
        before={"extra_wiring": [OWN_FUNCTION]},
    ),
    "a function that left the wiring, deleted by hand": Case(
        [
            step(DeleteResource, path="experiment"),
            step(DeployApi),
            step(DeleteLogGroup, function=OUR),
            step(PutRolePolicy, interim=False),
        ],
        [remove_function(OUR)],
        now={},
        before={"extra_wiring": [OWN_FUNCTION]},
    ),
}

ALIAS = {
    "alias deleted": Case(
        [TRIED, step(CreateAlias, function=TRACK, number=1), step(AllowApi, function=TRACK)],
        [change_function(TRACK, live=None, callers=None)],
    ),
    "alias deleted, nothing fitting published": Case(
        [
            step(UpdateFunctionConfiguration, function=TRACK),
            step(PublishVersion, function=TRACK),
            TRIED,
            step(CreateAlias, function=TRACK, number=None),
            step(AllowApi, function=TRACK),
        ],
        [deploy_with(TRACK, memory=512), change_function(TRACK, live=None, callers=None)],
    ),
    "alias on $LATEST": Case(
        [TRIED, step(MoveAlias, function=TRACK, before=LATEST, number=1)],
        [change_function(TRACK, live=LATEST)],
    ),
    "alias rolled back": Case(
        [TRIED, step(MoveAlias, function=TRACK, before=1, number=2)],
        [publish(TRACK, 256, 128, live=1)],
    ),
    "alias on a newer version": Case(
        [TRIED, step(MoveAlias, function=TRACK, before=2, number=1)],
        [publish(TRACK, 128, 256, live=2)],
    ),
    "several versions fit": Case(
        [TRIED, step(MoveAlias, function=TRACK, before=2, number=3)],
        [publish(TRACK, 128, 256, 128, 512, live=2)],
    ),
    "an older version that fits is live": Case([], [publish(TRACK, 128, 256, 128, live=1)]),
}

SIZES = (160, 192, 224, 256, 288, 320, 352)

VERSIONS = {
    "four versions": Case(
        [*CONFIGURED[:3], step(MoveAlias, before=4)],
        [publish(TRACK, *SIZES[:4], live=4)],
    ),
    "five versions": Case(
        [step(DeleteVersion, function=TRACK, number=1), *CONFIGURED[:3], step(MoveAlias, before=5)],
        [publish(TRACK, *SIZES[:5], live=5)],
    ),
    "seven versions": Case(
        [
            *steps(DeleteVersion, "number", (1, 2, 3), function=TRACK),
            *CONFIGURED[:3],
            step(MoveAlias, before=7),
        ],
        [publish(TRACK, *SIZES, live=7)],
    ),
    "seven versions, an old one live": Case(
        [
            *steps(DeleteVersion, "number", (2, 3, 4), function=TRACK),
            *CONFIGURED[:3],
            step(MoveAlias, before=1),
        ],
        [publish(TRACK, *SIZES, live=1)],
    ),
    "seven versions, an old one with their alias": Case(
        [
            *steps(DeleteVersion, "number", (1, 3), function=TRACK),
            *CONFIGURED[:3],
            step(MoveAlias, before=7),
        ],
        [
            publish(TRACK, *SIZES, live=7),
            change_function(TRACK, theirs=frozenset({2})),
        ],
    ),
    "seven versions, and nothing to publish": Case([], [publish(TRACK, *SIZES[:6], 128, live=7)]),
}

CONCURRENCY = {
    "reserved": Case(
        [
            step(PutRolePolicy, interim=False),
            step(ReserveConcurrency, function=TRACK, concurrency=5),
        ],
        now=reserving(track=5),
        before={},
    ),
    "reserved more": Case(
        [step(ReserveConcurrency, function=TRACK, concurrency=9)],
        now=reserving(track=9),
        before=reserving(track=5),
    ),
    "reserved less": Case(
        [step(ReserveConcurrency, function=TRACK, concurrency=0)],
        now=reserving(track=0),
        before=reserving(track=5),
    ),
    "given back": Case(
        [
            step(ReserveConcurrency, function=TRACK, concurrency=None),
            step(PutRolePolicy, interim=False),
        ],
        now={},
        before=reserving(track=5),
    ),
    "changed by hand": Case(
        [step(ReserveConcurrency, function=TRACK, concurrency=5)],
        [change_function(TRACK, reserved=50)],
        now=reserving(track=5),
    ),
    "removed by hand": Case(
        [step(ReserveConcurrency, function=TRACK, concurrency=5)],
        [change_function(TRACK, reserved=None)],
        now=reserving(track=5),
    ),
    "reserved by hand": Case([], [change_function(TRACK, reserved=50)]),
}

TABLES = {**FUNCTION, **ALIAS, **VERSIONS, **CONCURRENCY}


@pytest.mark.parametrize("case", TABLES.values(), ids=TABLES)
def test_a_deviation_has_its_steps(case: Case) -> None:
    """These steps and no others; after them, nothing is left to do."""
    case.check()
