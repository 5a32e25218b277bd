"""A user of little right, in an emulated account that enforces IAM policies, who types Gimel's commands."""

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
from gimel.deploy.policies import Policy
from tests.support.account import CREDENTIALS, REGION, Account, variables
from tests.support.command import gimel
from tests.support.configurations import URL
from tests.support.emulator import Emulator
from tests.support.proxy import AwsProxy, Call, Refuse

# What AWS asks for and the emulator does not, or asks for by another name of the same family: the operation, and the rights.
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


def document(
    owner: dict[str, str], reserved: str, memory: int, architecture: str
) -> dict[str, Any]:
    """Return a configuration that uses all there is."""
    functions: dict[str, dict[str, int]] = {"gimel-track": {"memory": memory}}
    functions.setdefault(reserved, {})["reserved_concurrency"] = 3
    network = {"subnets": ["subnet-1"], "security_groups": ["sg-1"]}
    return {
        "extra_wiring": [URL],
        "aws": {
            "tags": owner,
            "functions": functions,
            "architecture": architecture,
            "vpc": network,
        },
    }


FIRST = document({"team": "web"}, "gimel-track", 128, "arm64")
THEN = document({"owner": "ops"}, "gimel-delete-experiment", 256, "x86_64")


@dataclass
class Done:
    """What a command came to."""

    code: int
    stdout: str
    stderr: str


class Operator:
    """Runs the commands as the user; what happens by hand meanwhile is done by the account's owner."""

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
        self.account = Account(emulator.url, folder / "config.json", redis)
        self.environment = environment
        self.policy: Policy = {}

    def begin(self, policy: Policy) -> None:
        """Empty the account, but for the user, who holds this policy.

        The emulator takes the name of a function that is created for unknown: `unenforced` sees to it.
        """
        self.emulator.reset()
        self.policy = policy
        unnamed = {"Effect": "Allow", "Action": ["lambda:CreateFunction"], "Resource": ["*"]}
        added = [unnamed] if "lambda:CreateFunction" in actions(policy) else []
        held = {**policy, "Statement": [*policy["Statement"], *added]}
        iam = self.owner("iam")
        iam.create_user(UserName="operator")
        iam.put_user_policy(
            UserName="operator", PolicyName="gimel", PolicyDocument=json.dumps(held)
        )
        key = iam.create_access_key(UserName="operator")["AccessKey"]
        self.environment.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        self.environment.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    def least(self) -> Policy:
        """Return what `gimel iam-policy` prints."""
        policy: Policy = json.loads(self.type("iam-policy", "--account", "000000000000").stdout)
        return policy

    def left(self) -> dict[str, Any]:
        """Return what is in the account, as its owner sees it."""
        for name, value in CREDENTIALS.items():
            self.environment.setenv(name, value)
        return {what: found for what, found in self.account.listing().items() if found}

    def owner(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name=REGION,
            endpoint_url=self.emulator.url,
        )

    def type(self, *arguments: str) -> Done:
        """Run a command in this process, to its exit code."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
            pytest.raises(SystemExit) as ended,
        ):
            cli.main(list(arguments), prog_name="gimel")
        return Done(int(ended.value.code or 0), stdout.getvalue(), stderr.getvalue())

    def type_in_a_shell(self, *arguments: str) -> Done:
        """Run a command as a process of its own."""
        aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        done = gimel(*arguments, home=self.account.file.parent, **aws)
        return Done(done.returncode, done.stdout, done.stderr)

    def unenforced(self, call: Call) -> Refuse | None:
        """Refuse, in AWS's words, what the emulator would let pass without the right to it."""
        held = actions(self.policy)
        needed = _UNENFORCED.get(call.operation)
        if call.operation == "CreateFunction" and not self._may_create(
            json.loads(call.body)["FunctionName"]
        ):
            needed = "lambda:CreateFunction"
        elif needed in held:
            needed = None
        if needed is not None:
            said = f"not authorized to perform: {needed} on resource: any because no identity-based policy allows the action"
            return Refuse(
                403,
                "AccessDeniedException",
                f"User: arn:aws:iam::000000000000:user/operator is {said}",
            )
        if call.operation == "CreateFunction" and json.loads(call.body).get("VpcConfig", {}).get(
            "SubnetIds"
        ):
            for each in _IN_A_VPC:
                if each not in held:
                    said = f"please make sure your request credentials have permission to {each.split(':')[1]} for any."
                    return Refuse(
                        403, "AccessDeniedException", f"Your access has been denied by EC2, {said}"
                    )
        return None

    def _may_create(self, function: str) -> bool:
        arn = f"arn:aws:lambda:{REGION}:000000000000:function:{function}"
        return any(
            "lambda:CreateFunction" in each["Action"] and arn in each["Resource"]
            for each in self.policy["Statement"]
        )


@contextlib.contextmanager
def operating(
    emulator: Emulator, folder: Path, redis: dict[str, Any], environment: pytest.MonkeyPatch
) -> Iterator[Operator]:
    """Give an operator for the length of a with block: in an account that asks for every right that AWS asks for."""
    with AwsProxy(emulator.url) as proxy:
        environment.chdir(folder)
        for name, value in {**variables(proxy.url), "HOME": str(folder)}.items():
            environment.setenv(name, value)
        operator = Operator(emulator, proxy, folder, redis, environment)
        operator.account.configure(**FIRST)
        proxy.begin(operator.unenforced)
        yield operator


def actions(policy: Policy) -> list[str]:
    """Return the actions that a policy allows, sorted."""
    return sorted({action for statement in policy["Statement"] for action in statement["Action"]})


def without(policy: Policy, action: str) -> Policy:
    statements = [
        {**statement, "Action": [each for each in statement["Action"] if each != action]}
        for statement in policy["Statement"]
    ]
    return {**policy, "Statement": [statement for statement in statements if statement["Action"]]}
