"""`gimel iam-policy` without credentials: whose ARNs the policy names."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


OURS = ("iam-policy", "--account", "123456789012", "--region", "eu-west-1")
CLAIMS = "token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("workflow", "subject"),
    [
        ("github:acme/shop", "repo:acme/shop:ref:refs/heads/main"),
        ("github:a-b/s.h_op:ref:refs/heads/x/y", "repo:a-b/s.h_op:ref:refs/heads/x/y"),
        ("github:acme/shop:ref:refs/tags/v1.0", "repo:acme/shop:ref:refs/tags/v1.0"),
        ("github:acme/shop:environment:live shop", "repo:acme/shop:environment:live shop"),
        ("github:acme@12/shop@345", "repo:acme@12/shop@345:ref:refs/heads/main"),
    ],
)
def test_the_role_of_ci_trusts_one_subject_alone(run: Run, workflow: str, subject: str) -> None:
    """A token of GitHub for AWS, of exactly these jobs; the permissions are the usual ones."""
    printed = json.loads(run(*OURS, "--ci", workflow).stdout)

    assert printed["permission_policy"] == json.loads(run(*OURS).stdout)
    (statement,) = printed["trust_policy"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"] == {
        "Federated": f"arn:aws:iam::123456789012:oidc-provider/{CLAIMS}"
    }
    assert statement["Condition"] == {
        "StringEquals": {f"{CLAIMS}:aud": "sts.amazonaws.com", f"{CLAIMS}:sub": subject}
    }


@pytest.mark.parametrize(
    "workflow",
    [
        "acme/shop",
        "gitlab:acme/shop",
        "github:acme",
        "github:acme/*",
        "github:acme/shop:*",
        "github:acme/shop:ref:main",
        "github:acme/shop:ref:refs/heads/*",
        "github:acme/shop:environment:prod*",
        "github:acme/shop:environment:",
        "github:acme/shop:pull_request",
        "github:acme@x/shop@1",
    ],
)
def test_other_workflows_are_refused(run: Run, workflow: str) -> None:
    """Above all those that more than one branch would match."""
    done = run(*OURS, "--ci", workflow)

    assert (done.code, done.stdout) == (1, "")
    assert "--ci must be github:OWNER/REPO" in done.stderr


def test_ids_come_in_pairs(run: Run) -> None:
    """GitHub's subject has both or none."""
    assert "github:OWNER@ID/REPO@ID" in run(*OURS, "--ci", "github:acme@12/shop").stderr


FULL = {
    "redis": {"provision": "valkey-serverless"},
    "alarms": {"email": "ops@example.com"},
    "aws": {"name": "staging-of-our-shop", "domain": {"name": "ab.staging.example.com"}},
}


def size(policy: Any) -> int:
    """Return what IAM counts."""
    return len("".join(json.dumps(policy).split()))


def test_a_policy_that_is_too_long_has_parts(run: Run) -> None:
    """Which allow the same. A role can have it as a whole, so that --ci needs no parts."""
    Path("config.json").write_text(json.dumps(FULL))
    done = run(*OURS)
    whole = json.loads(done.stdout)
    parts = [json.loads(run(*OURS, "--part", str(each)).stdout) for each in (1, 2)]

    assert 6_144 < size(whole) <= 10_240
    assert max(map(size, parts)) <= 6_144
    statements = [each for part in parts for each in part["Statement"]]
    key = operator.itemgetter("Sid")
    assert sorted(statements, key=key) == sorted(whole["Statement"], key=key)
    said = " ".join(done.stderr.split())
    assert "Create 2 managed policies, from `--part 1` and `--part 2`, and attach" in said
    assert "As an inline policy of a role, it fits as it is: 10,240 are allowed." in said
    assert run(*OURS, "--ci", "github:acme/shop").stderr == ""
    assert "The policy has 2 parts." in run(*OURS, "--part", "3").stderr


def test_a_usual_policy_has_one_part(run: Run) -> None:
    """It fits into one managed policy, so nothing is said about parts."""
    done = run(*OURS)

    assert done.stderr == ""
    part = json.loads(run(*OURS, "--part", "1").stdout)
    assert sorted(map(str, part["Statement"])) == sorted(
        map(str, json.loads(done.stdout)["Statement"])
    )
    assert "The policy has one part." in run(*OURS, "--part", "2").stderr
