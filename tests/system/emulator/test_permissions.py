"""The least rights: a user who holds only `gimel iam-policy`'s output can run every command, and needs all of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

from tests.support.environments import python_with
from tests.support.operator import FIRST, THEN, Done, Operator, actions, without

# In this order. Where nothing is said, the configuration is as it was.
LIFE: list[tuple[str, dict[str, Any] | None]] = [
    ("deploy --yes --no-preflight", FIRST),
    ("results --json", None),
    ("delete some-experiment --yes", None),
    ("deploy --yes --no-preflight", THEN),
    ("status", None),
    ("rollback", None),
    ("destroy --yes", None),
]

# The first of the commands that fails without it, where that is not the first deploy.
NEEDED_BY = dict.fromkeys(
    [
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "lambda:DeleteFunction",
        "lambda:DeleteFunctionUrlConfig",
        "lambda:RemovePermission",
        "logs:DeleteLogGroup",
    ],
    "destroy",
)


def live_a_whole_life(operator: Operator, type_: Callable[..., Done]) -> tuple[str, Done]:
    """Type the commands one after the other until one fails. Returns the last one, and what it came to."""
    for line, configuration in LIFE:
        if configuration is THEN:
            trust_another_service(operator)
        if configuration is not None:
            operator.account.configure(**configuration)
        done = type_(*line.split())
        if done.code:
            break
    return line.split()[0], done


def trust_another_service(operator: Operator) -> None:
    """Done by hand meanwhile: deploy puts it right."""
    other = {
        "Effect": "Allow",
        "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [other]})
    operator.owner("iam").update_assume_role_policy(RoleName="gimel", PolicyDocument=trust)


def test_the_policy_is_enough(operator: Operator) -> None:
    """Typed in a shell, from the first deploy to destroy: nothing is refused, and nothing is left."""
    operator.begin(operator.least())

    command, done = live_a_whole_life(operator, operator.type_in_a_shell)

    assert (command, done.code) == ("destroy", 0), done.stderr
    assert operator.left() == {}


LINT = """
import json, sys, parliament
found = parliament.analyze_policy_string(sys.stdin.read()).findings
print(json.dumps([[each.issue, each.detail] for each in found]))
"""


def test_a_linter_finds_nothing_wrong_with_it(operator: Operator) -> None:
    """Every action exists and can be bound to the resources that it is bound to; parliament holds AWS's own tables of both."""
    linter = [str(python_with("parliament==1.6.4")), "-c", LINT]

    done = subprocess.run(
        linter, input=json.dumps(operator.least()), capture_output=True, text=True, check=True
    )

    # Where a new function is to be, Lambda asks EC2 about any network.
    assert json.loads(done.stdout) == [["RESOURCE_STAR", ["ec2:GetSecurityGroupsForVpc"]]]


def test_every_action_of_the_policy_is_needed(operator: Operator) -> None:
    """Whichever one is taken out: the command that needs it fails, and its error names the missing action."""
    policy = operator.least()
    needed_by = {}
    for action in actions(policy):
        operator.begin(without(policy, action))
        command, done = live_a_whole_life(operator, operator.type)
        assert done.code == 1, f"nothing needs {action}"
        assert f"AWS does not allow {action}:" in done.stderr, (action, done.stderr)
        needed_by[action] = command
    assert {
        action: command for action, command in needed_by.items() if command != "deploy"
    } == NEEDED_BY
