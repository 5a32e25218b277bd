"""The plan that takes over a deployment of Gimel 1.5.0 in place, and plans for two regions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.configurations import OWN_FUNCTION
from tests.support.state.after import after, states
from tests.support.state.cases import planned
from tests.support.state.cloud import (
    ALL,
    DELETE,
    EMPTY,
    FUNCTIONS,
    LAMBDA,
    SNAPSHOT,
    TRACK,
    WITH_ROUTES,
    Place,
    State,
)
from tests.support.state.deviations import change_role, deviate, existing
from tests.support.state.expected import assert_order, assert_steps, step, steps
from tests.support.state.names import (
    AddKeyToPlan,
    AllowApi,
    AllowRule,
    CreateAlias,
    CreateFunction,
    CreateLogGroup,
    CreateResource,
    CreateRule,
    CreateUsagePlan,
    DeleteFunction,
    DeleteResource,
    DeployApi,
    MarkKey,
    MoveAlias,
    PublishVersion,
    PutCorsPreflight,
    PutGatewayResponse,
    PutMethod,
    PutRolePolicy,
    PutTarget,
    SetLogRetention,
    SetThrottle,
    Tag,
    TrustLambda,
    TryVersions,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
)
from tests.support.state.seen import recorded_functions, role_policy
from tests.support.state.settled import left_by_1_5_0, settled

GATEWAY = "apigateway.amazonaws.com"
EU = Place("eu-west-1")
OUR = "our-experiment"
PATHS = ("track", "experiments", "delete")
"""Those of 1.5.0."""


MARKED = (
    "role gimel",
    *(f"function {name}" for name in WITH_ROUTES),
    f"log group /aws/lambda/{TRACK}",
    "REST API gimel",
)


def test_a_takeover_changes_what_differs_and_creates_what_is_missing() -> None:
    """The API, its id, the stage and the key stay: 1.5.0's URLs and key continue to work.

    Its role may write all logs, which is enough until the end.
    """
    assert_steps(
        planned(left_by_1_5_0()),
        [
            step(SetLogRetention, function=TRACK, before=None, days=30),
            *steps(CreateLogGroup, "function", (ALL, DELETE, SNAPSHOT)),
            *steps(UpdateFunctionConfiguration, "function", WITH_ROUTES),
            *steps(UpdateFunctionCode, "function", WITH_ROUTES),
            *steps(PublishVersion, "function", WITH_ROUTES),
            step(CreateFunction, function=SNAPSHOT),
            step(TryVersions),
            *steps(MoveAlias, "function", WITH_ROUTES, before=1, number=None),
            step(CreateAlias, function=SNAPSHOT),
            step(AllowRule, function=SNAPSHOT, replace=False),
            step(CreateRule, function=SNAPSHOT),
            step(PutTarget, function=SNAPSHOT),
            *steps(
                PutMethod,
                "route",
                ("GET /track", "GET /experiments", "DELETE /delete"),
                replace=True,
            ),
            step(CreateResource, path="e"),
            *steps(PutMethod, "route", ("GET /e", "POST /e", "POST /track"), replace=False),
            step(PutCorsPreflight, preflight="e", replace=False),
            *steps(PutCorsPreflight, "preflight", PATHS, replace=True),
            *steps(PutGatewayResponse, "kind", ("DEFAULT_4XX", "DEFAULT_5XX")),
            *steps(AllowApi, "function", WITH_ROUTES, replace=False),
            step(DeployApi),
            step(SetThrottle, rate=3, burst=2000),
            step(CreateUsagePlan),
            step(AddKeyToPlan),
            step(TrustLambda),
            step(PutRolePolicy, interim=False),
            *steps(Tag, "what", MARKED, tags={"gimel": "gimel"}, removed=()),
            step(MarkKey),
        ],
    )


def without_versions(there: State) -> State:
    """Return an account in which every function has only its live version, as number 1."""
    functions = {
        name: replace(
            each,
            versions={1: existing(each.serving)},
            live=1,
            history=settled().functions[name].history,
            described=settled().functions[name].described,
        )
        for name, each in there.functions.items()
    }
    return replace(there, functions=functions)


def test_a_takeover_leads_to_what_a_first_deploy_makes() -> None:
    """But for the old version, which is kept for nothing and goes in time."""
    there = left_by_1_5_0()

    done = after(there, planned(there))

    assert without_versions(done) == settled()
    assert planned(done) == ()


def test_a_takeover_that_was_interrupted_is_completed() -> None:
    """Whatever step was the last one, the next deploy leads to the same end."""
    there = left_by_1_5_0(extra_wiring=[OWN_FUNCTION])

    for state in states(there, planned(there)):
        assert without_versions(after(state, planned(state))) == settled()


def test_the_role_keeps_its_permissions_until_the_new_api_is_live() -> None:
    """1.5.0's API calls the functions by the role: API Gateway may assume it until DeployApi."""
    there = left_by_1_5_0()
    old = existing(there.api).deployed

    for state in states(there, planned(there)):
        role = existing(state.role)
        if existing(state.api).deployed == old:
            assert {LAMBDA, GATEWAY} <= role.trusted
            assert "lambda:InvokeFunction" in actions(existing(role.policy))
    assert role.trusted == {LAMBDA}
    assert actions(existing(role.policy)) == {"logs:CreateLogStream", "logs:PutLogEvents"}


def test_an_interim_policy_allows_what_was_and_what_will_be() -> None:
    """What the role's policy said, what the final one says, and what is about to be deleted."""
    there = left_by_1_5_0(extra_wiring=[OWN_FUNCTION])
    before = existing(existing(there.role).policy)

    first, last = (each.policy for each in planned(there) if isinstance(each, PutRolePolicy))

    assert pairs(first) >= pairs(before) | pairs(last)
    assert recorded_functions(first, there.place.region) == {*FUNCTIONS, OUR}


def pairs(policy: Any) -> set[tuple[str, str]]:
    """Return what a policy allows, as (action, resource)."""
    found = set()
    for statement in policy["Statement"]:
        resources = statement["Resource"]
        for resource in [resources] if isinstance(resources, str) else resources:
            found |= {(action, resource) for action in statement["Action"]}
    return found


def actions(policy: Any) -> set[str]:
    """Return the actions that a policy allows."""
    return {each for statement in policy["Statement"] for each in statement["Action"]}


def test_what_left_the_wiring_meanwhile_is_removed() -> None:
    """A function of 1.5.0's extra_wiring, which no policy records, is found by the API."""
    there = left_by_1_5_0(extra_wiring=[OWN_FUNCTION])

    assert_order(
        planned(there),
        step(DeleteResource, path="experiment"),
        step(DeployApi),
        step(DeleteFunction, function=OUR),
    )


RESERVED: dict[str, Any] = {"aws": {"functions": {TRACK: {"reserved_concurrency": 5}}}}
NETWORK: dict[str, Any] = {"aws": {"vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}}}


@pytest.mark.parametrize(
    "document",
    [{}, {"extra_wiring": [OWN_FUNCTION]}, RESERVED, NETWORK],
    ids=["the same", "another function", "concurrency", "network"],
)
def test_a_deploy_elsewhere_takes_nothing_from_the_first(document: dict[str, Any]) -> None:
    """Two regions share the role; each one's deployment is as its configuration asks, and stays."""
    first = settled(**document)
    second = replace(EMPTY, place=EU, role=first.role)

    second = after(second, planned(second))

    assert planned(second) == ()
    assert planned(replace(first, role=second.role), **document) == ()


def test_what_left_the_wiring_here_stays_elsewhere() -> None:
    """A function is taken out of the role's policy in its own region alone."""
    elsewhere = role_policy(EU, [*FUNCTIONS, OUR])
    there = settled(extra_wiring=[OWN_FUNCTION])
    there = deviate(
        there, change_role(policy=role_policy(there.place, [*FUNCTIONS, OUR], before=elsewhere))
    )

    policy = existing(after(there, planned(there)).role).policy

    assert recorded_functions(policy, EU.region) == {*FUNCTIONS, OUR}
    assert recorded_functions(policy, there.place.region) == set(FUNCTIONS)


def test_every_policy_on_the_way_keeps_the_other_region() -> None:
    """Also an interim one: the other region's functions continue to write their logs."""
    elsewhere = role_policy(EU, [*FUNCTIONS, OUR], [TRACK], vpc=True)
    there = deviate(left_by_1_5_0(), change_role(policy=elsewhere))

    for state in states(there, planned(there, **RESERVED)):
        statements = existing(existing(state.role).policy)["Statement"]
        kept = [{**each, "Sid": ""} for each in statements]
        assert all({**each, "Sid": ""} in kept for each in elsewhere["Statement"])
