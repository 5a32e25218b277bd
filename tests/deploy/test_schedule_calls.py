"""The calls for the rule of a schedule, its target and its permission: one deviation per row.

botocore checks the parameters against AWS's own model of each operation.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from gimel.deploy.resources.base import Run
from gimel.errors import GimelError
from tests.support.aws import Json, Script
from tests.support.calls import Case, call
from tests.support.state.cases import planned
from tests.support.state.cloud import HERE, SNAPSHOT, WITH_ROUTES
from tests.support.state.deviations import change_function, change_rule, deviate, remove_rule
from tests.support.state.names import as_pairs
from tests.support.state.seen import identity_of, role_policy
from tests.support.state.settled import settled

MARK = {"gimel": "gimel"}

PUT = call(
    "PutRule",
    Name=SNAPSHOT,
    ScheduleExpression="cron(5 0 * * ? *)",
    State="ENABLED",
    Description="Calls the function gimel-snapshot, for Gimel",
)
TARGET = call(
    "PutTargets",
    {"FailedEntryCount": 0},
    Rule=SNAPSHOT,
    Targets=[{"Id": "gimel", "Arn": HERE.alias(SNAPSHOT)}],
)

TABLES = {
    "rule deleted": Case(
        [replace(PUT, given={**PUT.given, "Tags": as_pairs(MARK)}), TARGET],
        [remove_rule(SNAPSHOT)],
    ),
    "rule disabled": Case([PUT], [change_rule(SNAPSHOT, is_enabled=False)]),
    "target removed": Case([TARGET], [change_rule(SNAPSHOT, target=None)]),
    "permission removed": Case(
        [
            call(
                "AddPermission",
                FunctionName=SNAPSHOT,
                Qualifier="live",
                StatementId="gimel-schedule",
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
                SourceArn=HERE.rule(SNAPSHOT),
            )
        ],
        [change_function(SNAPSHOT, rule=None)],
    ),
    "permission for anyone": Case(
        [
            call(
                "RemovePermission",
                FunctionName=SNAPSHOT,
                Qualifier="live",
                StatementId="gimel-schedule",
            ),
            call(
                "AddPermission",
                FunctionName=SNAPSHOT,
                Qualifier="live",
                StatementId="gimel-schedule",
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
                SourceArn=HERE.rule(SNAPSHOT),
            ),
        ],
        [change_function(SNAPSHOT, rule="")],
    ),
    "switched off": Case(
        [
            call("RemoveTargets", Rule=SNAPSHOT, Ids=["theirs", "gimel"]),
            call("DeleteRule", Name=SNAPSHOT),
            call("DeleteFunction", FunctionName=SNAPSHOT),
            call("DeleteLogGroup", logGroupName="/aws/lambda/gimel-snapshot"),
            call(
                "PutRolePolicy",
                RoleName="gimel",
                PolicyName="gimel",
                PolicyDocument=Json(role_policy(HERE, WITH_ROUTES)),
            ),
        ],
        [change_rule(SNAPSHOT, theirs=frozenset({"theirs"}))],
        now={"snapshots": False},
        before={},
    ),
}


@pytest.mark.parametrize("case", TABLES.values(), ids=TABLES)
def test_a_deviation_has_its_calls(case: Case) -> None:
    """These and no others, with these parameters."""
    case.check()


def test_a_target_that_eventbridge_does_not_accept_is_an_error() -> None:
    """AWS answers such a call with 200."""
    steps = planned(deviate(settled(), change_rule(SNAPSHOT, target=None)))
    refused = {"TargetId": "gimel", "ErrorCode": "Limit", "ErrorMessage": "too many targets"}
    answer = {"FailedEntryCount": 1, "FailedEntries": [refused]}

    script = Script().expect_any("PutTargets", answer)
    with pytest.raises(GimelError, match="too many targets"):
        steps[0].perform(Run(script.aws(), identity_of(HERE)))
