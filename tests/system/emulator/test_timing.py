"""AWS's timing, injected before the emulated account: deploy waits, or names the failed step."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gimel.errors import GimelError
from tests.support.account import Account, variables
from tests.support.clock import Rates, Time, Timing, first, keep, until
from tests.support.command import gimel
from tests.support.configurations import SECOND_PATH, memory
from tests.support.events import EVENT
from tests.support.proxy import AwsProxy, Call, Edit, Refuse

PENDING = Refuse(
    409,
    "ResourceConflictException",
    "The operation cannot be performed at this time. "
    "The function is currently in the following state: Pending",
)
IN_PROGRESS = Refuse(
    409,
    "ResourceConflictException",
    "The operation cannot be performed at this time. "
    "An update is in progress for resource: gimel-track",
)
NO_ROLE = Refuse(
    400,
    "InvalidParameterValueException",
    "The role defined for the function cannot be assumed by Lambda.",
)
NO_ROLE_IN_KMS = Refuse(
    400,
    "InvalidParameterValueException",
    "Lambda was unable to configure access to your environment variables because the KMS key is "
    "invalid for CreateGrant. "
    "Please check your KMS key settings. KMS Exception: InvalidArnException "
    "KMS Message: ARN does not refer to a valid principal",
)
NO_ROLE_IN_EC2 = Refuse(
    400,
    "InvalidParameterValueException",
    "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
)
EC2_BUSY = Refuse(
    400,
    "InvalidParameterValueException",
    "Your request has been throttled by EC2, please make sure to retry",
)
NAMED_LIKE_A_REFUSAL = Refuse(
    409,
    "ResourceConflictException",
    "The operation cannot be performed at this time. An update is in progress for resource: "
    "arn:aws:lambda:us-east-1:000000000000:function:already-an-alias",
)
CONCURRENT = Refuse(
    409,
    "ConflictException",
    "Unable to complete operation due to concurrent modification. Please try again later.",
)
CONCURRENT_REWORDED = Refuse(400, "BadRequestException", CONCURRENT.message)
TOO_MANY = Refuse(429, "TooManyRequestsException", "Too Many Requests")
ROLE_CHANGING = Refuse(409, "ConcurrentModification", "Another change is in progress")
CHANGING = ("UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion", "UpdateAlias")


@pytest.mark.parametrize(
    "timing",
    [
        functools.partial(until, 100, ("CreateFunction",), NO_ROLE),
        functools.partial(until, 200, ("CreateFunction",), NO_ROLE_IN_KMS),
        functools.partial(until, 100, ("CreateFunction",), NO_ROLE_IN_EC2),
        functools.partial(until, 60, ("CreateFunction",), EC2_BUSY),
        functools.partial(until, 90, ("CreateAlias", "AddPermission"), PENDING),
        functools.partial(until, 90, ("CreateAlias",), NAMED_LIKE_A_REFUSAL),
        functools.partial(
            until, 30, ("PutMethod", "PutIntegration", "CreateDeployment"), CONCURRENT
        ),
        functools.partial(until, 30, ("PutMethod",), CONCURRENT_REWORDED),
        functools.partial(until, 30, ("CreateDeployment",), TOO_MANY),
        functools.partial(until, 10, ("CreateRole",), ROLE_CHANGING),
    ],
    ids=[
        "role after 100 s",
        "role after 200 s, says KMS",
        "role after 100 s, says EC2",
        "EC2 busy",
        "function pending",
        "function of a misleading name pending",
        "concurrent change",
        "concurrent change, reworded",
        "too many",
        "role being changed",
    ],
)
def test_a_first_deploy_waits_for_what_passes(
    account: Account, proxy: AwsProxy, timing: Callable[[], Timing]
) -> None:
    """It succeeds by itself, and nothing is left to do."""
    clock = Time()
    keep(proxy, clock, timing())

    account.deploy(clock.options)

    assert clock.now > 10
    proxy.begin()
    assert account.plan() == ()
    assert account.ask("track", **EVENT).status == 200


def test_a_change_waits_while_an_update_is_in_progress(deployed: Account, proxy: AwsProxy) -> None:
    """Every call that changes a function is refused for half a minute, and succeeds then."""
    clock = Time()
    keep(proxy, clock, *(until(30, (operation,), IN_PROGRESS) for operation in CHANGING))
    change = {"aws": {**memory(256), "architecture": "x86_64"}}

    deployed.deploy(clock.options, **change)

    assert clock.now > 100
    proxy.begin()
    assert deployed.plan(**change) == ()
    assert deployed.versions("gimel-track") == [1, 2]


def test_a_version_becomes_live_when_it_is_ready(deployed: Account, proxy: AwsProxy) -> None:
    """AWS may still be preparing a version that it has published; the previous one serves."""
    clock = Time()
    published: list[float] = []
    became_live: list[float] = []

    def pending(call: Call) -> Edit | None:
        if call.operation == "UpdateAlias":
            became_live.append(clock.now)
        if call.operation == "PublishVersion":
            published.append(clock.now)
        if (
            published
            and clock.now < published[0] + 10
            and call.operation in ("PublishVersion", "GetFunctionConfiguration")
        ):
            return Edit(lambda answer: answer.update(State="Pending"))
        return None

    proxy.begin(pending)

    deployed.deploy(clock.options, aws=memory(256))

    assert (len(published), len(became_live)) == (1, 1)
    assert became_live[0] >= published[0] + 10


@pytest.mark.parametrize(
    ("operation", "answer", "step"),
    [
        ("CreateFunction", NO_ROLE, "Create the function gimel-track"),
        ("PutIntegration", TOO_MANY, "Wire GET /e"),
        ("CreateApiKey", Refuse(503, "ServiceUnavailableException"), "Create the API key"),
    ],
    ids=["role never", "throttled for ever", "service down"],
)
def test_what_never_passes_ends_with_the_step(
    account: Account, proxy: AwsProxy, operation: str, answer: Refuse, step: str
) -> None:
    """Waiting is bounded, the error names the step, and the next deploy completes the rest."""
    clock = Time()
    keep(proxy, clock, until(9e9, (operation,), answer))

    with pytest.raises(GimelError) as failure:
        account.deploy(clock.options)

    assert step in failure.value.message
    assert clock.now < 400
    proxy.begin()
    account.deploy()
    assert account.plan() == ()


def test_api_gateways_real_rates_are_respected(account: Account, proxy: AwsProxy) -> None:
    """A first deploy, a change and a destroy in a row succeed at AWS's rates, in five minutes."""
    clock, rates = Time(), Rates()
    keep(proxy, clock, rates)

    account.deploy(clock.options)
    account.deploy(clock.options, extra_wiring=[SECOND_PATH])
    left = account.plan(extra_wiring=[SECOND_PATH])
    account.destroy(clock.options)

    assert left == ()
    assert rates.refused > 0
    assert clock.now < 300
    assert not any(account.listing().values())


def test_the_command_succeeds_in_real_time(
    account: Account, proxy: AwsProxy, tmp_path: Path
) -> None:
    """At AWS's rates: the role works after 2 s, and functions are pending for 1 s."""
    rates = Rates()
    timings = (until(2, ("CreateFunction",), NO_ROLE), until(1, ("CreateAlias",), PENDING), rates)
    proxy.begin(lambda call: first(timings, call.operation, time.monotonic()))
    account.configure()

    done = gimel("deploy", "--yes", home=tmp_path, **variables(proxy.url))

    assert done.returncode == 0, done.stderr
    proxy.begin()
    assert account.plan() == ()


def test_concurrency_is_released_before_another_function_takes_it(
    account: Account, proxy: AwsProxy
) -> None:
    """It can move between functions where the account has no unreserved concurrency left."""
    account.deploy(aws={"functions": {"gimel-delete-experiment": {"reserved_concurrency": 5}}})
    below = (
        "Specified ReservedConcurrentExecutions for function decreases "
        "UnreservedConcurrentExecution below its minimum"
    )

    def scarce(call: Call) -> Refuse | None:
        taken = (
            call.operation == "PutFunctionConcurrency"
            and "DeleteFunctionConcurrency" not in proxy.mutating
        )
        return Refuse(400, "InvalidParameterValueException", below) if taken else None

    proxy.begin(scarce)
    moved = {"functions": {"gimel-track": {"reserved_concurrency": 5}}}
    account.deploy(aws=moved)

    assert account.plan(aws=moved) == ()


def test_two_deploys_at_once_leave_one_api(account: Account, proxy: AwsProxy) -> None:
    """Where both saw none, one removes its own and fails; the next deploy completes the other."""

    account.client("iam").create_role(
        RoleName="gimel",
        AssumeRolePolicyDocument="{}",
        Tags=[{"Key": "gimel", "Value": "gimel"}],
    )

    def another(call: Call) -> None:
        if call.operation == "CreateRestApi":
            account.client("apigateway").create_rest_api(name="gimel", tags={"gimel": "gimel"})

    proxy.begin(another)
    with pytest.raises(GimelError, match="Another deploy created the REST API at the same time"):
        account.deploy()

    proxy.begin()
    account.deploy()
    assert account.plan() == ()
    assert account.ask("track", **EVENT).status == 200
