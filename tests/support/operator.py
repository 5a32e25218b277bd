"""A user with few permissions, who runs Gimel's commands where IAM policies are enforced."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from gimel import cli
from tests.support.account import CREDENTIALS, REGION, Account, variables
from tests.support.configurations import URL
from tests.support.emulator import Emulator
from tests.support.proxy import AwsProxy, Call, Refuse
from tests.support.warm_process import Commands

Policy = dict[str, Any]
"""An IAM policy document."""

# Permissions that AWS requires for an operation and the emulator does not, or under another name.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
_UNENFORCED = {
    "CreateFunction": "iam:PassRole",
    "UpdateFunctionConfiguration": "iam:PassRole",
    "UpdateAlias": "lambda:UpdateAlias",
    "GetFunctionConcurrency": "lambda:GetFunctionConcurrency",
    "DeleteFunctionConcurrency": "lambda:DeleteFunctionConcurrency",
    "DeleteFunctionUrlConfig": "lambda:DeleteFunctionUrlConfig",
}
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
_IN_A_VPC = (
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ec2:GetSecurityGroupsForVpc",
)


_IN_EVENTS = f"arn:aws:events:{REGION}:000000000000"


def document(
    owner: dict[str, str], reserved: str, memory: int, architecture: str, wiring: list[Any]
) -> dict[str, Any]:
    """Return a configuration that uses every option of `aws`."""
    functions: dict[str, dict[str, int]] = {"gimel-track": {"memory": memory}}
    functions.setdefault(reserved, {})["reserved_concurrency"] = 3
    network = {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}
    return {
        "extra_wiring": wiring,
        "aws": {
            "tags": owner,
            "functions": functions,
            "architecture": architecture,
            "vpc": network,
        },
    }


FIRST = document({"team": "web"}, "gimel-track", 128, "arm64", [URL])
THEN = document({"owner": "ops"}, "gimel-delete-experiment", 512, "x86_64", [])

# The commands of a whole life, in order, with the configuration of each.
LIFE = {
    "first deploy": ("deploy --yes --no-preflight", FIRST),
    "results": ("results --json", FIRST),
    "delete": ("delete some-experiment --yes", FIRST),
    "second deploy": ("deploy --yes --no-preflight", THEN),
    "status": ("status", THEN),
    "rollback": ("rollback", THEN),
    "repair": ("deploy --yes --no-preflight", THEN),
    "destroy": ("destroy --yes", THEN),
}


@dataclass
class Done:
    """A finished command."""

    code: int
    stdout: str
    stderr: str


class Operator:
    """Runs the commands as the user; the account's owner does everything else."""

    def __init__(
        self,
        emulator: Emulator,
        proxy: AwsProxy,
        folder: Path,
        redis: dict[str, Any],
        environment: pytest.MonkeyPatch,
    ) -> None:
        self.emulator = emulator
        self.proxy = proxy
        self.account = Account(emulator, folder / "config.json", redis)
        self.environment = environment
        self.policy: Policy = {}

    def begin(self, policy: Policy, before: str = "first deploy") -> None:
        """Bring the account to where this command of LIFE is next; the user holds this policy.

        The emulator does not know the name of a function that is being created, nor the ARNs of
        rules, so the policy that it enforces allows any. `unenforced` checks them.
        """
        self._prepare(before)
        self._hold(policy)
        self.account.configure(**LIFE[before][1])

    def _prepare(self, before: str) -> None:
        commands = list(LIFE)
        previous = commands[max(commands.index(before) - 1, 0)]

        def build() -> None:
            if before == commands[0]:
                self.owner("iam").create_user(UserName="operator")
                key = self.owner("iam").create_access_key(UserName="operator")["AccessKey"]
                self.emulator.notes["operator's key"] = (key["AccessKeyId"], key["SecretAccessKey"])
                return
            self.begin(self.least(), previous)
            done = self.type(*LIFE[previous][0].split())
            assert done.code == 0, done.stderr
            if before == "second deploy":
                self.trust_another_service()
            if before == "repair":
                self.delete_by_hand()

        self.emulator.prepare(f"before {before}", build)

    def _hold(self, policy: Policy) -> None:
        """Give the user this policy, and the environment the user's key."""
        self.policy = policy
        unnamed = [
            each
            for each in actions(policy)
            if each == "lambda:CreateFunction" or each.startswith("events:")
        ]
        added = {"Effect": "Allow", "Action": unnamed, "Resource": ["*"]}
        held = {**policy, "Statement": [*policy["Statement"], *([added] if unnamed else [])]}
        iam = self.owner("iam")
        iam.put_user_policy(
            UserName="operator", PolicyName="gimel", PolicyDocument=json.dumps(held)
        )
        key, secret = self.emulator.notes["operator's key"]
        self.environment.setenv("AWS_ACCESS_KEY_ID", key)
        self.environment.setenv("AWS_SECRET_ACCESS_KEY", secret)

    def trust_another_service(self) -> None:
        """Change the role's trust by hand, which the second deploy then has to fix."""
        other = {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [other]})
        self.owner("iam").update_assume_role_policy(RoleName="gimel", PolicyDocument=trust)

    def delete_by_hand(self) -> None:
        """Delete the role, so that tags alone show what is Gimel's, a function and a target."""
        self.owner("iam").delete_role_policy(RoleName="gimel", PolicyName="gimel")
        self.owner("iam").delete_role(RoleName="gimel")
        self.owner("lambda").delete_function(FunctionName="gimel-track")
        self.owner("events").remove_targets(Rule="gimel-snapshot", Ids=["gimel"])

    def least(self, document: dict[str, Any] = FIRST) -> Policy:
        """Return what `gimel iam-policy` prints for a configuration."""
        self.account.configure(**document)
        policy: Policy = json.loads(self.type("iam-policy", "--account", "000000000000").stdout)
        return policy

    def left(self) -> dict[str, Any]:
        """Return what is in the account, as its owner sees it."""
        for name, value in CREDENTIALS.items():
            self.environment.setenv(name, value)
        return {what: found for what, found in self.account.listing().items() if found}

    def owner(self, service: str) -> Any:
        """Return a client of the account's owner."""
        return boto3.Session().client(  # type: ignore[call-overload]
            service,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name=REGION,
            endpoint_url=self.emulator.url,
        )

    def type(self, *arguments: str) -> Done:
        """Run a command in this process."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
            pytest.raises(SystemExit) as ended,
        ):
            cli.main(list(arguments), prog_name="gimel")
        return Done(int(ended.value.code or 0), stdout.getvalue(), stderr.getvalue())

    def type_in_a_shell(self, commands: Commands, *arguments: str) -> Done:
        """Run a command as a separate process."""
        aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        done = commands.run(*arguments, home=self.account.file.parent, **aws)
        return Done(done.returncode, done.stdout, done.stderr)

    def unenforced(self, call: Call) -> Refuse | None:
        """Refuse, in AWS's words, what the emulator would allow without the permission."""
        if call.service == "events":
            return self._unenforced_on_rules(call)
        held = actions(self.policy)
        asked = json.loads(call.body) if call.operation == "CreateFunction" else {}
        if asked:
            arn = f"arn:aws:lambda:{REGION}:000000000000:function:{asked['FunctionName']}"
            if not self._may("lambda:CreateFunction", arn):
                return _denied("lambda:CreateFunction")
        needed = _UNENFORCED.get(call.operation)
        if needed and needed not in held:
            return _denied(needed)
        if asked.get("VpcConfig", {}).get("SubnetIds"):
            for each in _IN_A_VPC:
                if each not in held:
                    return _denied_by_ec2(each.removeprefix("ec2:"))
        return None

    def _unenforced_on_rules(self, call: Call) -> Refuse | None:
        """Refuse a call about a rule without the permission on this very rule."""
        asked = json.loads(call.body)
        rule = asked.get("Name") or asked.get("Rule") or asked["ResourceARN"].rpartition("/")[2]
        needed = [call.operation, *(["TagResource"] if asked.get("Tags") else [])]
        for action in (f"events:{each}" for each in needed):
            if not self._may(action, f"{_IN_EVENTS}:rule/{rule}"):
                return _denied(action)
        return None

    def _may(self, action: str, arn: str) -> bool:
        return any(
            action in each["Action"] and arn in each["Resource"]
            for each in self.policy["Statement"]
        )


def _denied(action: str) -> Refuse:
    user = "arn:aws:iam::000000000000:user/operator"
    reason = "because no identity-based policy allows the action"
    message = f"User: {user} is not authorized to perform: {action} on resource: any {reason}"
    return Refuse(403, "AccessDeniedException", message)


def _denied_by_ec2(action: str) -> Refuse:
    message = (
        "Your access has been denied by EC2, please make sure your request credentials have "
        f"permission to {action} for any."
    )
    return Refuse(403, "AccessDeniedException", message)


@contextlib.contextmanager
def operating(
    emulator: Emulator,
    proxy: AwsProxy,
    folder: Path,
    redis: dict[str, Any],
    environment: pytest.MonkeyPatch,
) -> Iterator[Operator]:
    """Yield an operator whose every call needs the permission that AWS requires for it."""
    environment.chdir(folder)
    for name, value in {**variables(proxy.url), "HOME": str(folder)}.items():
        environment.setenv(name, value)
    operator = Operator(emulator, proxy, folder, redis, environment)
    proxy.begin(operator.unenforced)
    yield operator


def actions(policy: Policy) -> list[str]:
    """Return the actions that a policy allows, sorted."""
    return sorted({action for statement in policy["Statement"] for action in statement["Action"]})


def without(policy: Policy, *gone: str) -> Policy:
    """Return a policy without these actions."""
    statements = [
        {**statement, "Action": [each for each in statement["Action"] if each not in gone]}
        for statement in policy["Statement"]
    ]
    return {**policy, "Statement": [statement for statement in statements if statement["Action"]]}
