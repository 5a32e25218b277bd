"""AWS commands that cannot work: an error with a reason, no trace, and nothing changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from gimel.deploy import bundle
from tests.support.account import Account, variables
from tests.support.warm_process import Commands

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(account: Account, commands: Commands) -> Run:
    """Run a command in the folder of config.json.

    `changed` are variables that differ from the account's, None for unset.
    """
    account.configure()

    def run(*arguments: str, **changed: str | None) -> subprocess.CompletedProcess[str]:
        given = {**variables(account.url), **changed}
        known = {name: value for name, value in given.items() if value is not None}
        return commands.run(*arguments, home=account.file.parent, **known)

    return run


def assert_error(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert done.returncode == 1
    assert message in done.stderr
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "something unexpected" not in done.stderr


def two_of_ours(account: Account) -> None:
    for _ in range(2):
        account.client("apigateway").create_rest_api(name="gimel", description="Gimel API")


def two_of_theirs(account: Account) -> None:
    for _ in range(2):
        account.client("apigateway").create_rest_api(name="gimel", description="somebody else's")


def their_function(account: Account) -> None:
    created = account.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")
    account.client("lambda").create_function(
        FunctionName="gimel-track",
        Role=created["Role"]["Arn"],
        Runtime="python3.13",
        Handler="app.track",
        Code={"ZipFile": bundle.build()},
    )


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (two_of_ours, "Several REST APIs are named gimel"),
        (two_of_theirs, "These exist and were not created by Gimel: the REST API gimel"),
        (their_function, "which runs as arn:aws:iam::000000000000:role/theirs"),
    ],
    ids=["two APIs of ours", "two APIs of theirs", "their function"],
)
def test_a_name_that_is_taken_is_an_error(
    account: Account, run: Run, prepare: Callable[[Account], None], message: str
) -> None:
    """Nothing that belongs to others is changed."""
    prepare(account)
    before = account.listing()

    done = run("deploy", "--yes", "--no-preflight")

    assert_error(done, message)
    assert account.listing() == before


@pytest.mark.parametrize(
    "command",
    ["deploy --no-preflight", "status", "rollback", "destroy", "iam-policy", "delete x"],
)
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
            "No AWS credentials were found.",
        ),
        ({"AWS_DEFAULT_REGION": None}, "No AWS region is set."),
        ({"AWS_PROFILE": "nobody"}, "(nobody) could not be found"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "Could not connect to AWS"),
    ],
    ids=["no credentials", "no region", "no such profile", "unreachable"],
)
def test_a_command_without_aws_says_what_is_missing(
    run: Run, command: str, changed: dict[str, str | None], message: str
) -> None:
    """Every one of them, and what to do."""
    assert_error(run(*command.split(), **changed), message)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {
                "precision": 4,
                "allowed_experiments": ["x" * 190 + str(number) for number in range(30)],
            },
            "of the 4096 bytes",
        ),
        (
            {
                "extra_wiring": [
                    {"lambda": {"FunctionName": "f", "Handler": "gimel.track", "Timeout": "3"}}
                ]
            },
            "extra_wiring[0].lambda.Timeout",
        ),
        ({"extra_wiring": {"lambda": {}}}, "extra_wiring must be a list"),
        (
            {
                "extra_wiring": [
                    {"lambda": {"FunctionName": "f", "Handler": "gimel.all"}, "function_url": True}
                ]
            },
            "extra_wiring[0] must not have a function_url",
        ),
        ({"aws": {"functions": {"gimel-trck": {}}}}, "unknown function 'gimel-trck'"),
    ],
    ids=[
        "environment too large",
        "wrong type",
        "not a list",
        "URL of a closed handler",
        "unknown function",
    ],
)
def test_a_configuration_that_cannot_be_deployed_is_an_error(
    account: Account, run: Run, document: dict[str, Any], message: str
) -> None:
    """Nothing is created."""
    account.file.write_text(json.dumps({"redis": account.redis, **document}))

    assert_error(run("deploy", "--yes"), message)
    assert not any(account.listing().values())


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_the_policy_is_for_the_partition_of_the_region(
    run: Run, region: str, partition: str
) -> None:
    """Every ARN names it, and no credentials are needed."""
    unset = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}

    done = run("iam-policy", "--account", "123456789012", "--region", region, **unset)

    resources = [
        each
        for statement in json.loads(done.stdout)["Statement"]
        for each in statement["Resource"]
        if each != "*"
    ]
    assert {each.split(":")[1] for each in resources} == {partition}
