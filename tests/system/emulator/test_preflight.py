"""`gimel preflight` asks IAM whether the caller has the permissions that deploy needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from gimel.deploy.checks import permissions as asking
from gimel.deploy.preflight_permissions import SIDS
from gimel.deploy.watch_permissions import WATCH_SIDS
from tests.support.operator import Operator, Policy, actions, without
from tests.support.proxy import Call, Refuse

ASK = {
    "Sid": "Ask",
    "Effect": "Allow",
    "Action": ["iam:SimulatePrincipalPolicy"],
    "Resource": ["*"],
}


def also_asking(policy: Policy) -> Policy:
    """Add the permission to ask about anybody, and drop the condition on PassRole.

    The emulator does not see who is asked about, and its simulation cannot evaluate the condition.
    """
    statements = [
        {key: value for key, value in each.items() if key != "Condition"}
        for each in policy["Statement"]
    ]
    return {**policy, "Statement": [*statements, ASK]}


def test_preflight_confirms_that_no_permission_is_missing(operator: Operator) -> None:
    """Where the caller may ask IAM."""
    operator.begin(also_asking(operator.least()))

    assert permissions(operator) == ("ok", "")


def test_preflight_names_the_missing_permission(operator: Operator) -> None:
    """Before anything is created."""
    operator.begin(also_asking(without(operator.least(), "iam:PutRolePolicy")))

    assert permissions(operator) == ("failed", "missing: iam:PutRolePolicy")


def test_preflight_warns_where_the_caller_may_not_ask(operator: Operator) -> None:
    """As with a policy that an earlier version printed."""
    operator.begin(without(operator.least(), "iam:SimulatePrincipalPolicy"))

    assert permissions(operator) == (
        "warning",
        "not checked: this user may not simulate IAM policies",
    )


@pytest.mark.parametrize(
    "mixable",
    [lambda asked: len({name.split(":")[0] for name in asked}), len],
    ids=["service", "action"],
)
@pytest.mark.parametrize("missing", [None, "lambda:PublishVersion"])
def test_actions_that_iam_does_not_mix_are_asked_about_separately(
    operator: Operator, mixable: Callable[[list[str]], int], missing: str | None
) -> None:
    """AWS refuses to answer for some actions together, and says so: the finding is the same."""
    policy = without(operator.least(), *([missing] if missing else []))
    operator.begin(also_asking(policy))
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

    assert permissions(operator) == (("failed", f"missing: {missing}") if missing else ("ok", ""))


class Iam:
    """Answers SimulatePrincipalPolicy in AWS's shape: one result per action, with one per resource.

    An action is allowed on its own service's resources. The decision for the action is the
    strictest of them. `page` is the number of results per page.
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
    ("before_deploy", "questions"), [(True, 1), (False, 2)], ids=["before a deploy", "by itself"]
)
@pytest.mark.parametrize(("page", "pages"), [(100, 1), (30, 2)])
def test_one_question_covers_all_permissions(
    operator: Operator, before_deploy: bool, questions: int, page: int, pages: int
) -> None:
    """One call before a deploy, which may make 74; actions without resources take a second.

    All pages are read.
    """
    iam, policy = Iam(page), operator.least({})
    skipped = SIDS | WATCH_SIDS | ({"Find"} if before_deploy else set())
    statements = [each for each in policy["Statement"] if each["Sid"] not in skipped]

    allowed = asking._allowed(iam, "arn:aws:iam::000000000000:user/operator", statements)  # type: ignore[arg-type]

    assert sorted(allowed) == actions({"Statement": statements})
    assert iam.calls == questions - 1 + pages


def permissions(operator: Operator) -> tuple[str, str]:
    found = json.loads(operator.type("preflight", "--json").stdout)
    (finding,) = [each for each in found if each["name"] == "permissions"]
    return finding["status"], "" if finding["status"] == "ok" else finding["message"]
