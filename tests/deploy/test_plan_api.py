"""The plan for the REST API, its key and URLs: one deviation per row, and its steps."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.configurations import LINKED, ROUTED, SECOND_PATH, URL
from tests.support.state.cases import Case, planned
from tests.support.state.cloud import (
    ALL,
    EMPTY,
    FUNCTIONS,
    HERE,
    SNAPSHOT,
    TRACK,
    URL_STATEMENTS,
    WITH_ROUTES,
    Method,
    cors_answer,
)
from tests.support.state.deviations import (
    add_method,
    add_path,
    change_api,
    change_function,
    change_method,
    change_plan,
    disable_key,
    remove,
    remove_function,
    remove_method,
    remove_path,
    set_gateway_response,
)
from tests.support.state.expected import step, steps
from tests.support.state.names import (
    AddKeyToPlan,
    AddStageToPlan,
    AllowApi,
    AllowUrl,
    CreateAlias,
    CreateApi,
    CreateFunction,
    CreateKey,
    CreateLogGroup,
    CreateResource,
    CreateUrl,
    CreateUsagePlan,
    DeleteMethod,
    DeleteResource,
    DeleteUrl,
    DeployApi,
    DisallowApi,
    DisallowUrl,
    EnableKey,
    PutCorsPreflight,
    PutGatewayResponse,
    PutMethod,
    PutRolePolicy,
    SetThrottle,
    Tag,
    TryVersions,
)

ROUTES = (
    "GET /e",
    "POST /e",
    "GET /track",
    "POST /track",
    "GET /experiments",
    "DELETE /delete",
)
PATHS = ("e", "track", "experiments", "delete")
TAGGED = (
    *(f"function {name}" for name in FUNCTIONS),
    *(f"log group /aws/lambda/{name}" for name in FUNCTIONS),
    f"EventBridge rule {SNAPSHOT}",
)
OPEN_RESULTS = {
    "lambda": {"FunctionName": ALL, "Handler": "gimel.all"},
    "api_gateway": {"pathPart": "experiments", "method": {"httpMethod": "GET"}},
}


def throttled(rate: float, burst: int) -> dict[str, Any]:
    """Return a configuration with this throttle."""
    return {"aws": {"throttle": {"rate": rate, "burst": burst}}}


def asking_for(method: str = "GET", **parameters: bool) -> dict[str, Any]:
    """Return an entry of extra_wiring for /t, with these parameters in its query."""
    named = {f"method.request.querystring.{name}": each for name, each in parameters.items()}
    asked = {"httpMethod": method, "requestParameters": named}
    return {**SECOND_PATH, "api_gateway": {"pathPart": "t", "method": asked}}


REWIRED = [step(PutMethod, route="GET /track", replace=True)]
ANSWERED = [step(PutCorsPreflight, preflight="track", replace=True)]
EARLIER_ANSWER = {
    **cors_answer(("GET", "POST")),
    "method.response.header.Access-Control-Allow-Headers": "'Content-Type,X-Api-Key'",
}

API = {
    "API deleted": Case(
        [
            step(CreateApi),
            *steps(CreateResource, "path", PATHS),
            *steps(PutMethod, "route", ROUTES, replace=False),
            *steps(PutCorsPreflight, "preflight", PATHS, replace=False),
            *steps(PutGatewayResponse, "kind", ("DEFAULT_4XX", "DEFAULT_5XX")),
            *steps(AllowApi, "function", WITH_ROUTES, replace=True),
            step(DeployApi),
            step(SetThrottle, rate=3, burst=2000),
            step(AddStageToPlan),
            *steps(Tag, "what", TAGGED, tags={"gimel": "gimel"}, removed=()),
        ],
        [remove("api"), change_plan(stages=frozenset())],
    ),
    "path deleted": Case(
        [
            step(CreateResource, path="track"),
            step(PutMethod, route="GET /track", replace=False),
            step(PutMethod, route="POST /track", replace=False),
            step(PutCorsPreflight, preflight="track", replace=False),
        ],
        [remove_path("track")],
    ),
    "deployed by a release without /e": Case(
        [
            step(CreateResource, path="e"),
            *steps(PutMethod, "route", ("GET /e", "POST /e"), replace=False),
            step(PutCorsPreflight, preflight="e", replace=False),
            step(DeployApi),
        ],
        [remove_path("e"), change_api(deployed="gimel of an earlier release")],
    ),
    "method deleted": Case(
        [step(PutMethod, route="GET /track", replace=False)], [remove_method("track", "GET")]
    ),
    "method calls another function": Case(
        REWIRED, [change_method("track", "GET", integration=HERE.integration(ALL), calls=ALL)]
    ),
    "method without an integration": Case(
        REWIRED, [change_method("track", "GET", integration=None, calls=None)]
    ),
    "method asks for a signature": Case(REWIRED, [change_method("track", "GET", integration=None)]),
    "method asks for the key": Case(REWIRED, [change_method("track", "GET", key_required=True)]),
    "method no longer asks for the key": Case(
        [step(PutMethod, route="DELETE /delete", replace=True)],
        [change_method("delete", "DELETE", key_required=False)],
    ),
    "method with other parameters": Case(
        REWIRED,
        [change_method("track", "GET", parameters={"method.request.querystring.uuid": True})],
    ),
    "preflight deleted": Case(
        [step(PutCorsPreflight, preflight="track", replace=False)],
        [remove_method("track", "OPTIONS")],
    ),
    "preflight without an answer": Case(ANSWERED, [change_method("track", "OPTIONS", answer=None)]),
    "preflight of other methods": Case(
        ANSWERED, [change_method("track", "OPTIONS", answer=cors_answer(("GET",)))]
    ),
    "preflight of an earlier Gimel": Case(
        [*ANSWERED, step(DeployApi)],
        [
            change_method("track", "OPTIONS", answer=EARLIER_ANSWER),
            change_api(deployed="gimel 0123456789"),
        ],
    ),
    "gateway response deleted": Case(
        [step(PutGatewayResponse, kind="DEFAULT_4XX")], [set_gateway_response("DEFAULT_4XX", None)]
    ),
    "gateway response with other headers": Case(
        [step(PutGatewayResponse, kind="DEFAULT_5XX")], [set_gateway_response("DEFAULT_5XX", {})]
    ),
    "another gateway response": Case([], [set_gateway_response("THROTTLED", {"a": "b"})]),
    "method added by hand": Case(
        [step(DeleteMethod, path="track", method="PUT")], [add_method("track", "PUT", Method())]
    ),
    "path added by hand": Case([step(DeleteResource, path="old")], [add_path("old")]),
    "paths below one added by hand": Case(
        [step(DeleteResource, path="old")], [add_path("old"), add_path("old/er")]
    ),
    "method of the root added by hand": Case([], [add_method("", "GET", Method())]),
    "deployed by hand": Case([step(DeployApi)], [change_api(deployed="by hand")]),
    "deployed by hand without a word": Case([step(DeployApi)], [change_api(deployed="")]),
    "stage deleted": Case(
        [step(DeployApi), step(SetThrottle), step(AddStageToPlan)],
        [change_api(deployed=None, rate=None, burst=None), change_plan(stages=frozenset())],
    ),
    "throttle rate changed": Case([step(SetThrottle, rate=3, burst=2000)], [change_api(rate=5)]),
    "throttle burst changed": Case([step(SetThrottle)], [change_api(burst=5)]),
    "throttle removed": Case([step(SetThrottle)], [change_api(rate=None, burst=None)]),
    "another throttle wanted": Case(
        [step(SetThrottle, rate=0.5, burst=7)], now=throttled(0.5, 7), before={}
    ),
    "a second path wanted": Case(
        [
            step(CreateResource, path="t"),
            step(PutMethod, route="GET /t", replace=False),
            step(PutCorsPreflight, preflight="t", replace=False),
            step(DeployApi),
        ],
        now={"extra_wiring": [SECOND_PATH]},
        before={},
    ),
    "a path that left the wiring": Case(
        [step(DeleteResource, path="t"), step(DeployApi)],
        now={},
        before={"extra_wiring": [SECOND_PATH]},
    ),
    "a route with other parameters wanted": Case(
        [step(PutMethod, route="GET /t", replace=True), step(DeployApi)],
        now={"extra_wiring": [asking_for(uuid=True)]},
        before={"extra_wiring": [SECOND_PATH]},
    ),
    "a route to another function wanted": Case(
        [step(PutMethod, route="GET /t", replace=True), step(DeployApi)],
        now={"extra_wiring": [{**SECOND_PATH, "lambda": OPEN_RESULTS["lambda"]}]},
        before={"extra_wiring": [SECOND_PATH]},
    ),
    "another method of a path wanted": Case(
        [
            step(PutMethod, route="POST /t", replace=False),
            step(PutCorsPreflight, preflight="t", replace=True),
            step(DeployApi),
        ],
        now={"extra_wiring": [SECOND_PATH, asking_for("POST")]},
        before={"extra_wiring": [SECOND_PATH]},
    ),
    "a route without its key wanted": Case(
        [step(PutMethod, route="GET /experiments", replace=True), step(DeployApi)],
        now={"extra_wiring": [OPEN_RESULTS]},
        before={},
    ),
}

ACCESS = {
    "permission deleted": Case(
        [step(AllowApi, function=TRACK, replace=False)],
        [change_function(TRACK, callers=None)],
    ),
    "permission of another API": Case(
        [step(AllowApi, function=TRACK, replace=True)],
        [change_function(TRACK, callers=HERE.callers("other"))],
    ),
    "permission for anybody": Case(
        [step(AllowApi, function=TRACK)], [change_function(TRACK, callers="")]
    ),
    "key deleted": Case(
        [step(CreateKey), step(AddKeyToPlan)], [remove("key"), change_plan(keys=frozenset())]
    ),
    "key disabled": Case([step(EnableKey)], [disable_key()]),
    "usage plan deleted": Case([step(CreateUsagePlan), step(AddKeyToPlan)], [remove("plan")]),
    "usage plan without the stage": Case([step(AddStageToPlan)], [change_plan(stages=frozenset())]),
    "usage plan of another stage": Case(
        [step(AddStageToPlan)], [change_plan(stages=frozenset({"other:prod"}))]
    ),
    "usage plan without the key": Case([step(AddKeyToPlan)], [change_plan(keys=frozenset())]),
    "usage plan of another key": Case(
        [step(AddKeyToPlan)], [change_plan(keys=frozenset({"other"}))]
    ),
    "usage plan of somebody else's that has both": Case([], [change_plan(ours=False)]),
    "key and usage plan deleted": Case(
        [step(CreateKey), step(CreateUsagePlan), step(AddKeyToPlan)],
        [remove("key"), remove("plan")],
    ),
}

BOTH = tuple(sorted(URL_STATEMENTS))
WITH_URL = {"extra_wiring": [URL]}

URLS = {
    "URL wanted": Case(
        [
            step(AllowUrl, function=TRACK, statements=BOTH),
            step(CreateUrl, function=TRACK),
        ],
        now=WITH_URL,
        before={},
    ),
    "a function with nothing but a URL wanted": Case(
        [
            step(PutRolePolicy),
            step(CreateLogGroup, function="linked"),
            step(CreateFunction, function="linked"),
            step(TryVersions),
            step(CreateAlias, function="linked"),
            step(AllowUrl, function="linked"),
            step(CreateUrl, function="linked"),
        ],
        now={"extra_wiring": [LINKED]},
        before={},
    ),
    "URL no longer wanted": Case(
        [step(DeleteUrl, function=TRACK), step(DisallowUrl, function=TRACK, statements=BOTH)],
        now={},
        before=WITH_URL,
    ),
    "URL deleted": Case(
        [step(CreateUrl, function=TRACK)],
        [change_function(TRACK, url=None)],
        now=WITH_URL,
    ),
    "one permission of the URL deleted": Case(
        [step(AllowUrl, function=TRACK, statements=("gimel-url-invoke",))],
        [change_function(TRACK, url_statements=frozenset({"gimel-url"}))],
        now=WITH_URL,
    ),
    "no longer wired, but with a URL": Case(
        [
            step(DeleteResource, path="linked"),
            step(DeployApi),
            step(DisallowApi, function="linked"),
        ],
        now={"extra_wiring": [LINKED]},
        before={"extra_wiring": [LINKED, ROUTED]},
    ),
    "permissions left of a URL": Case(
        [step(DisallowUrl, function=TRACK, statements=BOTH)],
        [change_function(TRACK, url_statements=URL_STATEMENTS)],
    ),
    "function with a URL deleted": Case(
        [
            step(CreateFunction, function=TRACK),
            step(TryVersions),
            step(CreateAlias, function=TRACK),
            step(AllowApi, function=TRACK),
            step(AllowUrl, function=TRACK, statements=BOTH),
            step(CreateUrl, function=TRACK),
        ],
        [remove_function(TRACK)],
        now=WITH_URL,
    ),
}


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [
        (None, "'*'"),
        (["*"], "'*'"),
        (["https://shop.example"], "'https://shop.example'"),
        (["https://shop.example", "https://www.shop.example"], "'*'"),
    ],
    ids=["default", "any", "one", "several"],
)
def test_the_cors_preflight_allows_the_configured_origin(
    origins: list[str] | None, allowed: str
) -> None:
    """API Gateway cannot choose among several; it then allows any, as by default."""
    document = {} if origins is None else {"allowed_origins": origins}

    answers = [
        step.preflight.response_parameters()["method.response.header.Access-Control-Allow-Origin"]
        for step in planned(EMPTY, **document)
        if isinstance(step, PutCorsPreflight)
    ]

    assert answers == [allowed] * 4


TABLES = {**API, **ACCESS, **URLS}


@pytest.mark.parametrize("case", TABLES.values(), ids=TABLES)
def test_a_deviation_has_its_steps(case: Case) -> None:
    """These steps and no others; after them, nothing is left to do."""
    case.check()
