"""The least rights: a user who holds only `gimel iam-policy`'s output can run every command, and needs all of it.

The emulator enforces IAM policies here. It never asks for iam:PassRole, and in place of four other actions, which AWS's own
reference lists, asks for one of the same family.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from gimel.deploy import apply, observe, plan, policies, preflight
from gimel.deploy.desired import desire
from gimel.deploy.models import Policy
from gimel.errors import GimelError
from tests.deploy.account import REGION, Account, variables
from tests.emulator import Emulator, running_emulator

URL = {"lambda": {"FunctionName": "gimel-track", "Handler": "gimel.track"}, "function_url": True}
PASS_ROLE = "iam:PassRole"
NOT_ENFORCED = {
    PASS_ROLE,
    "lambda:DeleteFunctionConcurrency",
    "lambda:DeleteFunctionUrlConfig",
    "lambda:GetFunctionConcurrency",
    "lambda:UpdateAlias",
}


def document(owner: dict[str, str], reserved: str, memory: int) -> dict[str, Any]:
    functions: dict[str, dict[str, int]] = {"gimel-track": {"memory": memory}}
    functions.setdefault(reserved, {})["reserved_concurrency"] = 3
    return {"extra_wiring": [URL], "aws": {"tags": owner, "functions": functions, "architecture": "arm64"}}


FIRST = document({"team": "web"}, "gimel-track", 128)
THEN = document({"owner": "ops"}, "gimel-delete-experiment", 256)


@pytest.fixture(scope="module")
def strict() -> Iterator[Emulator]:
    with running_emulator(auth=True) as running:
        yield running


@pytest.fixture
def operator(strict: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """A user without any rights, in an empty account that enforces them."""
    strict.reset()
    for name, value in variables(strict.url).items():
        monkeypatch.setenv(name, value)
    return Operator(Account(strict.url, tmp_path / "config.json", {"host": "127.0.0.1", "port": 1}), monkeypatch)


class Operator:
    """Runs the commands as a user of little right; what happens by hand meanwhile is done by the account's owner."""

    def __init__(self, account: Account, environment: pytest.MonkeyPatch) -> None:
        self.account = account
        self.environment = environment
        iam = self.owner("iam")
        iam.create_user(UserName="operator")
        self.key = iam.create_access_key(UserName="operator")["AccessKey"]

    def owner(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service, aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
        )

    def policy(self) -> Policy:
        identity = self.account.aws().identity()
        return policies.of_operator(identity, desire(self.account.configure(**FIRST)))

    def may(self, policy: Policy) -> None:
        """Give the user this policy, and act as the user from now on."""
        self.owner("iam").put_user_policy(UserName="operator", PolicyName="gimel", PolicyDocument=json.dumps(policy))
        self.environment.setenv("AWS_ACCESS_KEY_ID", self.key["AccessKeyId"])
        self.environment.setenv("AWS_SECRET_ACCESS_KEY", self.key["SecretAccessKey"])

    def live_a_whole_life(self) -> None:
        """Deploy, mend, change, show, roll back, destroy."""
        account = self.account
        account.deploy(**FIRST)
        other = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [other]})
        self.owner("iam").update_assume_role_policy(RoleName="gimel", PolicyDocument=trust)
        account.deploy(**THEN)
        account.deploy(**{**THEN, "aws": {**THEN["aws"], "architecture": "x86_64"}})
        aws = account.aws()
        observed = observe.observe(aws, versions=True)
        apply.apply_all_or_none(aws, plan.plan_rollback(observed), observed)
        observe.find_deployed(aws)
        account.destroy()


def without(policy: Policy, action: str) -> Policy:
    statements = [
        {**statement, "Action": [each for each in statement["Action"] if each != action]} for statement in policy["Statement"]
    ]
    return {**policy, "Statement": [statement for statement in statements if statement["Action"]]}


def test_the_policy_is_enough(operator: Operator) -> None:
    """From the first deploy to destroy nothing is refused, and nothing is left."""
    operator.may(operator.policy())

    operator.live_a_whole_life()

    operator.environment.setenv("AWS_ACCESS_KEY_ID", "test")
    assert not any(operator.account.listing().values())


def test_every_action_of_the_policy_is_needed(operator: Operator, strict: Emulator) -> None:
    """Whichever one is taken out: the command that needs it fails, and its error names the missing action."""
    policy = operator.policy()
    refusals = {}
    for action in policies.actions(policy):
        if action in NOT_ENFORCED:
            continue
        strict.reset()
        operator.environment.setenv("AWS_ACCESS_KEY_ID", "test")
        operator.environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        fresh = Operator(operator.account, operator.environment)
        fresh.may(without(policy, action))
        try:
            fresh.live_a_whole_life()
        except GimelError as error:
            refusals[action] = error.message
    unnamed = [action for action, message in refusals.items() if f"AWS does not allow {action}:" not in message]
    assert unnamed == []
    assert sorted(refusals) == [action for action in policies.actions(policy) if action not in NOT_ENFORCED]


def test_the_right_to_give_the_role_is_for_lambda_alone(operator: Operator) -> None:
    """iam:PassRole is given for the one role, and only to Lambda."""
    (statement,) = [each for each in operator.policy()["Statement"] if PASS_ROLE in each["Action"]]

    assert statement["Resource"] == ["arn:aws:iam::000000000000:role/gimel"]
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}


ASK = {"Sid": "Ask", "Effect": "Allow", "Action": ["iam:SimulatePrincipalPolicy"], "Resource": ["*"]}


def also_asking(policy: Policy) -> Policy:
    """Add the right to ask, and drop the condition on PassRole: the emulator's simulation is told no context."""
    statements = [{key: value for key, value in each.items() if key != "Condition"} for each in policy["Statement"]]
    return {**policy, "Statement": [*statements, ASK]}


def test_preflight_says_that_all_rights_are_there(operator: Operator) -> None:
    """Where IAM lets it be asked."""
    operator.may(also_asking(operator.policy()))

    assert rights(operator) == ("ok", "")


def test_preflight_names_the_right_that_is_missing(operator: Operator) -> None:
    """Before anything is made."""
    operator.may(also_asking(without(operator.policy(), "iam:PutRolePolicy")))

    assert rights(operator) == ("failed", "missing: iam:PutRolePolicy")


def test_preflight_warns_where_rights_cannot_be_asked(operator: Operator) -> None:
    """The least policy does not hold the right to ask."""
    operator.may(operator.policy())

    assert rights(operator) == ("warning", "not known: IAM does not let them be asked")


def rights(operator: Operator) -> tuple[str, str]:
    found = preflight.preflight(operator.account.configure(**FIRST), operator.account.aws(), datetime.date(2026, 11, 22))
    (finding,) = [each for each in found if each.name == "rights"]
    return finding.status, "" if finding.status == "ok" else finding.message
