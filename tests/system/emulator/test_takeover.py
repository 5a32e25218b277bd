"""Gimel 1.5.0 itself deploys into the emulated account, and this version takes over in place.

ministack does not fill in 1.5.0's mapping templates, so the oracle runs 1.5.0's own functions to
write its data.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis

from gimel.errors import GimelError
from tests.support.account import Account, variables
from tests.support.configurations import WITH_ROUTES, memory
from tests.support.oracle import DEPLOY_REQUIREMENTS, oracle_python, running_oracle
from tests.support.recorded_calls import mutating

EXTRA = {
    "lambda": {
        "FunctionName": "our-experiment",
        "Handler": "gimel.experiment",
        "MemorySize": 128,
        "Timeout": 10,
    },
    "api_gateway": {
        "pathPart": "experiment",
        "method": {"httpMethod": "GET", "apiKeyRequired": True},
    },
}

# 1.5.0 waits five seconds for the role, which the emulator does not need, and creates a boto3
# session and client per call, which takes 0.2 seconds.
DEPLOY_1_5_0 = """
import functools, time
time.sleep = lambda seconds: None
from gimel import aws_api, deploy
session = aws_api.boto_session()
session.client = functools.cache(session.client)
aws_api.boto_session = lambda: session
deploy.prepare_zip()
deploy.run()
"""


def deploy_1_5_0(account: Account, home: Path) -> None:
    """Run 1.5.0's own deploy with the account's configuration file."""
    home.mkdir()
    (home / "config.json").write_text(account.file.read_text())
    done = subprocess.run(
        [oracle_python(DEPLOY_REQUIREMENTS), "-c", DEPLOY_1_5_0],
        cwd=home,
        env={**os.environ, **variables(account.url), "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def old(unprepared: Account, tmp_path: Path) -> Account:
    """The account with a deployment of 1.5.0 in it, whose configuration adds a function."""
    unprepared.configure(extra_wiring=[EXTRA])
    unprepared.prepare("1.5.0", lambda: deploy_1_5_0(unprepared, tmp_path / "home"))
    return unprepared


def ids(account: Account) -> tuple[Any, ...]:
    """Return what a user of the API holds: its id, the keys, the stages."""
    gateway = account.client("apigateway")
    keys = [(key["id"], key["value"]) for key in gateway.get_api_keys(includeValues=True)["items"]]
    return (
        account.api(),
        keys,
        [stage["stageName"] for stage in gateway.get_stages(restApiId=account.api())["item"]],
    )


def test_api_url_and_key_stay_and_closed_endpoints_open(
    old: Account, store: redis.Redis, tmp_path: Path
) -> None:
    """With the same config.json: URL and key stay, the key opens the API, old data is served."""
    before = ids(old)
    with running_oracle(int(old.redis["port"]), tmp_path) as oracle:
        for number in range(3):
            event = {
                "experiment": "old",
                "variant": "red",
                "event": "participate",
                "uuid": f"u{number}",
            }
            oracle.call("track", event)
    ((_, key),) = before[1]
    assert old.ask("experiments", key=key).status == 403

    planned = old.plan(extra_wiring=[EXTRA])
    done = old.deploy(extra_wiring=[EXTRA])

    assert done.steps == planned
    assert ids(old) == before
    assert done.deployed.key == key
    rows = {row.get("experiment"): row for row in old.ask("experiments", key=key).body}
    assert {each["label"]: each["trials"] for each in rows["old"]["participants"]} == {"red": 3}
    event = {"experiment": "e", "variant": "v", "event": "participate", "uuid": "u"}
    assert old.ask("track", **event).body == {"status": "ok"}
    assert old.ask("e", "POST", body=event).body == {"status": "ok"}
    assert old.ask("experiment", key=key, experiment="old").status == 200
    assert old.ask("delete", "DELETE", key=key, experiment="old").status == 200


def test_a_second_deploy_over_it_changes_nothing(old: Account) -> None:
    """Once taken over, the deployment is as if Gimel 2 had made it."""
    old.deploy(extra_wiring=[EXTRA])

    again = old.deploy(extra_wiring=[EXTRA])

    assert again.sentences == []
    assert mutating(again.calls) == []


def test_the_role_keeps_its_old_permissions_until_the_new_api_is_live(old: Account) -> None:
    """1.5.0's integrations need them: they go after the deployment that does not."""
    done = [type(step).__name__ for step in old.deploy(extra_wiring=[EXTRA]).steps]

    assert max(i for i, name in enumerate(done) if name == "PutRolePolicy") > done.index(
        "DeployApi"
    )
    assert done.index("TrustLambda") > done.index("DeployApi")
    iam = old.client("iam")
    policy = iam.get_role_policy(RoleName="gimel", PolicyName="gimel")["PolicyDocument"]
    assert [statement["Action"] for statement in policy["Statement"]] == [
        ["logs:CreateLogStream", "logs:PutLogEvents"]
    ]
    trust = iam.get_role(RoleName="gimel")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_five_more_deploys_keep_exactly_the_last_five_versions(old: Account) -> None:
    """1.5.0's version and the takeover's are among those that are deleted."""
    old.deploy()

    for megabytes in (160, 192, 224, 288, 320):
        old.deploy(aws=memory(megabytes, *WITH_ROUTES))

    for name in WITH_ROUTES:
        assert (old.versions(name), old.live(name)) == ([3, 4, 5, 6, 7], 7)


def test_what_left_the_wiring_meanwhile_is_removed(old: Account) -> None:
    """A function of 1.5.0's that the configuration no longer names is deleted with its path."""
    done = old.deploy()

    assert "Delete the function our-experiment" in done.sentences
    assert "our-experiment" not in old.listing()["functions"]
    assert old.plan() == ()


def test_destroy_removes_a_deployment_of_1_5_0(old: Account) -> None:
    """Without taking it over first: nothing of it is left."""
    old.destroy()

    assert not any(old.listing().values())


def test_rollback_does_not_go_back_to_what_1_5_0_left(old: Account) -> None:
    """Its versions do not understand how the API calls them now."""
    old.deploy(extra_wiring=[EXTRA])

    with pytest.raises(GimelError, match="Nothing was rolled back"):
        old.rollback()
