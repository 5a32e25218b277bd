"""`gimel iam-policy` without credentials: whose ARNs the policy names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Done

Run = Callable[..., Done]


@pytest.fixture(autouse=True)
def config(run: Run) -> None:
    """A configuration in the current directory, which `run` has changed to."""
    Path("config.json").write_text('{"redis": {"host": "redis.example.com"}}')


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_the_policy_is_for_the_partition_of_the_region(
    run: Run, region: str, partition: str
) -> None:
    """Every ARN names it."""
    done = run("iam-policy", "--account", "123456789012", "--region", region)

    resources = [
        resource
        for statement in json.loads(done.stdout)["Statement"]
        for resource in statement["Resource"]
        if resource != "*"
    ]
    assert {resource.split(":")[1] for resource in resources} == {partition}


@pytest.mark.parametrize("account", [(), ("--account", "123456789012")])
def test_a_region_that_does_not_exist(run: Run, account: tuple[str, ...]) -> None:
    """The most similar ones are named, and credentials are not blamed."""
    done = run("iam-policy", *account, "--region", "eu-wst-1")

    assert done.code == 1
    assert "There is no AWS region 'eu-wst-1'." in done.stderr
    assert "'eu-west-1'" in done.stderr
    assert "credentials" not in done.stderr
