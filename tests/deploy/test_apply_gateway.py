"""The calls for the REST API, its key, tags and the removal: one deviation per row.

botocore checks the parameters against AWS's own model of each operation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.deploy import test_apply_functions, test_schedule_calls
from tests.support.aws import Json
from tests.support.calls import Call, Case, call
from tests.support.configurations import LINKED, ROUTED, SECOND_PATH, URL
from tests.support.state.cloud import (
    API,
    FUNCTIONS,
    HERE,
    KEY,
    KEY_VALUE,
    OUR_STAGE,
    PLAN,
    RESPONSES,
    ROOT,
    SNAPSHOT,
    TRACK,
    Method,
    Place,
    cors_answer,
)
from tests.support.state.deviations import (
    add_method,
    add_path,
    change_api,
    change_method,
    change_plan,
    change_role,
    disable_key,
    remove,
    set_gateway_response,
)
from tests.support.state.names import STEPS, CreateApi, MoveBack, as_pairs, record_of
from tests.support.state.seen import deployment, role_policy
from tests.support.state.settled import desired

IN_API = {"restApiId": API}
ON_TRACK = {**IN_API, "resourceId": "track-id"}
QUERY = {
    f"method.request.querystring.{name}": False
    for name in ("namespace", "experiment", "variant", "event", "uuid")
}


def patched(path: str, value: str, op: str = "replace") -> dict[str, str]:
    """Return one operation of a patch."""
    return {"op": op, "path": path, "value": value}


def wired(where: dict[str, str], method: str, key: bool = False, **more: Any) -> list[Call]:
    """Return the calls that wire a method to the tracking function."""
    return [
        call(
            "PutMethod",
            **where,
            httpMethod=method,
            authorizationType="NONE",
            apiKeyRequired=key,
            **more,
        ),
        call(
            "PutIntegration",
            **where,
            httpMethod=method,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=HERE.integration(TRACK),
        ),
    ]


def answered(where: dict[str, str], *methods: str) -> list[Call]:
    """Return the calls that have the gateway answer CORS preflight requests itself."""
    which: dict[str, Any] = {**where, "httpMethod": "OPTIONS"}
    headers = cors_answer(methods)
    return [
        call("PutMethod", **which, authorizationType="NONE", apiKeyRequired=False),
        call(
            "PutIntegration",
            **which,
            type="MOCK",
            requestTemplates={"application/json": '{"statusCode": 200}'},
        ),
        call(
            "PutMethodResponse",
            **which,
            statusCode="200",
            responseParameters=dict.fromkeys(headers, False),
        ),
        call("PutIntegrationResponse", **which, statusCode="200", responseParameters=headers),
    ]


def deployed(**document: Any) -> Call:
    """Return the call that makes the methods of a configuration live."""
    description = deployment(desired(**document), HERE)
    return call("CreateDeployment", **IN_API, stageName="prod", description=description)


def throttled(rate: str, burst: str) -> Call:
    """Return the call that limits the stage."""
    patch = [
        patched("/*/*/throttling/rateLimit", rate),
        patched("/*/*/throttling/burstLimit", burst),
    ]
    return call("UpdateStage", **IN_API, stageName="prod", patchOperations=patch)


NEW_PATH = {**IN_API, "resourceId": "t-id"}
WITH_PATH = {"extra_wiring": [SECOND_PATH]}

API_CASES = {
    "a second path wanted": Case(
        [
            call("CreateResource", {"id": "t-id"}, **IN_API, parentId=ROOT, pathPart="t"),
            *wired(NEW_PATH, "GET"),
            *answered(NEW_PATH, "GET"),
            deployed(**WITH_PATH),
        ],
        now=WITH_PATH,
        before={},
    ),
    "a path that left the wiring": Case(
        [call("DeleteResource", **NEW_PATH), deployed()], now={}, before=WITH_PATH
    ),
    "path added by hand": Case(
        [call("DeleteResource", **IN_API, resourceId="old-id")], [add_path("old")]
    ),
    "method added by hand": Case(
        [call("DeleteMethod", **ON_TRACK, httpMethod="PUT")], [add_method("track", "PUT", Method())]
    ),
    "method changed": Case(
        [
            call("DeleteMethod", **ON_TRACK, httpMethod="GET"),
            *wired(ON_TRACK, "GET", requestParameters=QUERY),
        ],
        [change_method("track", "GET", integration=None)],
    ),
    "method without parameters changed": Case(
        [call("DeleteMethod", **ON_TRACK, httpMethod="POST"), *wired(ON_TRACK, "POST")],
        [change_method("track", "POST", integration=None)],
    ),
    "preflight changed": Case(
        [
            call("DeleteMethod", **ON_TRACK, httpMethod="OPTIONS"),
            *answered(ON_TRACK, "GET", "POST"),
        ],
        [change_method("track", "OPTIONS", answer=None)],
    ),
    "gateway response deleted": Case(
        [
            call(
                "PutGatewayResponse",
                **IN_API,
                responseType="DEFAULT_4XX",
                responseParameters=RESPONSES["DEFAULT_4XX"],
            )
        ],
        [set_gateway_response("DEFAULT_4XX", None)],
    ),
    "deployed by hand": Case([deployed()], [change_api(deployed="by hand")]),
    "throttle changed": Case([throttled("3", "2000")], [change_api(rate=5)]),
    "a fraction of a request a second": Case(
        [throttled("12345.678", "7")],
        now={"aws": {"throttle": {"rate": 12345.678, "burst": 7}}},
        before={},
    ),
}

MARK = {"gimel": "gimel"}
API_ARN = f"arn:aws:apigateway:{HERE.region}::/restapis/{API}"
KEY_ANSWER = {"id": KEY, "value": KEY_VALUE, "name": "gimel", "enabled": True}
ADDED = call("CreateUsagePlanKey", usagePlanId=PLAN, keyId=KEY, keyType="API_KEY")

KEY_CASES = {
    "key deleted": Case(
        [
            call(
                "CreateApiKey",
                KEY_ANSWER,
                name="gimel",
                enabled=True,
                description="The API key of Gimel",
                tags=MARK,
            ),
            ADDED,
        ],
        [remove("key"), change_plan(keys=frozenset())],
    ),
    "key without a mark": Case(
        [
            call(
                "UpdateApiKey",
                apiKey=KEY,
                patchOperations=[patched("/description", "The API key of Gimel")],
            ),
            call("TagResource", resourceArn=API_ARN, tags=MARK),
            *(call("TagResource", Resource=HERE.function(name), Tags=MARK) for name in FUNCTIONS),
            *(
                call("TagResource", resourceArn=HERE.log_group(name), tags=MARK)
                for name in FUNCTIONS
            ),
            call("TagResource", ResourceARN=HERE.rule(SNAPSHOT), Tags=as_pairs(MARK)),
        ],
        [change_api(tags={}), lambda there: replace(there, key_is_marked=False)],
        in_any_order=True,
    ),
    "key disabled": Case(
        [call("UpdateApiKey", apiKey=KEY, patchOperations=[patched("/enabled", "true")])],
        [disable_key()],
    ),
    "usage plan deleted": Case(
        [
            call(
                "CreateUsagePlan",
                {"id": PLAN},
                name="gimel",
                apiStages=[{"apiId": API, "stage": "prod"}],
                tags=MARK,
            ),
            ADDED,
        ],
        [remove("plan")],
    ),
    "usage plan without the stage": Case(
        [
            call(
                "UpdateUsagePlan",
                usagePlanId=PLAN,
                patchOperations=[patched("/apiStages", OUR_STAGE, "add")],
            )
        ],
        [change_plan(stages=frozenset())],
    ),
    "usage plan without the key": Case([ADDED], [change_plan(keys=frozenset())]),
}


TAG = {"team": "web"}

TAG_CASES = {
    "tags wanted": Case(
        [
            *(call("TagResource", Resource=HERE.function(name), Tags=TAG) for name in FUNCTIONS),
            *(
                call("TagResource", resourceArn=HERE.log_group(name), tags=TAG)
                for name in FUNCTIONS
            ),
            call("TagResource", ResourceARN=HERE.rule(SNAPSHOT), Tags=as_pairs(TAG)),
            call("TagResource", resourceArn=API_ARN, tags={**TAG, **record_of(TAG)}),
            call("TagRole", RoleName="gimel", Tags=[{"Key": "team", "Value": "web"}]),
        ],
        now={"aws": {"tags": TAG}},
        before={},
        in_any_order=True,
    ),
    "tags no longer wanted": Case(
        [
            *(
                call("UntagResource", Resource=HERE.function(name), TagKeys=["team"])
                for name in FUNCTIONS
            ),
            *(
                call("UntagResource", resourceArn=HERE.log_group(name), tagKeys=["team"])
                for name in FUNCTIONS
            ),
            call("UntagResource", ResourceARN=HERE.rule(SNAPSHOT), TagKeys=["team"]),
            call("UntagResource", resourceArn=API_ARN, tagKeys=["gimel:tags", "team"]),
            call("UntagRole", RoleName="gimel", TagKeys=["team"]),
        ],
        now={},
        before={"aws": {"tags": TAG}},
        in_any_order=True,
    ),
}

ELSEWHERE = role_policy(Place("eu-west-1"), FUNCTIONS)
REMOVED = [
    call(
        "UpdateUsagePlan",
        usagePlanId=PLAN,
        patchOperations=[patched("/apiStages", OUR_STAGE, "remove")],
    ),
    call("DeleteUsagePlan", usagePlanId=PLAN),
    call("DeleteApiKey", apiKey=KEY),
    call("DeleteRestApi", **IN_API),
    call("RemoveTargets", Rule=SNAPSHOT, Ids=["gimel"]),
    call("DeleteRule", Name=SNAPSHOT),
    *(call("DeleteFunction", FunctionName=name) for name in FUNCTIONS),
    *(call("DeleteLogGroup", logGroupName=f"/aws/lambda/{name}") for name in FUNCTIONS),
]
UNLINKED = [call("DeleteFunctionUrlConfig", FunctionName=TRACK, Qualifier="live")]

UNWIRED_CASES = {
    "a function no longer wired, but with a URL": Case(
        [
            call("DeleteResource", **IN_API, resourceId="linked-id"),
            deployed(extra_wiring=[LINKED]),
            call(
                "RemovePermission",
                FunctionName="linked",
                Qualifier="live",
                StatementId="gimel-api",
            ),
        ],
        now={"extra_wiring": [LINKED]},
        before={"extra_wiring": [LINKED, ROUTED]},
    ),
}

DESTROY_CASES = {
    "a destroy": Case(
        [
            *REMOVED,
            *UNLINKED,
            call("DeleteRolePolicy", RoleName="gimel", PolicyName="gimel"),
            call("DeleteRole", RoleName="gimel"),
        ],
        now={"extra_wiring": [URL]},
        destroy=True,
        in_any_order=True,
    ),
    "a destroy of one region of two": Case(
        [
            *REMOVED,
            call(
                "PutRolePolicy",
                RoleName="gimel",
                PolicyName="gimel",
                PolicyDocument=Json(ELSEWHERE),
            ),
        ],
        [change_role(policy=role_policy(HERE, FUNCTIONS, before=ELSEWHERE))],
        destroy=True,
        in_any_order=True,
    ),
}

TABLES = {**UNWIRED_CASES, **API_CASES, **KEY_CASES, **TAG_CASES, **DESTROY_CASES}


@pytest.mark.parametrize("case", TABLES.values(), ids=TABLES)
def test_a_deviation_has_its_calls(case: Case) -> None:
    """These and no others, with these parameters."""
    case.check()


def test_the_tables_have_every_kind_of_step() -> None:
    """Except for CreateApi, whose calls depend on what else exists: see test_apply.

    Deploys do not make the step of a rollback: see test_rollback.
    """
    others = (test_apply_functions.TABLES, test_schedule_calls.TABLES)
    cases = [*TABLES.values(), *(each for table in others for each in table.values())]

    kinds = {type(step) for case in cases for step in case.planned()[0]}

    assert set(STEPS) - kinds == {CreateApi, MoveBack}
