"""The calls for the role, log groups and functions: one deviation per row, with parameters.

botocore checks the parameters against AWS's own model of each operation.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.aws import Json, Refusal, role_answer
from tests.support.calls import NOW, Call, Case, call
from tests.support.configurations import URL
from tests.support.state.cloud import (
    API,
    FUNCTIONS,
    HERE,
    LAMBDA,
    TRACK,
    url_of,
)
from tests.support.state.deviations import (
    change_function,
    change_role,
    deploy_with,
    existing,
    publish,
    remove,
    remove_function,
    remove_log_group,
    set_log_group,
)
from tests.support.state.seen import role_policy
from tests.support.state.settled import ARCHIVE, desired, settled

TRUST = Json(
    Version="2012-10-17",
    Statement=[{"Effect": "Allow", "Principal": {"Service": LAMBDA}, "Action": "sts:AssumeRole"}],
)
POLICY = Json(role_policy(HERE, FUNCTIONS))
MARK = {"gimel": "gimel"}
TAGS = {**MARK, "team": "web"}
TAGGED: dict[str, Any] = {"aws": {"tags": {"team": "web"}}}
DEPLOY = desired().fingerprint
LOGS = f"/aws/lambda/{TRACK}"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
LIVE = {"FunctionName": TRACK, "Qualifier": "live"}
URL_ANSWER = {
    "FunctionUrl": url_of(TRACK),
    "FunctionArn": HERE.function(TRACK),
    "AuthType": "NONE",
    "CreationTime": "2026-01-15T12:00:00.000+0000",
}
IN_VPC: dict[str, Any] = {"aws": {"vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}}}
IN_A_VPC = desired(**IN_VPC).fingerprint


def settings_of(name: str = TRACK, **document: Any) -> dict[str, Any]:
    """Return what Lambda is told of a function, beside its code."""
    made = {each.name: each.configuration for each in desired(**document).functions}[name]
    return {
        "FunctionName": name,
        "Role": HERE.role,
        "Handler": made.handler,
        "Runtime": "python3.13",
        "MemorySize": made.memory,
        "Timeout": made.timeout,
        "VpcConfig": {
            "SubnetIds": list(made.subnets),
            "SecurityGroupIds": list(made.security_groups),
        },
        "Environment": {"Variables": {"GIMEL_SETTINGS": made.settings}},
    }


def described(deploy: int, changes: str, **document: Any) -> str:
    """Return the description of a version that the deploy of this configuration publishes."""
    return f"gimel deploy {deploy} ={desired(**document).fingerprint} by user/operator: {changes}"


def published(version: str, changes: str, earlier: str = "1:1") -> list[Call]:
    """Return the calls that make a new version live, both of which say which deploy this is."""
    said = described(int(version), changes)
    return [
        call("PublishVersion", {"Version": version}, FunctionName=TRACK, Description=said),
        moved(version, f"{version}:{version}@{NOW} {earlier}"),
    ]


def moved(version: str, history: str) -> Call:
    """Return the call that moves the alias; a share of another version ends with it."""
    return call(
        "UpdateAlias",
        FunctionName=TRACK,
        Name="live",
        FunctionVersion=version,
        Description=f"gimel {history} ={DEPLOY}",
        RoutingConfig={"AdditionalVersionWeights": {}},
    )


def allowed(statement: str, **permission: Any) -> Call:
    """Return the call that gives a permission."""
    return call("AddPermission", **LIVE, StatementId=statement, **permission)


def forbidden(statement: str) -> Call:
    """Return the call that takes a permission away."""
    return call("RemovePermission", **LIVE, StatementId=statement)


FROM_API = allowed(
    "gimel-api",
    Action="lambda:InvokeFunction",
    Principal="apigateway.amazonaws.com",
    SourceArn=HERE.callers(API),
)
FROM_URL = allowed(
    "gimel-url", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE"
)
FROM_URL_TOO = allowed(
    "gimel-url-invoke", Action="lambda:InvokeFunction", Principal="*", InvokedViaFunctionUrl=True
)

ROLE = {
    "role deleted": Case(
        [
            call(
                "CreateRole",
                role_answer(),
                RoleName="gimel",
                AssumeRolePolicyDocument=TRUST,
                Tags=[{"Key": "gimel", "Value": "gimel"}],
            ),
            call("PutRolePolicy", RoleName="gimel", PolicyName="gimel", PolicyDocument=POLICY),
        ],
        [remove("role")],
    ),
    "role deleted, with tags and a boundary": Case(
        [
            call(
                "CreateRole",
                role_answer(),
                RoleName="gimel",
                AssumeRolePolicyDocument=TRUST,
                Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
                PermissionsBoundary=BOUNDARY,
            ),
            call("PutRolePolicy", RoleName="gimel", PolicyName="gimel", PolicyDocument=POLICY),
        ],
        [remove("role")],
        now={"aws": {"tags": {"team": "web"}, "permissions_boundary": BOUNDARY}},
    ),
    "a permissions boundary wanted": Case(
        [call("PutRolePermissionsBoundary", RoleName="gimel", PermissionsBoundary=BOUNDARY)],
        now={"aws": {"permissions_boundary": BOUNDARY}},
        before={},
    ),
    "Lambda not trusted": Case(
        [call("UpdateAssumeRolePolicy", RoleName="gimel", PolicyDocument=TRUST)],
        [change_role(trusted=frozenset())],
    ),
    "log group deleted": Case(
        [
            call("CreateLogGroup", logGroupName=LOGS, tags=MARK),
            call("PutRetentionPolicy", logGroupName=LOGS, retentionInDays=30),
        ],
        [remove_log_group(TRACK)],
    ),
    "log group deleted, with tags": Case(
        [
            call("CreateLogGroup", logGroupName=LOGS, tags=TAGS),
            call("PutRetentionPolicy", logGroupName=LOGS, retentionInDays=30),
        ],
        [remove_log_group(TRACK)],
        now=TAGGED,
    ),
    "logs kept for ever": Case(
        [call("PutRetentionPolicy", logGroupName=LOGS, retentionInDays=30)],
        [set_log_group(TRACK, None)],
    ),
}

FIRST = call(
    "CreateAlias",
    FunctionName=TRACK,
    Name="live",
    FunctionVersion="1",
    Description=f"gimel 1:1@{NOW} ={DEPLOY}",
)
CREATED = [
    call(
        "CreateFunction",
        {"Version": "1"},
        **settings_of(),
        Code={"ZipFile": ARCHIVE},
        Architectures=["arm64"],
        Publish=True,
        Description=described(1, "created"),
        Tags=MARK,
    ),
    FIRST,
    FROM_API,
]

FUNCTION = {
    "function deleted": Case(CREATED, [remove_function(TRACK)]),
    "function deleted, with tags": Case(
        [
            Call("CreateFunction", {**CREATED[0].given, "Tags": TAGS}, {"Version": "1"}),
            *CREATED[1:],
        ],
        [remove_function(TRACK)],
        now=TAGGED,
    ),
    "function deleted, in a VPC": Case(
        [
            Call(
                "CreateFunction",
                {
                    **CREATED[0].given,
                    **settings_of(**IN_VPC),
                    "Description": described(1, "created", **IN_VPC),
                },
                {"Version": "1"},
            ),
            Call(
                "CreateAlias",
                {**FIRST.given, "Description": f"gimel 1:1@{NOW} ={IN_A_VPC}"},
            ),
            FROM_API,
        ],
        [remove_function(TRACK)],
        now=IN_VPC,
    ),
    "another memory size": Case(
        [
            call("UpdateFunctionConfiguration", **settings_of()),
            *published("2", "memory 512 -> 128 MB"),
        ],
        [deploy_with(TRACK, memory=512)],
    ),
    "a role with a path": Case(
        [
            call(
                "UpdateFunctionConfiguration",
                **{**settings_of(), "Role": "arn:aws:iam::1:role/a/gimel"},
            ),
            *published("2", "memory 512 -> 128 MB"),
        ],
        [
            change_role(arn="arn:aws:iam::1:role/a/gimel"),
            deploy_with(TRACK, memory=512),
        ],
    ),
    "other code": Case(
        [
            call(
                "UpdateFunctionCode",
                FunctionName=TRACK,
                ZipFile=ARCHIVE,
                Architectures=["arm64"],
            ),
            *published("2", "code"),
        ],
        [deploy_with(TRACK, code_sha256="other")],
    ),
    "updated and not published": Case(
        published("2", "memory 512 -> 128 MB"),
        [
            deploy_with(TRACK, memory=512),
            change_function(TRACK, latest=existing(settled().functions[TRACK].serving)),
        ],
    ),
    "too many versions": Case(
        [
            call("UpdateFunctionConfiguration", **settings_of()),
            call("DeleteFunction", FunctionName=TRACK, Qualifier="1"),
            *published("6", "memory 288 -> 128 MB", "5:5 4:4 3:3 2:2 ..."),
        ],
        [publish(TRACK, 160, 192, 224, 256, 288, live=5)],
    ),
    "alias rolled back": Case(
        [moved("2", f"2:2@{NOW} 1:1")],
        [
            publish(TRACK, 256, 128, live=1),
            change_function(
                TRACK,
                history="gimel 1:1",
                described={2: described(2, "memory 256 -> 128 MB")},
            ),
        ],
    ),
    "alias deleted": Case(
        [FIRST, FROM_API],
        [change_function(TRACK, live=None)],
    ),
    "concurrency changed by hand": Case(
        [call("PutFunctionConcurrency", FunctionName=TRACK, ReservedConcurrentExecutions=0)],
        [change_function(TRACK, reserved=50)],
        now={"aws": {"functions": {TRACK: {"reserved_concurrency": 0}}}},
    ),
    "concurrency given back": Case(
        [
            call("DeleteFunctionConcurrency", FunctionName=TRACK),
            call("PutRolePolicy", RoleName="gimel", PolicyName="gimel", PolicyDocument=POLICY),
        ],
        now={},
        before={"aws": {"functions": {TRACK: {"reserved_concurrency": 0}}}},
    ),
    "permission deleted": Case([FROM_API], [change_function(TRACK, callers=None)]),
    "permission of another API": Case(
        [forbidden("gimel-api"), FROM_API],
        [change_function(TRACK, callers=HERE.callers("other"))],
    ),
    "permission for anybody": Case(
        [forbidden("gimel-api"), FROM_API], [change_function(TRACK, callers="")]
    ),
    "permission kept by a deleted alias": Case(
        [
            FIRST,
            Call(
                "AddPermission",
                FROM_API.given,
                Refusal("ResourceConflictException", "The statement id already exists", 409),
            ),
            forbidden("gimel-api"),
            FROM_API,
        ],
        [change_function(TRACK, live=None)],
    ),
    "URL wanted": Case(
        [
            FROM_URL,
            FROM_URL_TOO,
            call("CreateFunctionUrlConfig", URL_ANSWER, **LIVE, AuthType="NONE"),
        ],
        now={"extra_wiring": [URL]},
        before={},
    ),
    "URL no longer wanted": Case(
        [
            call("DeleteFunctionUrlConfig", **LIVE),
            forbidden("gimel-url"),
            forbidden("gimel-url-invoke"),
        ],
        now={},
        before={"extra_wiring": [URL]},
    ),
}

TABLES = {**ROLE, **FUNCTION}


@pytest.mark.parametrize("case", TABLES.values(), ids=TABLES)
def test_a_deviation_has_its_calls(case: Case) -> None:
    """These and no others, with these parameters."""
    case.check()
