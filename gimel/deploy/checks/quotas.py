"""Whether the quotas of the account leave room for a deployment.

Only AWS Lambda's are asked for. API Gateway allows 600 REST APIs per region, and a call to count
them would be one more on every deploy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gimel.deploy.aws import Aws
from gimel.deploy.aws_errors import DENIED, Refused
from gimel.deploy.checks.findings import Finding, failed, ok, warning
from gimel.deploy.desired import Desired
from gimel.errors import GimelError

_CONCURRENCY, _STORAGE = "AWS Lambda concurrency", "AWS Lambda code storage"

# AWS keeps these for functions without a reservation. Accounts whose quota is smaller, often 10
# or 50 at first, cannot reserve any.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
_KEPT_UNRESERVED = 100

_ROOM_FOR_CODE = 10_000_000  # bytes; a deploy adds about 0.2 MB per function, 0.4 MB for snapshots


def check_quotas(aws: Aws, desired: Desired, *, before_deploy: bool) -> Iterator[Finding]:
    """Yield what the account's quotas allow, a warning if the caller may not ask.

    `before_deploy` skips the call if no function reserves concurrency. So does an emulator, which
    has no quotas.
    """
    wanted = wanted_concurrency(desired)
    if aws.endpoint is not None or (before_deploy and not wanted):
        return
    try:
        settings = aws.call("lambda", "get_account_settings")
        limit, usage = settings.get("AccountLimit", {}), settings.get("AccountUsage", {})
        if wanted and (room := _room(limit)) is not None and sum(wanted.values()) > room:
            limit = _with_held(limit, _held_concurrency(aws, desired))
    except GimelError as error:
        denied = isinstance(error, Refused) and error.code in DENIED
        why = "this user may not call lambda:GetAccountSettings" if denied else error.message
        yield warning("AWS Lambda quotas", f"not checked: {why}")
        return
    yield from concurrency_findings(limit, wanted)
    yield from storage_findings(limit, usage)


def wanted_concurrency(desired: Desired) -> dict[str, int]:
    """Return how much concurrency the functions shall reserve, by name."""
    return {
        each.name: each.reserved_concurrency
        for each in desired.functions
        if each.reserved_concurrency
    }


def concurrency_findings(limit: Mapping[str, Any], wanted: Mapping[str, int]) -> Iterator[Finding]:
    """Yield whether the concurrency can be reserved.

    `limit` is AWS's AccountLimit, in which the functions' own reservations count as unreserved.
    """
    room, total = _room(limit), sum(wanted.values())
    if room is None:
        return
    account = limit["ConcurrentExecutions"]
    if total <= room:
        yield ok(_CONCURRENCY, f"{account} concurrent executions, of which {room} can be reserved")
        return
    settings = " + ".join(
        f"{amount} (aws.functions.{name}.reserved_concurrency)" for name, amount in wanted.items()
    )
    can = f"only {room} can be reserved" if room else "none can be reserved"
    yield failed(
        _CONCURRENCY,
        f"{settings} cannot be reserved: of the account's {account} concurrent executions, {can}, "
        f"because AWS keeps {min(_KEPT_UNRESERVED, account)} unreserved",
        "Reserve less, or request a higher quota in the console of Service Quotas (AWS Lambda, "
        "Concurrent executions).",
    )


def storage_findings(limit: Mapping[str, Any], usage: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield whether the code of the functions can be stored."""
    allowed, used = limit.get("TotalCodeSize"), usage.get("TotalCodeSize")
    if isinstance(allowed, int) and isinstance(used, int):
        stored = f"{used / 1e9:.1f} of {allowed / 1e9:.1f} GB are used"
        if allowed - used < _ROOM_FOR_CODE:
            hint = "Delete functions or versions that are no longer needed."
            yield failed(_STORAGE, f"the account's quota is used up: {stored}", hint)
        else:
            yield ok(_STORAGE, stored)


def _room(limit: Mapping[str, Any]) -> int | None:
    """Return how much concurrency can be reserved, None if AWS does not say."""
    account, unreserved = (
        limit.get(name) for name in ("ConcurrentExecutions", "UnreservedConcurrentExecutions")
    )
    if not isinstance(account, int) or not isinstance(unreserved, int):
        return None
    return max(unreserved - _KEPT_UNRESERVED, 0)


def _held_concurrency(aws: Aws, desired: Desired) -> int:
    """Return how much concurrency the functions already reserve."""
    answers = (
        aws.find("lambda", "get_function_concurrency", FunctionName=name)
        for name in desired.function_names
    )
    return sum((each or {}).get("ReservedConcurrentExecutions", 0) for each in answers)


def _with_held(limit: Mapping[str, Any], held: int) -> dict[str, Any]:
    unreserved = limit["UnreservedConcurrentExecutions"] + held
    return {**limit, "UnreservedConcurrentExecutions": unreserved}
