"""The plan as a whole: first and second deploys, what comes before what, takeover and removal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gimel.deploy.plan import plan
from gimel.errors import GimelError
from tests.support.configurations import CHANGE, OWN_FUNCTION, SECOND_PATH, URL
from tests.support.state.after import after, states
from tests.support.state.cases import planned
from tests.support.state.cloud import (
    ALL,
    DAILY,
    EMPTY,
    FUNCTIONS,
    HERE,
    SNAPSHOT,
    TRACK,
    WITH_ROUTES,
)
from tests.support.state.deviations import (
    Deviation,
    change_function,
    change_log_group,
    change_plan,
    change_role,
    deploy_with,
    deviate,
    existing,
    publish,
    remove,
    remove_function,
)
from tests.support.state.expected import assert_order, assert_steps, step, steps
from tests.support.state.names import (
    AddKeyToPlan,
    AllowApi,
    AllowRule,
    CreateAlias,
    CreateApi,
    CreateFunction,
    CreateKey,
    CreateLogGroup,
    CreateResource,
    CreateRole,
    CreateRule,
    CreateUsagePlan,
    DeleteFunction,
    DeleteLogGroup,
    DeleteResource,
    DeleteVersion,
    DeployApi,
    MoveAlias,
    PublishVersion,
    PutCorsPreflight,
    PutGatewayResponse,
    PutMethod,
    PutRolePolicy,
    PutTarget,
    SetThrottle,
    TryVersions,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
)
from tests.support.state.seen import (
    recorded_reserved,
    role_policy,
    seen,
)
from tests.support.state.settled import desired, settled

OUR = "our-experiment"
FOREIGN = "arn:aws:iam::123456789012:role/theirs"
NETWORK = {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}
PATHS = ("e", "track", "experiments", "delete")
ROUTES = (
    "GET /e",
    "POST /e",
    "GET /track",
    "POST /track",
    "GET /experiments",
    "DELETE /delete",
)
DOCUMENTS: dict[str, Mapping[str, Any]] = {
    "nothing": {},
    "wiring": {"extra_wiring": [SECOND_PATH, OWN_FUNCTION, URL]},
    "sizes and tags": {
        "aws": {
            "functions": {TRACK: {"memory": 512}},
            "tags": {"team": "web"},
            "architecture": "x86_64",
            "log_retention_days": 7,
        }
    },
    "network and settings": {"precision": 4, "aws": {"vpc": NETWORK, "runtime": "python3.12"}},
    "concurrency and throttle": {
        "aws": {
            "functions": {TRACK: {"reserved_concurrency": 5}},
            "throttle": {"rate": 12345.678},
        }
    },
    "a bit of everything": CHANGE,
}
documents = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)


def test_a_first_deploy_makes_everything_once() -> None:
    """43 steps: nothing is changed or deleted, for nothing exists."""
    assert_steps(
        planned(EMPTY),
        [
            step(CreateRole, tags={"gimel": "gimel"}),
            step(PutRolePolicy, interim=False),
            *steps(CreateLogGroup, "function", FUNCTIONS, days=30),
            *steps(CreateFunction, "function", FUNCTIONS),
            step(TryVersions),
            *steps(CreateAlias, "function", FUNCTIONS, number=None),
            step(CreateApi),
            *steps(CreateResource, "path", PATHS),
            *steps(PutMethod, "route", ROUTES, replace=False),
            *steps(PutCorsPreflight, "preflight", PATHS, replace=False),
            *steps(PutGatewayResponse, "kind", ("DEFAULT_4XX", "DEFAULT_5XX")),
            *steps(AllowApi, "function", WITH_ROUTES, replace=False),
            step(AllowRule, function=SNAPSHOT, replace=False),
            step(CreateRule, function=SNAPSHOT, schedule=DAILY, tags={"gimel": "gimel"}),
            step(PutTarget, function=SNAPSHOT),
            step(DeployApi),
            step(SetThrottle, rate=3, burst=2000),
            step(CreateKey),
            step(CreateUsagePlan),
            step(AddKeyToPlan),
        ],
    )


@documents
def test_a_first_deploy_leads_to_what_is_wanted(document: dict[str, Any]) -> None:
    """Step by step into an empty account, and no step needs what does not exist yet."""
    assert after(EMPTY, planned(EMPTY, **document)) == settled(**document)


@documents
@pytest.mark.parametrize("versions", [False, True], ids=["deploy", "status"])
def test_a_second_deploy_has_no_steps(document: dict[str, Any], versions: bool) -> None:
    """Everything is recognised, whether the versions of the functions were read or not."""
    wanted = desired(**document)

    assert plan(wanted, seen(settled(**document), wanted, versions=versions)) == ()


@documents
def test_a_change_and_the_change_back_lead_to_what_is_wanted(document: dict[str, Any]) -> None:
    """From the defaults and to them again: after the steps, none is left."""
    changed = after(settled(), planned(settled(), **document))
    back = after(changed, planned(changed))

    assert planned(changed, **document) == ()
    assert planned(back) == ()


def test_the_same_values_give_the_same_steps() -> None:
    """A plan that was shown is the plan that is performed."""
    there = deviate(settled(), remove("role"), deploy_with(TRACK, memory=512))

    assert planned(there, **CHANGE) == planned(there, **CHANGE)


@pytest.mark.parametrize(
    ("deviations", "expected"),
    [
        ([remove("role")], [step(CreateRole), step(PutRolePolicy)]),
        (
            [remove_function(TRACK)],
            [step(CreateFunction), step(TryVersions), step(CreateAlias), step(AllowApi)],
        ),
        (
            [publish(TRACK, 1, 2, 3, 4, 5, 6, live=6), deploy_with(ALL, memory=512)],
            [
                step(UpdateFunctionConfiguration, function=TRACK),
                step(DeleteVersion, number=1),
                step(PublishVersion, function=TRACK),
                step(TryVersions),
                step(MoveAlias, function=TRACK),
            ],
        ),
        (
            [deploy_with(TRACK, memory=512, code_sha256="other")],
            [
                step(UpdateFunctionCode),
                step(PublishVersion),
                step(TryVersions),
                step(MoveAlias),
            ],
        ),
        (
            [remove("api"), change_plan(stages=frozenset()), change_function(TRACK, callers="x")],
            [
                step(CreateApi),
                step(CreateResource, path="track"),
                step(PutMethod, route="GET /track"),
                step(AllowApi, function=TRACK, replace=True),
                step(DeployApi),
                step(SetThrottle),
            ],
        ),
        (
            [remove("key"), remove("plan"), remove("api")],
            [step(DeployApi), step(CreateUsagePlan), step(AddKeyToPlan)],
        ),
    ],
    ids=["role", "function", "versions", "code", "API", "usage plan"],
)
def test_what_is_needed_comes_first(deviations: list[Deviation], expected: list[Any]) -> None:
    """What is live continues to answer, and no step waits for a later one."""
    assert_order(planned(deviate(settled(), *deviations)), *expected)


def test_a_first_deploy_permits_the_functions_before_it_makes_them() -> None:
    """The role, its policy and the log group come before the function that needs them."""
    assert_order(
        planned(EMPTY),
        step(CreateRole),
        step(PutRolePolicy),
        step(CreateLogGroup, function=TRACK),
        step(CreateFunction, function=TRACK),
        step(CreateAlias, function=TRACK),
    )


def test_what_left_the_wiring_goes_after_nothing_live_needs_it() -> None:
    """The deployment without the route first, then the function, its log group and its record."""
    there = settled(extra_wiring=[OWN_FUNCTION])

    assert_order(
        planned(there),
        step(DeleteResource, path="experiment"),
        step(DeployApi),
        step(DeleteFunction, function=OUR),
        step(DeleteLogGroup, function=OUR),
        step(PutRolePolicy, interim=False),
    )


def reserving(**concurrency: int) -> dict[str, Any]:
    """Return a configuration in which these functions reserve concurrency: track=5."""
    names = dict(zip(("track", "all", "delete"), WITH_ROUTES, strict=True))
    options = {names[name]: {"reserved_concurrency": each} for name, each in concurrency.items()}
    return {"aws": {"functions": options}}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (reserving(track=5), reserving(delete=5)),
        (reserving(delete=5), reserving(track=5)),
        (reserving(track=5, all=1), reserving(track=1, all=5)),
        (reserving(track=1, all=5), reserving(track=5, all=1)),
    ],
    ids=["to the last", "to the first", "swapped", "swapped back"],
)
def test_concurrency_is_given_back_before_it_is_taken(
    before: dict[str, Any], now: dict[str, Any]
) -> None:
    """An account whose concurrency is all reserved lets it move from one function to another."""
    there = settled(**before)
    most = sum(each.reserved or 0 for each in there.functions.values())

    for state in states(there, planned(there, **now)):
        assert sum(each.reserved or 0 for each in state.functions.values()) <= most


@pytest.mark.parametrize(
    ("before", "now"), [({}, reserving(track=5)), (reserving(track=5), {})], ids=["taken", "given"]
)
def test_concurrency_is_recorded_while_it_is_reserved(
    before: dict[str, Any], now: dict[str, Any]
) -> None:
    """Whatever step is the last one, the next deploy knows which function to ask about it."""
    there = settled(**before)

    for state in states(there, planned(there, **now)):
        if state.functions[TRACK].reserved is not None:
            assert recorded_reserved(existing(state.role).policy, HERE.region) == {TRACK}


@pytest.mark.parametrize(
    "role",
    [FOREIGN, "arn:aws:iam::123456789012:role/gimel-2", "arn:aws:iam::123456789012:user/gimel"],
)
def test_a_function_of_another_role_is_an_error(role: str) -> None:
    """It is somebody else's: the error names it and its role, and says what to do."""
    there = deviate(settled(), change_function(TRACK, role=role, tags={}))

    with pytest.raises(GimelError, match=rf"{TRACK}.*{role}") as failure:
        planned(there)

    assert failure.value.hint


def test_a_function_of_another_role_that_the_api_calls_is_left_alone() -> None:
    """Somebody wired it by hand: the path is in Gimel's API and goes, the function stays."""
    there = deviate(
        settled(extra_wiring=[OWN_FUNCTION]),
        change_function(OUR, role=FOREIGN, tags={}),
        change_log_group(OUR, tags={}),
        change_role(policy=role_policy(HERE, FUNCTIONS)),
    )

    assert_steps(planned(there), [step(DeleteResource, path="experiment"), step(DeployApi)])
