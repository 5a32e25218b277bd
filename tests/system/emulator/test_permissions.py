"""Least privilege: `gimel iam-policy` prints the policy that every command needs, and no more."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.support.environments import python_with
from tests.support.operator import LIFE, Operator, actions, without
from tests.support.state.cloud import FUNCTIONS, HERE
from tests.support.state.seen import role_policy
from tests.support.state.settled import configuration
from tests.support.warm_process import Commands

# The first command of LIFE that fails without the action.
NEEDED_BY = {
    "first deploy": [
        "apigateway:GET",
        "apigateway:PATCH",
        "apigateway:POST",
        "apigateway:PUT",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "ec2:GetSecurityGroupsForVpc",
        "events:DescribeRule",
        "events:PutRule",
        "events:PutTargets",
        "events:TagResource",
        "iam:CreateRole",
        "iam:GetRole",
        "iam:PassRole",
        "iam:PutRolePolicy",
        "lambda:AddPermission",
        "lambda:CreateAlias",
        "lambda:CreateFunction",
        "lambda:CreateFunctionUrlConfig",
        "lambda:InvokeFunction",
        "lambda:ListFunctions",
        "lambda:PutFunctionConcurrency",
        "logs:CreateLogGroup",
        "logs:DescribeLogGroups",
        "logs:PutRetentionPolicy",
    ],
    "second deploy": [
        "apigateway:DELETE",
        "events:ListTargetsByRule",
        "events:UntagResource",
        "iam:GetRolePolicy",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "lambda:DeleteFunctionConcurrency",
        "lambda:DeleteFunctionUrlConfig",
        "lambda:GetFunction",
        "lambda:GetFunctionConcurrency",
        "lambda:GetFunctionConfiguration",
        "lambda:GetFunctionUrlConfig",
        "lambda:GetPolicy",
        "lambda:ListAliases",
        "lambda:ListVersionsByFunction",
        "lambda:PublishVersion",
        "lambda:RemovePermission",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateAlias",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "logs:TagResource",
        "logs:UntagResource",
    ],
    "repair": ["events:ListTagsForResource", "lambda:ListTags", "logs:ListTagsForResource"],
    "destroy": [
        "events:DeleteRule",
        "events:RemoveTargets",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "lambda:DeleteFunction",
        "logs:DeleteLogGroup",
    ],
}

# Each action takes a command on the emulator, so CI tries every seventh one.
STEP = 1 if "GIMEL_EVERY_ACTION" in os.environ else 7

# What only preflight, `gimel logs` and `gimel status` call; they work without it, and say so.
ONLY_READ = [
    "cloudwatch:GetMetricData",
    "iam:SimulatePrincipalPolicy",
    "lambda:GetAccountSettings",
    "logs:FilterLogEvents",
]


def test_the_policy_is_enough(operator: Operator, commands: Commands) -> None:
    """From the first deploy to destroy, each command in a process: nothing is refused or left."""
    operator.begin(operator.least())

    for name, (line, document) in LIFE.items():
        if name == "second deploy":
            operator.trust_another_service()
        if name == "repair":
            operator.delete_by_hand()
        operator.account.configure(**document)
        done = operator.type_in_a_shell(commands, *line.split())
        assert done.code == 0, done.stderr

    assert operator.left() == {}


KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
LINT = """
import json, sys, parliament
found = [parliament.analyze_policy_string(json.dumps(each)) for each in json.load(sys.stdin)]
print(json.dumps([[[each.issue, each.detail] for each in one.findings] for one in found]))
"""


def test_a_linter_finds_nothing_wrong_with_it(operator: Operator) -> None:
    """Every action exists and applies to its resources, by AWS's tables in parliament.

    The same holds for the role of functions that read a secret.
    """
    policies: list[object] = [operator.least()]
    for secret in ({"ssm": "/p"}, {"secretsmanager": "s"}):
        redis = {"host": "h", "password": {**secret, "kms_key": KEY}}
        policies.append(role_policy(HERE, FUNCTIONS, secret=configuration(redis=redis).secret))
    linter = [str(python_with("parliament==1.6.4", "setuptools<80")), "-c", LINT]

    done = subprocess.run(
        linter, input=json.dumps(policies), capture_output=True, text=True, check=True
    )

    # Lambda asks EC2 about every network before it puts a function into one.
    networks = [["RESOURCE_STAR", ["ec2:GetSecurityGroupsForVpc"]]]
    assert json.loads(done.stdout) == [networks, [], []]


def test_every_action_of_the_policy_is_listed_here(operator: Operator) -> None:
    """So that each can be tried below."""
    listed = [action for needed in NEEDED_BY.values() for action in needed]

    assert sorted([*listed, *ONLY_READ]) == actions(operator.least())


@pytest.mark.parametrize(
    ("command", "action"),
    [(command, action) for command, needed in NEEDED_BY.items() for action in needed[::STEP]],
)
def test_an_action_is_needed(operator: Operator, command: str, action: str) -> None:
    """Without it the command fails, and the error names the missing action."""
    operator.begin(without(operator.least(), action), before=command)

    done = operator.type(*LIFE[command][0].split())

    assert done.code == 1
    assert f"AWS does not allow {action}:" in done.stderr


@pytest.mark.parametrize("command", LIFE)
def test_no_earlier_command_needs_an_action(operator: Operator, command: str) -> None:
    """Each command succeeds without the actions that only later ones need."""
    order = list(LIFE)
    later = [
        action
        for name, needed in NEEDED_BY.items()
        if order.index(name) > order.index(command)
        for action in needed
    ]
    operator.begin(without(operator.least(), *later), before=command)

    done = operator.type(*LIFE[command][0].split())

    assert done.code == 0, done.stderr
