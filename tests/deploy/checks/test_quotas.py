"""Whether the account's quotas leave room, with a stub that answers as AWS Lambda does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from gimel.deploy.aws import Aws
from gimel.deploy.aws_errors import Refused
from gimel.deploy.checks.findings import Finding
from gimel.deploy.checks.quotas import check_quotas
from gimel.errors import GimelError
from tests.support.state.settled import desired

DENIED = Refused("AccessDeniedException", "you may not")


@dataclass
class Account:
    """An account with these quotas, in AWS's own shape.

    `held` is the concurrency that functions reserve, `others` that of functions of other programs.
    """

    concurrency: int = 1000
    held: dict[str, int] = field(default_factory=dict)
    others: int = 0
    code: int = 0
    refusal: GimelError | None = None
    endpoint: str | None = None
    calls: list[str] = field(default_factory=list)

    def call(self, service: str, operation: str, **given: Any) -> Any:
        self.calls.append(f"{service}:{operation}")
        if self.refusal is not None:
            raise self.refusal
        unreserved = self.concurrency - self.others - sum(self.held.values())
        return {
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800,
                "CodeSizeUnzipped": 262_144_000,
                "ConcurrentExecutions": self.concurrency,
                "UnreservedConcurrentExecutions": unreserved,
            },
            "AccountUsage": {"TotalCodeSize": self.code, "FunctionCount": 3},
        }

    def find(self, service: str, operation: str, *, FunctionName: str) -> Any:  # noqa: N803
        self.calls.append(f"{service}:{operation}")
        if FunctionName not in self.held:
            return None
        return {"ReservedConcurrentExecutions": self.held[FunctionName]}


def check(
    account: Account, wanted: dict[str, int] | None = None, before_deploy: bool = False
) -> dict[str, Finding]:
    """Return the findings by name, for functions that reserve this much concurrency."""
    functions = {name: {"reserved_concurrency": each} for name, each in (wanted or {}).items()}
    found = check_quotas(
        cast(Aws, account), desired(aws={"functions": functions}), before_deploy=before_deploy
    )
    return {each.name.removeprefix("AWS Lambda "): each for each in found}


TRACK, ALL = "gimel-track", "gimel-all-experiments"


@pytest.mark.parametrize(
    ("account", "wanted", "status"),
    [
        (Account(), {}, "ok"),
        (Account(), {TRACK: 900}, "ok"),
        (Account(), {TRACK: 901}, "failed"),
        (Account(), {TRACK: 500, ALL: 401}, "failed"),
        (Account(others=890), {TRACK: 10}, "ok"),
        (Account(others=890), {TRACK: 11}, "failed"),
        (Account(others=890, held={TRACK: 10}), {TRACK: 10}, "ok"),
        (Account(others=890, held={TRACK: 10}), {TRACK: 11}, "failed"),
        (Account(others=890, held={TRACK: 10}), {ALL: 10}, "ok"),
        (Account(10), {}, "ok"),
        (Account(10), {TRACK: 1}, "failed"),
        (Account(50), {TRACK: 1}, "failed"),
        (Account(101), {TRACK: 1}, "ok"),
    ],
    ids=str,
)
def test_concurrency_can_be_reserved_or_not(
    account: Account, wanted: dict[str, int], status: str
) -> None:
    """AWS keeps 100 unreserved, or all of a smaller quota; what is held may be reserved again."""
    found = check(account, wanted)["concurrency"]
    assert found.status == status
    if status == "failed":
        assert f"of the account's {account.concurrency} concurrent executions" in found.message
        assert all(f"aws.functions.{name}.reserved_concurrency" in found.message for name in wanted)
        assert "Service Quotas" in found.hint


def test_a_new_account_can_reserve_nothing() -> None:
    """Its quota is 10, all of which AWS keeps unreserved."""
    assert check(Account(10), {TRACK: 5})["concurrency"].message == (
        "5 (aws.functions.gimel-track.reserved_concurrency) cannot be reserved: of the account's "
        "10 concurrent executions, none can be reserved, because AWS keeps 10 unreserved"
    )


@pytest.mark.parametrize(
    ("code", "status"), [(0, "ok"), (80_500_000_000, "ok"), (80_530_000_000, "failed")]
)
def test_code_can_be_stored_or_not(code: int, status: str) -> None:
    """All versions of all functions of the region share 75 GiB."""
    assert check(Account(code=code))["code storage"].status == status


@pytest.mark.parametrize(
    ("wanted", "before_deploy", "calls"),
    [
        ({}, True, 0),
        ({}, False, 1),
        ({TRACK: 1}, True, 1),
        ({TRACK: 1000}, True, 5),
    ],
)
def test_a_deploy_asks_only_if_it_matters(
    wanted: dict[str, int], before_deploy: bool, calls: int
) -> None:
    """One call if something is reserved; what the functions hold only where room is short."""
    account = Account()
    check(account, wanted, before_deploy)
    assert len(account.calls) == calls


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (DENIED, "not checked: this user may not call lambda:GetAccountSettings"),
        (GimelError("AWS is away."), "not checked: AWS is away."),
    ],
)
def test_who_may_not_ask_is_told_so(refusal: GimelError, says: str) -> None:
    """The deploy may work all the same."""
    found = check(Account(refusal=refusal), {TRACK: 1})
    assert [(each.status, each.message) for each in found.values()] == [("warning", says)]


def test_an_emulator_is_not_asked() -> None:
    """It has no quotas."""
    account = Account(endpoint="http://127.0.0.1:5000")
    assert check(account, {TRACK: 1000}) == {}
    assert account.calls == []
