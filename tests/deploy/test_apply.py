"""Performing a plan: what a step learns for the next ones, what is lost on the way, what fails."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as botocore_errors

from gimel.deploy.apply import apply
from gimel.deploy.plan import plan, plan_destroy
from gimel.errors import GimelError
from tests.support.aws import Refusal, Script, invoked, role_answer, scripted
from tests.support.configurations import OWN_FUNCTION, SECOND_PATH, URL
from tests.support.state.cases import planned
from tests.support.state.cloud import (
    ALL,
    API,
    EMPTY,
    FUNCTIONS,
    HERE,
    KEY,
    KEY_VALUE,
    PLAN,
    ROOT,
    SNAPSHOT,
    TRACK,
    State,
    url_of,
)
from tests.support.state.deviations import (
    Deviation,
    change_function,
    change_plan,
    deploy_with,
    deviate,
    existing,
    remove,
    remove_function,
    remove_path,
    set_log_group,
)
from tests.support.state.names import Deployed
from tests.support.state.seen import seen
from tests.support.state.settled import desired, settled

DESCRIPTION = "Gimel API"
RESET = botocore_errors.ConnectionClosedError(endpoint_url="https://aws.example.com")
GONE = Refusal("ResourceNotFoundException", "", 404)
URL_ANSWER = {
    "FunctionUrl": url_of(TRACK),
    "FunctionArn": HERE.function(TRACK),
    "AuthType": "NONE",
    "CreationTime": "2026-01-15T12:00:00.000+0000",
    "LastModifiedTime": "2026-01-15T12:00:00.000+0000",
}
CREATED = ("FunctionUrl", "FunctionArn", "AuthType", "CreationTime")
THE_API = {"id": API, "name": "gimel", "description": DESCRIPTION, "rootResourceId": ROOT}
MARK = {"tags": {"gimel": "gimel"}}
THE_KEY = {"id": KEY, "name": "gimel", "value": KEY_VALUE, "enabled": True, **MARK}
ANSWERS: dict[str, Any] = {
    "CreateRole": role_answer(),
    "CreateFunction": {"Version": "1"},
    "Invoke": invoked,
    "PublishVersion": {"Version": "2"},
    "CreateFunctionUrlConfig": {name: URL_ANSWER[name] for name in CREATED},
    "CreateRestApi": {"id": API, "rootResourceId": ROOT},
    "GetRestApis": {"items": [THE_API]},
    "CreateResource": {"id": "a-path"},
    "CreateApiKey": THE_KEY,
    "CreateUsagePlan": {"id": PLAN},
}


def perform(script: Script, there: State, **document: Any) -> Deployed:
    """Deploy a configuration into an account."""
    wanted = desired(**document)
    observed = seen(there, wanted)
    return apply(script.aws(), plan(wanted, observed), observed)


def deploy(there: State, **document: Any) -> tuple[Deployed, list[tuple[str, Any]]]:
    """Deploy where AWS answers everything well. Returns what it leads to, and the calls."""
    with scripted() as script:
        script.answers, script.always = ANSWERS, {}
        return perform(script, there, **document), list(zip(script.made, script.given, strict=True))


def test_a_first_deploy_leads_to_what_a_caller_needs() -> None:
    """The id of the API, the key's value and the functions' URLs, all of which AWS chose."""
    deployed, _ = deploy(EMPTY, extra_wiring=[URL])

    assert deployed == Deployed(API, KEY_VALUE, {TRACK: url_of(TRACK)})


def test_what_a_step_learns_is_used_by_the_next_ones() -> None:
    """The ids of the API and its paths, of the key and the usage plan, and the versions."""
    _, calls = deploy(EMPTY)

    given = dict(calls)
    callers = [each["SourceArn"] for name, each in calls if name == "AddPermission"]
    assert given["CreateResource"]["restApiId"] == API
    assert given["CreateResource"]["parentId"] == ROOT
    assert given["PutMethod"]["resourceId"] == "a-path"
    assert callers == [*[HERE.callers(API)] * 3, HERE.rule(SNAPSHOT)]
    assert given["CreateAlias"]["FunctionVersion"] == "1"
    assert given["CreateUsagePlanKey"] == {"usagePlanId": PLAN, "keyId": KEY, "keyType": "API_KEY"}


def test_a_first_deploy_makes_at_most_65_calls() -> None:
    """Reading takes eight more, and preflight one: 74 in total.

    The path /e takes nine of them: itself, two for each of its two methods, four for OPTIONS.
    API Gateway has no call that makes a method with its integration. The function that a schedule
    calls takes seven: two for its log group, its alias and its permission, two for its rule.
    """
    _, calls = deploy(EMPTY)

    assert len(calls) <= 65


def test_without_a_step_the_deployment_is_as_it_was() -> None:
    """No call is made; what a caller needs is returned all the same."""
    with scripted() as script:
        assert perform(script, settled(extra_wiring=[URL]), extra_wiring=[URL]) == Deployed(
            API, KEY_VALUE, {TRACK: url_of(TRACK)}
        )


def test_a_url_that_is_taken_away_is_no_longer_returned() -> None:
    """The deployment is reached by what is left."""
    deployed, _ = deploy(settled(extra_wiring=[URL]))

    assert deployed.urls == {}


def test_each_step_is_announced_before_it_is_performed() -> None:
    """With its number, so that a user sees what is being waited for."""
    there = deviate(settled(), set_log_group(TRACK, 7), set_log_group(ALL, 7))
    wanted = desired()
    observed = seen(there, wanted)
    steps = plan(wanted, observed)
    announced: list[Any] = []
    with scripted() as script:
        script.always = {}
        apply(
            script.aws(),
            steps,
            observed,
            lambda number, step: announced.append((number, step, len(script.made))),
        )

    assert announced == [(1, steps[0], 0), (2, steps[1], 1)]


def test_a_step_that_fails_is_named_and_the_rest_is_not_performed() -> None:
    """The error has the number, the sentence and AWS's reason; deploying again completes it."""
    there = deviate(settled(), *(set_log_group(name, 7) for name in FUNCTIONS))
    second = planned(there)[1]
    with scripted() as script:
        script.expect_any("PutRetentionPolicy")
        script.expect_any("PutRetentionPolicy", Refusal("AccessDeniedException", "not yours", 403))
        with pytest.raises(GimelError) as failure:
            perform(script, there)

    for part in ("2 of 4", str(second), "not yours"):
        assert part in failure.value.message
    assert "again" in failure.value.hint
    assert "gimel iam-policy" in failure.value.hint


READY = {"State": "Active", "LastUpdateStatus": "Successful"}
UPDATING = {"LastUpdateStatus": "InProgress"}


@pytest.mark.parametrize(
    ("deviation", "operation"),
    [
        (deploy_with(TRACK, memory=512), "UpdateFunctionConfiguration"),
        (deploy_with(TRACK, code_sha256="other"), "UpdateFunctionCode"),
    ],
)
def test_an_update_in_progress_is_waited_for(deviation: Deviation, operation: str) -> None:
    """Before the next change, which Lambda would refuse meanwhile."""
    with scripted() as script:
        script.expect_any(operation, UPDATING)
        script.expect("GetFunctionConfiguration", UPDATING, FunctionName=TRACK)
        script.expect("GetFunctionConfiguration", READY, FunctionName=TRACK)
        script.expect_any("PublishVersion", {"Version": "2"})
        script.expect_any("Invoke", invoked).expect_any("Invoke", invoked)
        script.expect_any("UpdateAlias")
        perform(script, deviate(settled(), deviation))


def test_a_version_becomes_live_when_it_is_ready() -> None:
    """AWS may still be making what it has published: until then the former one takes the events."""
    there = deviate(
        settled(),
        deploy_with(TRACK, memory=512),
        change_function(TRACK, latest=existing(settled().functions[TRACK].serving)),
    )
    with scripted() as script:
        script.expect_any("PublishVersion", {"Version": "2", "State": "Pending"})
        script.expect("GetFunctionConfiguration", READY, FunctionName=TRACK, Qualifier="2")
        script.expect_any("Invoke", invoked).expect_any("Invoke", invoked)
        script.expect_any("UpdateAlias")
        perform(script, there)


def in_turn(*outcomes: Any) -> Any:
    """Return an outcome that is the next of these each time."""
    turns = iter(outcomes)
    return lambda given: next(turns)


def versions(*numbers: str) -> dict[str, Any]:
    """Return AWS's answer to ListVersionsByFunction."""
    return {"Versions": [{"Version": number} for number in ("$LATEST", *numbers)]}


LOST = {
    "function": (
        [remove_function(TRACK)],
        "CreateFunction",
        ("ListVersionsByFunction", versions("1"), GONE),
    ),
    "API": (
        [remove("api"), change_plan(stages=frozenset())],
        "CreateRestApi",
        ("GetRestApis", {"items": [THE_API]}, {"items": []}),
    ),
    "path": (
        [remove_path("track")],
        "CreateResource",
        ("GetResources", {"items": [{"id": "new", "path": "/track"}]}, {"items": []}),
    ),
    "key": (
        [remove("key"), change_plan(keys=frozenset())],
        "CreateApiKey",
        ("GetApiKeys", {"items": [THE_KEY]}, {"items": []}),
    ),
    "usage plan": (
        [remove("plan")],
        "CreateUsagePlan",
        ("GetUsagePlans", {"items": [{"id": PLAN, "name": "gimel", **MARK}]}, {"items": []}),
    ),
    "URL": (
        [change_function(TRACK, url=None)],
        "CreateFunctionUrlConfig",
        ("GetFunctionUrlConfig", URL_ANSWER, GONE),
    ),
}


@pytest.mark.parametrize("was_done", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize(("deviations", "operation", "look"), LOST.values(), ids=LOST)
def test_what_a_lost_call_may_have_made_is_looked_up(
    deviations: list[Deviation], operation: str, look: tuple[str, Any, Any], was_done: bool
) -> None:
    """Where it was made it is used, and never made twice; where it was not, it is made."""
    document = {"extra_wiring": [URL]}
    there = deviate(settled(**document), *deviations)
    how, found, nothing = look
    with scripted() as script:
        script.always = {}
        script.answers = {
            **ANSWERS,
            operation: in_turn(RESET, ANSWERS[operation]),
            how: in_turn(found if was_done else nothing, ANSWERS.get(how)),
        }
        perform(script, there, **document)

    assert script.made.count(operation) == (1 if was_done else 2)
    assert how in script.made
    assert all(
        given["FunctionVersion"] == "1"
        for name, given in zip(script.made, script.given, strict=True)
        if name == "CreateAlias"
    )


def test_of_two_deploys_at_once_one_takes_its_api_away_again() -> None:
    """Nobody could tell two of one name from each other."""
    there = deviate(settled(), remove("api"), change_plan(stages=frozenset()))
    other = {**THE_API, "id": "other"}
    with scripted() as script:
        script.expect_any("CreateRestApi", {"id": API, "rootResourceId": ROOT})
        script.expect_any("GetRestApis", {"items": [THE_API, other]})
        script.expect("DeleteRestApi", restApiId=API)
        with pytest.raises(GimelError, match="at the same time"):
            perform(script, there)


def test_a_first_deploy_need_not_look_for_another_api() -> None:
    """Only one of two first deploys can create the role."""
    _, calls = deploy(EMPTY)

    assert "GetRestApis" not in {name for name, _ in calls}


def test_what_is_gone_already_can_be_deleted() -> None:
    """A destroy that was interrupted, or somebody in the console, was here before."""
    document = {"extra_wiring": [SECOND_PATH, OWN_FUNCTION, URL]}
    there = settled(**document)
    observed = seen(there)
    with scripted() as script:
        script.always = GONE
        steps = plan_destroy(observed)
        apply(script.aws(), steps, observed)

    assert len(script.made) == len(steps) + 1  # a rule goes after its targets


def test_an_api_with_nothing_left_to_delete_in_it() -> None:
    """Paths and methods that somebody deletes while a deploy deletes them too."""
    with scripted() as script:
        script.always, script.answers = GONE, {"CreateDeployment": {}}
        perform(script, settled(extra_wiring=[SECOND_PATH]))

    assert "DeleteResource" in script.made
