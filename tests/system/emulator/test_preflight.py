"""`gimel preflight`'s question to IAM: whether the caller may do what deploy does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from gimel.deploy.checks import permissions as asking
from gimel.deploy.policies import Policy
from tests.support.operator import Operator, actions, without
from tests.support.proxy import Call, Refuse

ASK = {
    "Sid": "Ask",
    "Effect": "Allow",
    "Action": ["iam:SimulatePrincipalPolicy"],
    "Resource": ["*"],
}


def also_asking(policy: Policy) -> Policy:
    """Add the right to ask, and drop the condition on PassRole: the emulator's simulation is told no context."""
    statements = [
        {key: value for key, value in each.items() if key != "Condition"}
        for each in policy["Statement"]
    ]
    return {**policy, "Statement": [*statements, ASK]}


def test_preflight_says_that_all_rights_are_there(operator: Operator) -> None:
    """Where IAM lets it be asked."""
    operator.begin(also_asking(operator.least()))

    assert rights(operator) == ("ok", "")


def test_preflight_names_the_right_that_is_missing(operator: Operator) -> None:
    """Before anything is made."""
    operator.begin(also_asking(without(operator.least(), "iam:PutRolePolicy")))

    assert rights(operator) == ("failed", "missing: iam:PutRolePolicy")


def test_preflight_warns_where_rights_cannot_be_asked(operator: Operator) -> None:
    """The least policy does not hold the right to ask."""
    operator.begin(operator.least())

    assert rights(operator) == ("warning", "not known: IAM does not let them be asked")


@pytest.mark.parametrize(
    "mixable",
    [lambda asked: len({name.split(":")[0] for name in asked}), len],
    ids=["service", "action"],
)
@pytest.mark.parametrize("missing", [None, "lambda:PublishVersion"])
def test_rights_are_asked_for_apart_where_iam_wants_that(
    operator: Operator, mixable: Callable[[list[str]], int], missing: str | None
) -> None:
    """AWS refuses some actions beside others, in words that say so: the answer is the same."""
    operator.begin(also_asking(without(operator.least(), missing or "")))
    mixed = Refuse(
        400,
        "InvalidInput",
        "Invalid Input Actions: [a] and [b] require different authorization information.",
    )

    def fault(call: Call) -> Refuse | None:
        asked = [
            value
            for name, (value,) in parse_qs(call.body.decode()).items()
            if name.startswith("ActionNames")
        ]
        return mixed if asked and mixable(asked) > 1 else None

    operator.proxy.begin(fault)

    assert rights(operator) == (("failed", f"missing: {missing}") if missing else ("ok", ""))


class Iam:
    """Answers SimulatePrincipalPolicy in AWS's own shape: an action a result, and its resources below it.

    All is allowed on the resources of the action's own service, and the decision above them is the strictest one. So many
    results are a page.
    """

    def __init__(self, page: int = 100) -> None:
        self.page = page
        self.calls = 0

    def call(self, service: str, operation: str, **given: Any) -> Any:
        assert operation == "simulate_principal_policy"
        self.calls += 1
        resources = given.get("ResourceArns", ())
        results = [self._result(action, resources) for action in given["ActionNames"]]
        begin = int(given.get("Marker", 0))
        end = begin + self.page
        more = (
            {"IsTruncated": True, "Marker": str(end)}
            if end < len(results)
            else {"IsTruncated": False}
        )
        return {"EvaluationResults": results[begin:end], **more}

    def _result(self, action: str, resources: list[str]) -> dict[str, Any]:
        service = action.split(":")[0]
        below = [
            {
                "EvalResourceName": each,
                "EvalResourceDecision": "allowed"
                if each.split(":")[2] == service
                else "implicitDeny",
            }
            for each in resources
        ]
        decision = "implicitDeny" if below else "allowed"
        return {
            "EvalActionName": action,
            "EvalResourceName": "*",
            "EvalDecision": decision,
            "ResourceSpecificResults": below,
        }


@pytest.mark.parametrize(
    ("before_deploy", "questions"), [(True, 1), (False, 2)], ids=["before a deploy", "of its own"]
)
@pytest.mark.parametrize(("page", "pages"), [(100, 1), (20, 2)])
def test_all_rights_are_asked_for_at_once(
    operator: Operator, before_deploy: bool, questions: int, page: int, pages: int
) -> None:
    """In one call before a deploy, which may make 55 in all; what names no resource takes another. All pages are read."""
    operator.account.configure()
    iam, policy = Iam(page), operator.least()
    statements = [
        each for each in policy["Statement"] if not (before_deploy and each["Sid"] == "Find")
    ]

    allowed = asking._allowed(iam, "arn:aws:iam::000000000000:user/operator", statements)  # type: ignore[arg-type]

    assert sorted(allowed) == actions({"Statement": statements})
    assert iam.calls == questions - 1 + pages


def rights(operator: Operator) -> tuple[str, str]:
    found = json.loads(operator.type("preflight", "--json").stdout)
    (finding,) = [each for each in found if each["name"] == "rights"]
    return finding["status"], "" if finding["status"] == "ok" else finding["message"]
