"""The plan for the role and the log groups: one deviation per row, and its steps."""

from __future__ import annotations

import pytest

from tests.support.state.cases import Case
from tests.support.state.cloud import ALL, FUNCTIONS, HERE, TRACK, Place
from tests.support.state.deviations import (
    change_function,
    change_role,
    remove,
    remove_log_group,
    set_log_group,
)
from tests.support.state.expected import step, steps
from tests.support.state.names import (
    CreateLogGroup,
    CreateRole,
    PutRolePolicy,
    SetBoundary,
    SetLogRetention,
    TrustLambda,
)
from tests.support.state.seen import role_policy

ELSEWHERE = Place("eu-west-1")
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
BY_HAND = {"Sid": "ByHand", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}

ROLE = {
    "role deleted": Case([step(CreateRole), step(PutRolePolicy, interim=False)], [remove("role")]),
    "Lambda not trusted": Case([step(TrustLambda)], [change_role(trusted=frozenset())]),
    "another service trusted instead": Case(
        [step(TrustLambda)], [change_role(trusted=frozenset({"ec2.amazonaws.com"}))]
    ),
    "another service trusted too": Case(
        [step(TrustLambda)],
        [change_role(trusted=frozenset({"lambda.amazonaws.com", "ec2.amazonaws.com"}))],
    ),
    "policy deleted": Case([step(PutRolePolicy, interim=False)], [change_role(policy=None)]),
    "policy of fewer functions": Case(
        [step(PutRolePolicy, interim=False)],
        [change_role(policy=role_policy(HERE, [TRACK, ALL]))],
    ),
    "policy allows more by hand": Case(
        [step(PutRolePolicy, interim=False)],
        [change_role(policy={"Statement": [*role_policy(HERE, FUNCTIONS)["Statement"], BY_HAND]})],
    ),
    "policy allows every log": Case(
        [step(PutRolePolicy, interim=False)],
        [
            change_role(
                policy={
                    "Statement": {
                        "Effect": "Allow",
                        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                        "Resource": "*",
                    }
                }
            )
        ],
    ),
    "policy of another region only": Case(
        [step(PutRolePolicy, interim=False)],
        [change_role(policy=role_policy(ELSEWHERE, FUNCTIONS))],
    ),
    "policy of another region too": Case(
        [],
        [
            change_role(
                policy=role_policy(HERE, FUNCTIONS, before=role_policy(ELSEWHERE, FUNCTIONS))
            )
        ],
    ),
    "a permissions boundary wanted": Case(
        [step(SetBoundary, boundary=BOUNDARY)],
        now={"aws": {"permissions_boundary": BOUNDARY}},
        before={},
    ),
    "another permissions boundary by hand": Case(
        [step(SetBoundary, boundary=BOUNDARY)],
        [change_role(boundary="arn:aws:iam::123456789012:policy/other")],
        now={"aws": {"permissions_boundary": BOUNDARY}},
    ),
    "a permissions boundary by hand": Case([], [change_role(boundary=BOUNDARY)]),
    "role deleted, with a permissions boundary": Case(
        [step(CreateRole, boundary=BOUNDARY), step(PutRolePolicy, interim=False)],
        [remove("role")],
        now={"aws": {"permissions_boundary": BOUNDARY}},
    ),
    "role and functions with a path": Case(
        [],
        [
            change_role(arn="arn:aws:iam::123456789012:role/apps/gimel"),
            *(
                change_function(name, role="arn:aws:iam::123456789012:role/apps/gimel")
                for name in FUNCTIONS
            ),
        ],
    ),
}

LOG_GROUPS = {
    "log group deleted": Case(
        [step(CreateLogGroup, function=TRACK, days=30)], [remove_log_group(TRACK)]
    ),
    "logs kept for ever": Case(
        [step(SetLogRetention, function=TRACK, days=30, before=None)], [set_log_group(TRACK, None)]
    ),
    "logs kept for a week": Case(
        [step(SetLogRetention, function=TRACK, days=30, before=7)], [set_log_group(TRACK, 7)]
    ),
    "another retention wanted": Case(
        steps(SetLogRetention, "function", FUNCTIONS, days=90),
        now={"aws": {"log_retention_days": 90}},
        before={},
    ),
}

TABLES = {**ROLE, **LOG_GROUPS}


@pytest.mark.parametrize("case", TABLES.values(), ids=TABLES)
def test_a_deviation_has_its_steps(case: Case) -> None:
    """These steps and no others; after them, nothing is left to do."""
    case.check()
