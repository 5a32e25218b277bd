"""Asking IAM whether the caller may do what deploy does, with a stub that answers as IAM does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from gimel.deploy.aws import Aws
from gimel.deploy.aws_errors import Refused
from gimel.deploy.checks.findings import Finding
from gimel.deploy.checks.permissions import check_permissions
from gimel.deploy.preflight_permissions import SIDS, preflight_permissions
from gimel.deploy.watch_permissions import WATCH_SIDS
from tests.support.configurations import CHANGE
from tests.support.state.cloud import ACCOUNT, HERE
from tests.support.state.names import Policy
from tests.support.state.seen import identity_of, operator_policy
from tests.support.state.settled import desired

NETWORK = {"vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}}
DOCUMENT = {**CHANGE, "aws": {**CHANGE["aws"], **NETWORK}}
LISTING = {"lambda:ListFunctions", "logs:DescribeLogGroups"}
MIXED = "Invalid Input Actions: [a] and [b] require different authorization information."


@dataclass
class Iam:
    """Answers SimulatePrincipalPolicy in AWS's own shape.

    An action is allowed on the resources of the same service. The decision above them is the
    strictest one. `apart` says what may not be asked for together, by its count.
    """

    denied: set[str] = field(default_factory=set)
    page: int = 1000
    refusal: Refused | None = None
    apart: Callable[[list[str]], int] | None = None
    sso: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def call(self, service: str, operation: str, **given: Any) -> Any:
        if operation == "get_role":
            return {"Role": {"Arn": f"{self.sso}/{given['RoleName']}"}}
        assert (service, operation) == ("iam", "simulate_principal_policy")
        self.asked.append(given)
        if self.refusal is not None:
            raise self.refusal
        if self.apart is not None and self.apart(given["ActionNames"]) > 1:
            raise Refused("InvalidInput", MIXED)
        resources = given.get("ResourceArns", ())
        results = [self._result(action, resources) for action in given["ActionNames"]]
        begin = int(given.get("Marker", 0))
        end = begin + self.page
        more = {"IsTruncated": end < len(results), "Marker": str(end)}
        return {"EvaluationResults": results[begin:end], **more}

    def _result(self, action: str, resources: list[str]) -> dict[str, Any]:
        service = action.split(":")[0]
        allowed = action not in self.denied
        below = [
            {
                "EvalResourceName": each,
                "EvalResourceDecision": "allowed"
                if allowed and each.split(":")[2] == service
                else "implicitDeny",
            }
            for each in resources
        ]
        above = "allowed" if allowed and not below else "implicitDeny"
        return {"EvalActionName": action, "EvalDecision": above, "ResourceSpecificResults": below}


def ask(
    iam: Iam, caller: str = HERE.operator, before_deploy: bool = False, **document: Any
) -> Finding:
    """Return what is found for this caller."""
    identity = replace(identity_of(HERE), arn=caller)
    return check_permissions(
        cast(Aws, iam), identity, desired(**document), before_deploy=before_deploy
    )


def needed(**document: Any) -> Policy:
    """Return the operator's policy without what only the checks need, or reading logs."""
    policy = operator_policy(HERE, desired(**document))
    skipped = SIDS | WATCH_SIDS
    statements = [each for each in policy["Statement"] if each["Sid"] not in skipped]
    return {**policy, "Statement": statements}


def actions(policy: Policy) -> set[str]:
    """Return the actions that a policy allows."""
    return {action for statement in policy["Statement"] for action in statement["Action"]}


@pytest.mark.parametrize("document", [{}, DOCUMENT], ids=["nothing", "everything"])
@pytest.mark.parametrize("page", [1000, 7], ids=["one page", "pages"])
def test_all_permissions_are_there(document: dict[str, Any], page: int) -> None:
    """Every action of the operator's policy was asked about, and the finding says how many."""
    iam = Iam(page=page)

    finding = ask(iam, **document)

    asked = {action for each in iam.asked for action in each["ActionNames"]}
    assert (finding.status, asked) == ("ok", actions(needed(**document)))
    assert str(len(asked)) in finding.message


@pytest.mark.parametrize("action", sorted(actions(needed(**DOCUMENT))))
def test_the_permission_that_is_missing_is_named(action: str) -> None:
    """Whichever it is; the hint says how to get the policy."""
    finding = ask(Iam(denied={action}), **DOCUMENT)

    assert (finding.status, finding.message) == ("failed", f"missing: {action}")
    assert "gimel iam-policy" in finding.hint


def test_several_missing_permissions_are_named() -> None:
    """Sorted, each once."""
    finding = ask(Iam(denied={"logs:CreateLogGroup", "iam:PassRole"}))

    assert finding.message == "missing: iam:PassRole, logs:CreateLogGroup"


@pytest.mark.parametrize(
    "apart",
    [lambda asked: len({name.split(":")[0] for name in asked}), len],
    ids=["services", "actions"],
)
@pytest.mark.parametrize("missing", [None, "lambda:PublishVersion", "iam:PassRole"])
def test_what_iam_does_not_mix_is_asked_for_apart(
    apart: Callable[[list[str]], int], missing: str | None
) -> None:
    """AWS refuses some actions beside others: the answer is the same."""
    finding = ask(Iam(denied={missing} if missing else set(), apart=apart), **DOCUMENT)

    assert finding.status == ("failed" if missing else "ok")
    assert finding.message.startswith(f"missing: {missing}" if missing else "all ")


def test_before_a_deploy_one_question_is_enough() -> None:
    """A deploy lists at once, before it makes anything: only the rest is asked about."""
    iam = Iam()

    assert ask(iam, before_deploy=True).status == "ok"
    assert len(iam.asked) == 1
    assert LISTING.isdisjoint(iam.asked[0]["ActionNames"])


def test_patterns_are_asked_about_by_an_example() -> None:
    """IAM simulates on names, not on patterns; actions without resources are asked about alone."""
    iam = Iam()

    ask(iam)

    resources = [resource for each in iam.asked for resource in each.get("ResourceArns", ["none"])]
    assert not [each for each in resources if "*" in each]
    assert "none" in resources


def test_passing_the_role_is_asked_about_with_its_condition() -> None:
    """Otherwise a caller who may pass it to Lambda alone would be told no."""
    iam = Iam()

    ask(iam)

    for given in iam.asked:
        (entry,) = given["ContextEntries"]
        assert entry["ContextKeyName"] == "iam:PassedToService"
        assert entry["ContextKeyValues"] == ["lambda.amazonaws.com"]


@pytest.mark.parametrize(
    ("refusal", "status", "says"),
    [
        (Refused("AccessDenied", "you may not"), "warning", "not checked"),
        (Refused("AccessDeniedException", "you may not"), "warning", "not checked"),
        (Refused("NoSuchEntity", "no such user"), "warning", "no such user"),
        (Refused("ExpiredToken", "they have expired", "Log in."), "failed", "they have expired"),
    ],
    ids=["may not ask", "may not ask, in other words", "cannot be asked", "session expired"],
)
def test_who_may_not_ask_is_told_so(refusal: Refused, status: str, says: str) -> None:
    """It is a warning: a policy that an earlier version printed lacks that permission."""
    finding = ask(Iam(refusal=refusal))

    assert (finding.status, says in finding.message) == (status, True)
    assert finding.hint


def test_the_printed_policy_allows_what_the_check_calls() -> None:
    """So that preflight says ok under exactly that policy, also to a single sign-on."""
    printed = operator_policy(HERE, desired())["Statement"]
    own = [each for each in printed if each["Sid"] in SIDS]
    assert {each.sid for each in preflight_permissions(identity_of(HERE))} == SIDS
    assert {action for each in own for action in each["Action"]} == {
        "iam:GetRole",
        "iam:SimulatePrincipalPolicy",
        "lambda:GetAccountSettings",
    }


@pytest.mark.parametrize(
    "action",
    [
        "cloudwatch:GetMetricData",
        "iam:SimulatePrincipalPolicy",
        "lambda:GetAccountSettings",
        "logs:FilterLogEvents",
    ],
)
def test_a_deploy_works_without_what_only_the_checks_and_status_read(action: str) -> None:
    """A policy that an earlier version printed is still enough."""
    assert ask(Iam(denied={action})).status == "ok"


DOMAIN: dict[str, Any] = {"aws": {"domain": {"name": "ab.example.com"}}}
OPTIONAL = [
    "iam:CreateServiceLinkedRole",
    "route53:ChangeResourceRecordSets",
    "route53:GetChange",
    "route53:ListHostedZones",
    "route53:ListResourceRecordSets",
]


def test_a_domain_name_works_without_permissions_for_route_53() -> None:
    """The deploy then prints the records. Those for certificates are needed."""
    assert ask(Iam(denied=set(OPTIONAL)), **DOMAIN).status == "ok"
    assert ask(Iam(denied={"acm:RequestCertificate"}), **DOMAIN).status == "failed"
    assert set(OPTIONAL) <= actions(needed(**DOMAIN))


def test_a_store_needs_the_permission_for_its_role_only_in_a_new_account() -> None:
    """A deploy need not have it, and is told so; another one that is missing stops it."""
    store: dict[str, Any] = {"redis": {"provision": "valkey-serverless"}}
    create_role = "iam:CreateServiceLinkedRole"

    found = ask(Iam(denied={create_role}), **store)

    assert (found.status, found.message) == ("warning", f"missing: {create_role}")
    assert "Only an account that has never used ElastiCache" in found.hint
    assert ask(Iam(denied={create_role, "elasticache:CreateUser"}), **store).status == "failed"


def test_the_root_user_may_do_everything() -> None:
    """IAM cannot simulate it, and is not asked."""
    iam = Iam()

    assert ask(iam, caller=f"arn:aws:iam::{ACCOUNT}:root").status == "ok"
    assert iam.asked == []


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        (HERE.operator, HERE.operator),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/session",
            f"arn:aws:iam::{ACCOUNT}:role/deployer",
        ),
        (
            f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/deployer/a/b",
            f"arn:aws-cn:iam::{ACCOUNT}:role/deployer",
        ),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin_1/me",
            "sso/AWSReservedSSO_Admin_1",
        ),
    ],
    ids=["user", "role", "role in China", "single sign-on"],
)
def test_a_session_has_the_permissions_of_its_role(caller: str, principal: str) -> None:
    """IAM simulates roles, not sessions; the path of a single sign-on's role is looked up."""
    iam = Iam(sso="sso")

    ask(iam, caller=caller)

    assert {given["PolicySourceArn"] for given in iam.asked} == {principal}
