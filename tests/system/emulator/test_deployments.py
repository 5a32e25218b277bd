"""Several deployments in one account: two names in one region, and two regions with tags."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.account import REGION, Account, ask
from tests.support.configurations import memory
from tests.support.events import EVENT
from tests.support.recorded_calls import mutating

OTHER = "eu-west-1"
NAMES = ("gimel", "shop")


def named(name: str, **aws: Any) -> dict[str, Any]:
    """Return a configuration of a deployment."""
    return {"aws": {"name": name, **aws}}


def contents(account: Account, name: str) -> Any:
    """Return what exists of a deployment, with its live versions."""
    gateway, functions = account.client("apigateway"), account.client("lambda")
    names = [each["FunctionName"] for each in functions.list_functions()["Functions"]]
    own = [each for each in names if each.startswith(f"{name}-")]
    roles = account.client("iam").list_roles()["Roles"]
    return {
        "functions": {
            each: functions.get_alias(FunctionName=each, Name="live")["FunctionVersion"]
            for each in own
        },
        "apis": [each for each in gateway.get_rest_apis()["items"] if each["name"] == name],
        "keys": [each for each in gateway.get_api_keys()["items"] if each["name"] == name],
        "plans": [each for each in gateway.get_usage_plans()["items"] if each["name"] == name],
        "roles": [each for each in roles if each["RoleName"] == name],
    }


def is_counted(account: Account, name: str) -> bool:
    """Return whether a deployment counts an event."""
    (api,) = contents(account, name)["apis"]
    url = f"{account.url}/restapis/{api['id']}/prod/_user_request_/track"
    query = "&".join(f"{key}={value}" for key, value in EVENT.items())
    return bool(ask(f"{url}?{query}").body == {"status": "ok"})


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(NAMES)))
def test_two_names_in_one_region_do_not_touch_each_other(
    account: Account, first: str, second: str
) -> None:
    """Deployed, changed, rolled back and destroyed, the other is as it was; both count."""
    account.deploy(**named(first))
    before = contents(account, first)
    account.deploy(**named(second))
    account.deploy(**named(second, **memory(192, f"{second}-track")))
    account.configure(**named(second))
    account.rollback()

    assert contents(account, first) == before
    assert is_counted(account, first)
    assert is_counted(account, second)
    assert account.plan(**named(first)) == ()

    account.configure(**named(second))
    account.destroy()

    assert contents(account, first) == before
    assert not any(contents(account, second).values())
    assert is_counted(account, first)


def test_two_regions_have_their_own_tags(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The role, which both share, has those of both; neither deploy changes the other's."""

    def tags(region: str) -> list[Any]:
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        functions = account.client("lambda")
        arns = [each["FunctionArn"] for each in functions.list_functions()["Functions"]]
        return [functions.list_tags(Resource=arn)["Tags"] for arn in arns]

    account.deploy(aws={"tags": {"team": "web"}})
    monkeypatch.setenv("AWS_DEFAULT_REGION", OTHER)
    account.deploy(aws={"tags": {"team": "app", "stage": "test"}})

    assert mutating(account.deploy(aws={"tags": {"team": "app", "stage": "test"}}).calls) == []
    assert tags(OTHER) == [{"gimel": "gimel", "team": "app", "stage": "test"}] * 4
    assert tags(REGION) == [{"gimel": "gimel", "team": "web"}] * 4
    assert account.plan(aws={"tags": {"team": "web"}}) == ()

    account.deploy(aws={"tags": {}})

    assert tags(REGION) == [{"gimel": "gimel"}] * 4
    assert tags(OTHER) == [{"gimel": "gimel", "team": "app", "stage": "test"}] * 4
    assert account.plan(aws={"tags": {"team": "app", "stage": "test"}}) == ()


def test_a_role_of_somebody_else_is_used_and_left_alone(account: Account) -> None:
    """No IAM call is made: Gimel knows its ARN only."""
    made = account.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")
    aws = {"role": made["Role"]["Arn"]}

    done = account.deploy(aws=aws)
    again = account.deploy(aws=aws)

    assert not [call for call in done.calls + again.calls if "Role" in call]
    assert mutating(again.calls) == []
    assert account.ask("track", **EVENT).body == {"status": "ok"}
    account.configure(aws=aws)
    account.destroy()
    assert account.listing()["roles"] == {"theirs": []}
    assert not account.listing()["functions"]
