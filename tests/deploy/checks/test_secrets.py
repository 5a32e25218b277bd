"""The check that reads the password which AWS keeps, with the credentials of this machine."""

from __future__ import annotations

from typing import Any

import pytest

from gimel.deploy.aws_errors import Refused
from gimel.deploy.checks.secrets import with_password
from gimel.errors import GimelError
from tests.support.state.settled import configuration

VPC = {"vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}}
ELSEWHERE = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf"
SSM, SECRET = {"ssm": "/gimel/redis"}, {"secretsmanager": "s", "key": "password"}
UNTESTED = "Redis is not checked from this machine; `gimel deploy` tests it through a function."


class FakeAws:
    """An account with one secret. It answers with an outcome."""

    region = "us-east-1"

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        self.calls: list[Any] = []

    def call(self, *call: Any, **parameters: Any) -> Any:
        self.calls.append((*call, parameters))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def check(password: Any, account: Any, **document: Any) -> tuple[Any, list[Any]]:
    """Return the password that is used, and the status, message and hint of the findings."""
    config = configuration(redis={"host": "h", "password": password}, **document)
    usable, findings = with_password(config, account)
    found = [(each.status, each.message, each.hint) for each in findings]
    return usable and usable.lambda_redis()["password"], found


@pytest.mark.parametrize(
    ("password", "answer", "call"),
    [
        (
            SSM,
            {"Parameter": {"Value": "hunter2"}},
            ("ssm", "get_parameter", {"Name": "/gimel/redis", "WithDecryption": True}),
        ),
        (
            SECRET,
            {"SecretString": '{"password": "hunter2"}'},
            ("secretsmanager", "get_secret_value", {"SecretId": "s"}),
        ),
    ],
    ids=["parameter", "secret"],
)
def test_what_can_be_read_is_used(password: Any, answer: Any, call: Any) -> None:
    """To check Redis; no finding contains it."""
    aws = FakeAws(answer)

    used, ((status, message, _),) = check(password, aws)

    assert (used, status) == ("hunter2", "ok")
    assert "hunter2" not in message
    assert aws.calls == [call]


def test_a_password_in_the_file_is_used_as_it_is() -> None:
    """AWS is not asked."""
    assert check("hunter2", None) == ("hunter2", [])


@pytest.mark.parametrize(
    ("password", "outcome", "status", "message", "hint"),
    [
        (
            SSM,
            Refused("AccessDeniedException", "no"),
            "warning",
            "you may not read the parameter /gimel/redis",
            UNTESTED,
        ),
        (
            {"secretsmanager": ELSEWHERE},
            None,
            "warning",
            f"the secret {ELSEWHERE} is in another region",
            UNTESTED,
        ),
        (SSM, GimelError("AWS is busy"), "warning", "AWS is busy", UNTESTED),
        (
            SSM,
            Refused("ParameterNotFound", ""),
            "failed",
            "the parameter /gimel/redis does not exist",
            "Create it first.",
        ),
        (
            SECRET,
            Refused("ResourceNotFoundException", ""),
            "failed",
            "the secret s does not exist",
            "Create it first.",
        ),
        (SSM, Refused("InvalidKeyId", "a key", "why"), "failed", "a key", "why"),
        (
            {"secretsmanager": "s"},
            {"SecretBinary": b"x"},
            "failed",
            "the secret s has no text as its value",
            "",
        ),
        (
            SSM,
            {"Parameter": {"Value": "hunter2\n"}},
            "failed",
            "the parameter /gimel/redis begins or ends with a line break",
            "Write it again without.",
        ),
        (
            SECRET,
            {"SecretString": "hunter2"},
            "failed",
            "the secret s is not JSON with the key 'password' for a text",
            "Correct redis.password.key, or the secret.",
        ),
    ],
)
def test_what_cannot_be_read_is_said(
    password: Any, outcome: Any, status: str, message: str, hint: str
) -> None:
    """A missing permission only warns: whoever deploys need not know the password."""
    assert check(password, FakeAws(outcome)) == (None, [(status, message, hint)])


def test_without_aws_it_is_not_read() -> None:
    """As where the credentials have expired, which another check reports."""
    assert check(SSM, None)[1][0][:2] == (
        "warning",
        "the parameter /gimel/redis cannot be read without AWS",
    )


def test_a_vpc_may_have_no_way_to_it() -> None:
    """That this machine reaches AWS says nothing about the functions."""
    _, found = check(SSM, FakeAws({"Parameter": {"Value": "p"}}), aws=VPC)

    assert [status for status, *_ in found] == ["ok", "warning"]
    assert found[1][1].startswith("functions in a VPC reach ssm only through a NAT gateway")
