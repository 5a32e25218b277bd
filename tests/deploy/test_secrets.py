"""A password that AWS keeps: what the functions may read, and how a deploy changes to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.desired import desired_state
from gimel.deploy.policies import Policy
from gimel.deploy.record import other_regions
from tests.support.state.cases import planned
from tests.support.state.cloud import FUNCTIONS, HERE, Place, State
from tests.support.state.names import PutRolePolicy, UpdateFunctionConfiguration
from tests.support.state.seen import recorded_functions, role_policy
from tests.support.state.settled import configuration, settled

EU = Place("eu-west-1")
CHINA = Place("cn-north-1", "aws-cn")
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
SECRET_ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:s-AbCdEf"


def redis(**password: str) -> dict[str, Any]:
    return {"host": "redis.example.com", "password": password}


def statements(place: Place, **password: str) -> dict[str, Any]:
    """Return the statements about a secret in the role's policy, by their Sid."""
    secret = configuration(redis=redis(**password)).secret
    policy = role_policy(place, FUNCTIONS, secret=secret)
    return {
        each.pop("Sid"): each
        for each in map(dict, policy["Statement"])
        if not each["Sid"].startswith("Logs")
    }


def policy_of(there: State) -> Policy:
    assert there.role is not None
    assert there.role.policy is not None
    return there.role.policy


def with_policy(there: State, policy: Policy) -> State:
    assert there.role is not None
    return replace(there, role=replace(there.role, policy=policy))


def policies(there: State, redis: dict[str, Any]) -> list[Policy]:
    """Return the policies of the role that a deploy sets, one after the other."""
    steps = planned(there, redis=redis)
    return [each.policy for each in steps if isinstance(each, PutRolePolicy)]


def sids(policy: Policy) -> dict[str, Any]:
    return {each["Sid"]: each for each in policy["Statement"]}


def allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [action], "Resource": [resource]}


@pytest.mark.parametrize(
    ("place", "password", "action", "resource"),
    [
        (
            HERE,
            {"ssm": "/gimel/redis"},
            "ssm:GetParameter",
            "arn:aws:ssm:us-east-1:123456789012:parameter/gimel/redis",
        ),
        (
            CHINA,
            {"ssm": "redis"},
            "ssm:GetParameter",
            "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/redis",
        ),
        (
            HERE,
            {"secretsmanager": "gimel/redis", "key": "password"},
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:gimel/redis-??????",
        ),
        (HERE, {"secretsmanager": SECRET_ARN}, "secretsmanager:GetSecretValue", SECRET_ARN),
    ],
    ids=["parameter", "parameter in China", "secret", "ARN"],
)
def test_the_functions_may_read_this_secret_alone(
    place: Place, password: dict[str, str], action: str, resource: str
) -> None:
    """And decrypt nothing: AWS's own keys need no permission of the role."""
    region = {HERE: "UsEast1", CHINA: "CnNorth1"}[place]

    assert statements(place, **password) == {f"Secret{region}": allow(action, resource)}


@pytest.mark.parametrize(
    ("password", "host"),
    [
        ({"ssm": "/p"}, "ssm.us-east-1.amazonaws.com"),
        ({"secretsmanager": "s"}, "secretsmanager.us-east-1.amazonaws.com"),
        ({"secretsmanager": SECRET_ARN}, "secretsmanager.us-west-2.amazonaws.com"),
    ],
    ids=["parameter", "secret", "ARN"],
)
def test_a_key_decrypts_for_this_service_alone(password: dict[str, str], host: str) -> None:
    """The role cannot use it for anything else."""
    found = statements(HERE, **password, kms_key=KEY)

    condition = {"StringEquals": {"kms:ViaService": host}}
    assert found["DecryptUsEast1"] == {**allow("kms:Decrypt", KEY), "Condition": condition}


def test_each_region_keeps_its_own_secret() -> None:
    """The role is shared by all regions."""
    secret = configuration(redis=redis(ssm="/p", kms_key=KEY)).secret
    theirs = role_policy(EU, FUNCTIONS, secret=secret)

    both = role_policy(HERE, FUNCTIONS, before=theirs, secret=secret)

    expected = {"SecretEuWest1", "DecryptEuWest1", "SecretUsEast1", "DecryptUsEast1"}
    assert expected < sids(both).keys()
    assert other_regions(both, HERE.region) == theirs
    assert recorded_functions(both, EU.region) == set(FUNCTIONS)


def test_the_permission_comes_before_the_functions_that_need_it() -> None:
    """And is limited to a rollback when no live function reads the secret any more."""
    plain = {"host": "redis.example.com", "password": "p"}

    there = planned(settled(redis=plain), redis=redis(ssm="/p"))
    back = planned(settled(redis=redis(ssm="/p")), redis=plain)

    assert isinstance(there[0], PutRolePolicy)
    assert not any(isinstance(each, PutRolePolicy) for each in there[1:])
    assert isinstance(there[1], UpdateFunctionConfiguration)
    assert isinstance(back[-1], PutRolePolicy)
    assert not any(isinstance(each, PutRolePolicy) for each in back[:-1])


@pytest.mark.parametrize(
    "after",
    [redis(ssm="/new"), redis(secretsmanager="new"), {"host": "redis.example.com"}],
    ids=["parameter", "secret", "none"],
)
def test_a_version_to_roll_back_to_may_read_its_secret(after: dict[str, Any]) -> None:
    """With its key, until that secret is replaced, too. A second deploy changes nothing."""
    there = settled(redis=redis(ssm="/old", kms_key=KEY))
    before = sids(policy_of(there))
    former = {
        f"Former{kind}UsEast1": {**before[f"{sid}UsEast1"], "Sid": f"Former{kind}UsEast1"}
        for kind, sid in (("", "Secret"), ("Key", "Decrypt"))
    }

    once = policies(there, after)
    interrupted = policies(with_policy(there, once[0]), after)

    for each in (*once, *interrupted):
        assert former.items() <= sids(each).items()
    ready = with_policy(settled(redis=after), once[-1])
    assert planned(ready, redis=after) == ()


def test_only_the_secret_before_is_kept() -> None:
    """The one before that is not."""
    second = policies(settled(redis=redis(ssm="/1")), redis(ssm="/2"))[-1]
    deployed = with_policy(settled(redis=redis(ssm="/2")), second)

    third = policies(deployed, redis(ssm="/3"))[-1]

    assert "/2" in str(sids(third)["FormerUsEast1"])
    assert "parameter/1" not in str(third)


def test_what_somebody_added_is_not_kept_for_a_rollback() -> None:
    """While no other secret was live, a changed statement is corrected."""
    there = settled(redis=redis(ssm="/p"))
    wider = sids(policy_of(there))
    wider["SecretUsEast1"] = {**wider["SecretUsEast1"], "Resource": ["*"]}
    changed = with_policy(there, {**policy_of(there), "Statement": [*wider.values()]})

    assert policies(changed, redis(ssm="/p")) == [policy_of(there)]


def test_nothing_is_left_to_do_once_it_is_deployed() -> None:
    """With either service, and with a key."""
    for password in ({"ssm": "/p", "kms_key": KEY}, {"secretsmanager": "s", "key": "password"}):
        assert planned(settled(redis=redis(**password)), redis=redis(**password)) == ()


def test_a_plan_names_the_setting_and_not_its_value() -> None:
    """Neither the old password nor the name of the secret."""
    plain = {"host": "redis.example.com", "password": "hunter2"}

    steps = planned(settled(redis=plain), redis=redis(ssm="/the/name"))

    words = " ".join(map(str, steps))
    assert "redis.password" in words
    assert "hunter2" not in words
    assert "/the/name" not in words


@pytest.mark.parametrize("secret", [True, False], ids=["a secret", "a password"])
def test_every_zip_has_what_reads_a_secret_if_it_is_needed(secret: bool) -> None:
    """That of the daily snapshot, too."""
    wanted = desired_state(configuration(redis=redis(ssm="/p") if secret else {"host": "h"}))

    held = {b"gimel/runtime/redis/secrets.py" in function.code for function in wanted.functions}

    assert held == {secret}
