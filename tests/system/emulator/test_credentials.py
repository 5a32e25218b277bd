"""AWS credentials that AWS refuses: every command says so at once, and what to do."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.support.account import Account, variables
from tests.support.proxy import AwsProxy, Refuse
from tests.support.warm_process import Commands

EXPIRED = Refuse(
    400, "ExpiredTokenException", "The security token included in the request is expired"
)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            Refuse(403, "ExpiredToken", "The security token included in the request is expired"),
            "credentials have expired",
        ),
        (EXPIRED, "credentials have expired"),
        (
            Refuse(
                403,
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
            "does not accept",
        ),
        (
            Refuse(
                403,
                "AccessDenied",
                "User: arn:aws:iam::1:user/u is not authorized to perform: iam:GetRole on",
            ),
            "iam:GetRole",
        ),
        (Refuse(403, "AccessDeniedException"), "AWS does not allow sts:GetCallerIdentity"),
    ],
    ids=["expired", "expired, reworded", "invalid", "denied", "denied without a message"],
)
def test_refused_credentials_are_named(
    account: Account, proxy: AwsProxy, commands: Commands, answer: Refuse, message: str
) -> None:
    """The call is not repeated."""
    account.configure()
    proxy.begin(lambda call: answer)

    done = run(account, proxy, commands, "deploy", "--no-preflight")

    assert_error(done, message)
    assert len(proxy.calls) == 1


@pytest.mark.parametrize(
    "name", ["deploy", "status", "rollback", "destroy --yes", "delete x --yes", "results"]
)
def test_a_session_that_expires_midway_is_an_error_of_every_command(
    deployed: Account, proxy: AwsProxy, commands: Commands, name: str
) -> None:
    """From the second call on: the hint is to log in again."""
    proxy.begin(lambda call: EXPIRED if call.number > 1 else None)

    done = run(deployed, proxy, commands, *name.split())

    assert_error(done, "The AWS credentials have expired.")
    assert "Log in again" in done.stderr


def test_preflight_reports_an_expired_session_as_a_failed_check(
    account: Account, proxy: AwsProxy, commands: Commands
) -> None:
    """It continues with the checks that do not need AWS."""
    account.configure()
    proxy.begin(lambda call: EXPIRED)

    done = run(account, proxy, commands, "preflight", "--json")

    found = {each["name"]: (each["status"], each["message"]) for each in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found["AWS"] == ("failed", "The AWS credentials have expired.")
    assert found["Redis"][0] == "ok"


def run(
    account: Account, proxy: AwsProxy, commands: Commands, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return commands.run(*arguments, home=account.file.parent, **variables(proxy.url))


def assert_error(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "something unexpected" not in done.stderr
