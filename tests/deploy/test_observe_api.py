"""What exists of the API, its methods, key and usage plan, read from AWS's answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.deployed import find_deployed
from gimel.deploy.plan import plan
from gimel.errors import GimelError
from tests.support.aws import Script, scripted
from tests.support.state.answers import answers
from tests.support.state.cloud import (
    API,
    EMPTY,
    HERE,
    KEY,
    KEY_VALUE,
    OUR_STAGE,
    TRACK,
    State,
    cors_answer,
)
from tests.support.state.look import look
from tests.support.state.names import (
    Deployed,
    PutCorsPreflight,
    PutMethod,
)
from tests.support.state.seen import usage_plan_id
from tests.support.state.settled import desired, settled


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


OURS = {"id": "a", "name": "gimel", "description": "Gimel API"}
THEIRS = {"id": "b", "name": "gimel", "description": "somebody else's"}


MARKED = {**THEIRS, "id": "m", "tags": {"gimel": "gimel"}}


@pytest.mark.parametrize(
    ("apis", "names"),
    [
        ([OURS, {**OURS, "id": "c"}], "a, c"),
        ([MARKED, {**MARKED, "id": "n"}], "m, n"),
        ([THEIRS], "the id b"),
        ([THEIRS, {**THEIRS, "id": "d"}], "the id b.*the id d"),
        ([{**OURS, "tags": {"gimel": "another"}}], "the id a"),
    ],
    ids=["two like 1.5.0's", "two marked", "one of theirs", "two of theirs", "of another name"],
)
def test_a_rest_api_that_cannot_be_told_apart_is_an_error(
    script: Script, apis: list[dict[str, Any]], names: str
) -> None:
    """It names them by their ids, and says what to do."""
    script.answers = {**answers(EMPTY), "GetRestApis": {"items": apis}}
    wanted = desired()

    with pytest.raises(GimelError, match=names) as failure:
        plan(wanted, look(script.aws(), wanted))

    assert failure.value.hint


def test_gimels_api_is_told_from_one_of_its_name(script: Script) -> None:
    """By its tag, whatever the description."""
    there = answers(settled())
    there["GetRestApis"] = {"items": [THEIRS, OURS, {**MARKED, "id": API}]}
    script.answers = there
    wanted = desired()

    assert plan(wanted, look(script.aws(), wanted)) == ()


def plan_of(id_: str, name: str, *stages: str) -> dict[str, Any]:
    """Return a usage plan as AWS lists it, with Gimel's tag if it has its name."""
    listed = [dict(zip(("apiId", "stage"), each.split(":"), strict=True)) for each in stages]
    tags = {"gimel": "gimel"} if name == "gimel" else {}
    return {"id": id_, "name": name, "apiStages": listed, "tags": tags}


@pytest.mark.parametrize(
    ("plans", "keys", "chosen"),
    [
        ([plan_of("x", "theirs", OUR_STAGE), plan_of("y", "gimel")], {}, "x"),
        ([plan_of("x", "theirs"), plan_of("y", "gimel")], {}, "y"),
        (
            [plan_of("x", "theirs", OUR_STAGE), plan_of("y", "gimel", OUR_STAGE)],
            {"x": [KEY]},
            "x",
        ),
        (
            [plan_of("x", "theirs", OUR_STAGE), plan_of("y", "gimel", OUR_STAGE)],
            {"x": [KEY], "y": [KEY]},
            "y",
        ),
        ([plan_of("x", "theirs", "other:prod")], {}, None),
    ],
    ids=["has the stage", "has the name", "has the key", "has all", "has nothing"],
)
def test_the_usage_plan_that_covers_the_stage_is_chosen(
    script: Script, plans: list[dict[str, Any]], keys: dict[str, list[str]], chosen: str | None
) -> None:
    """One that holds the key before others, then Gimel's own; a stage can be in several."""
    script.answers = {
        **answers(settled()),
        "GetUsagePlans": {"items": plans},
        "GetUsagePlanKeys": lambda given: {
            "items": [{"id": each} for each in keys.get(given["usagePlanId"], [])]
        },
    }

    found = usage_plan_id(look(script.aws(), desired()))

    assert found == chosen


@pytest.mark.parametrize("there", [EMPTY, replace(settled(), key=None)], ids=["no API", "no key"])
def test_what_is_not_deployed_is_an_error(script: Script, there: State) -> None:
    """`gimel results` and `gimel delete` ask for API and key alone."""
    script.answers = answers(there)

    with pytest.raises(GimelError, match="us-east-1") as failure:
        find_deployed(script.aws())

    assert "gimel deploy" in failure.value.hint


def test_api_and_key_are_found_in_two_calls(script: Script) -> None:
    """Among several keys, the one that has exactly Gimel's name."""
    script.answers = answers(settled())

    assert find_deployed(script.aws()) == Deployed(API, KEY_VALUE, {})
    assert len(script.made) == 2


WIRED: dict[str, Any] = {
    "authorizationType": "NONE",
    "apiKeyRequired": False,
    "methodIntegration": {"type": "AWS_PROXY", "uri": HERE.integration(TRACK)},
}
ANSWERING: dict[str, Any] = {
    "authorizationType": "NONE",
    "apiKeyRequired": False,
    "methodIntegration": {
        "type": "MOCK",
        "integrationResponses": {"200": {"responseParameters": cors_answer(("GET", "POST"))}},
    },
    "methodResponses": {"200": {"statusCode": "200"}},
}


def without(answer: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return an answer without a part of it."""
    first, *rest = path
    if not rest:
        return {name: value for name, value in answer.items() if name != first}
    return {**answer, first: without(answer[first], *rest)}


@pytest.mark.parametrize(
    ("method", "answer", "put"),
    [
        ("POST", WIRED, None),
        ("POST", without(WIRED, "authorizationType"), None),
        ("POST", {**WIRED, "authorizationType": "AWS_IAM"}, PutMethod),
        ("POST", {**WIRED, "authorizationType": "CUSTOM"}, PutMethod),
        ("POST", {**WIRED, "apiKeyRequired": True}, PutMethod),
        ("POST", without(WIRED, "methodIntegration"), PutMethod),
        (
            "POST",
            {**WIRED, "methodIntegration": {**WIRED["methodIntegration"], "type": "AWS"}},
            PutMethod,
        ),
        (
            "POST",
            {**WIRED, "methodIntegration": {**WIRED["methodIntegration"], "credentials": "a-role"}},
            PutMethod,
        ),
        (
            "POST",
            {**WIRED, "methodIntegration": {"type": "HTTP_PROXY", "uri": "https://example.com"}},
            PutMethod,
        ),
        ("OPTIONS", ANSWERING, None),
        ("OPTIONS", {**ANSWERING, "authorizationType": "AWS_IAM"}, PutCorsPreflight),
        ("OPTIONS", {**ANSWERING, "apiKeyRequired": True}, PutCorsPreflight),
        ("OPTIONS", without(ANSWERING, "methodResponses"), PutCorsPreflight),
        ("OPTIONS", without(ANSWERING, "methodIntegration"), PutCorsPreflight),
        (
            "OPTIONS",
            without(ANSWERING, "methodIntegration", "integrationResponses"),
            PutCorsPreflight,
        ),
        ("OPTIONS", WIRED, PutCorsPreflight),
    ],
)
def test_a_method_that_differs_in_anything_is_put_anew(
    script: Script, method: str, answer: dict[str, Any], put: type | None
) -> None:
    """Authorization, key, kind of integration, credentials, or what it answers."""
    listed = answers(settled())
    for path in listed["GetResources"]["items"]:
        if path["path"] == "/track":
            path["resourceMethods"][method] = answer
    script.answers = listed
    wanted = desired()

    steps = plan(wanted, look(script.aws(), wanted))

    assert [type(each) for each in steps] == ([put] if put else [])
