"""What is Gimel's, and what only has its name: proven by tags, or by what Gimel 1.5.0 made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.plan import plan, plan_destroy
from gimel.deploy.resources.api_key import API_KEY
from gimel.errors import GimelError
from tests.support.aws import Script, scripted
from tests.support.configurations import CHANGE, OWN_FUNCTION
from tests.support.state.after import after, states
from tests.support.state.answers import answers
from tests.support.state.cases import planned
from tests.support.state.cloud import (
    ALL,
    API,
    EMPTY,
    FUNCTIONS,
    HERE,
    KEY,
    LAMBDA,
    OUR_STAGE,
    TRACK,
    Function,
    LogGroup,
    Place,
    Role,
    State,
)
from tests.support.state.deviations import (
    add_function,
    add_log_group,
    change_api,
    change_function,
    change_plan,
    change_role,
    deviate,
    existing,
    remove,
)
from tests.support.state.look import look
from tests.support.state.names import Desired, MarkKey, Observed
from tests.support.state.seen import role_policy, seen
from tests.support.state.settled import desired, left_by_1_5_0, settled

THEIR_ROLE = "arn:aws:iam::123456789012:role/theirs"
TEAM = {"team": "theirs"}
ECS = frozenset({"ecs-tasks.amazonaws.com"})
S3: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}],
}
MADE = settled().functions[TRACK]
THEIR_FUNCTION = Function(THEIR_ROLE, MADE.latest, MADE.versions, live=1, tags=TEAM)
THEIR_API = {"id": "theirs1", "name": "gimel", "description": "Orders", "rootResourceId": "r"}
THEIR_PLAN = {"id": "theirs2", "name": "gimel", "apiStages": [{"apiId": "other", "stage": "prod"}]}
LOGS: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Logs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [f"{HERE.log_group('orders')}:*"],
        }
    ],
}
NO_API = deviate(settled(), remove("api"), change_plan(stages=frozenset()))
NO_KEY = replace(settled(), key=None)


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


def observed(script: Script, there: State, wanted: Desired | None = None, **more: Any) -> Observed:
    """Return what is seen of an account, in which some calls have other answers."""
    script.answers = {**answers(there), **more}
    return look(script.aws(there.place), wanted)


def with_role(there: State, **changes: Any) -> State:
    """Return an account in which a role of Gimel's name is somebody else's."""
    role = replace(Role(HERE.role, ECS, None, TEAM), **changes)
    return replace(there, role=role)


FOREIGN: dict[str, tuple[State, dict[str, Any], str]] = {
    "role": (with_role(EMPTY), {}, f"the role {HERE.role}"),
    "role with a policy of this name": (with_role(EMPTY, policy=S3), {}, HERE.role),
    "role that Lambda may assume": (with_role(EMPTY, trusted=frozenset({LAMBDA})), {}, HERE.role),
    "role of a function, whose log group its policy names": (
        deviate(
            with_role(EMPTY, trusted=frozenset({LAMBDA}), policy=LOGS),
            add_function("orders", replace(THEIR_FUNCTION, role=HERE.role)),
            add_log_group("orders", LogGroup(7, TEAM)),
        ),
        {},
        HERE.role,
    ),
    "role of another deployment": (with_role(EMPTY, tags={"gimel": "shop"}), {}, HERE.role),
    "role, beside the rest of Gimel": (with_role(settled()), {}, HERE.role),
    "key": (replace(EMPTY, key=True, key_is_marked=False), {}, f"the API key gimel .*{KEY}"),
    "key, beside Gimel": (replace(settled(), key_is_marked=False), {}, KEY),
    "usage plan": (EMPTY, {"GetUsagePlans": {"items": [THEIR_PLAN]}}, "usage plan gimel .*theirs2"),
    "usage plan, beside Gimel": (
        deviate(settled(), remove("plan")),
        {"GetUsagePlans": {"items": [THEIR_PLAN]}},
        "theirs2",
    ),
    "function": (
        add_function(TRACK, THEIR_FUNCTION)(EMPTY),
        {},
        f"the function {HERE.function(TRACK)}, which runs as {THEIR_ROLE}",
    ),
    "function, beside Gimel": (
        deviate(settled(), change_function(ALL, role=THEIR_ROLE, tags=TEAM)),
        {},
        HERE.function(ALL),
    ),
    "function of a role that is not Gimel's": (
        add_function(TRACK, replace(THEIR_FUNCTION, role=HERE.role))(with_role(EMPTY)),
        {},
        HERE.function(TRACK),
    ),
    "REST API": (EMPTY, {"GetRestApis": {"items": [THEIR_API]}}, "the REST API gimel .*theirs1"),
    "REST API, beside Gimel": (NO_API, {"GetRestApis": {"items": [THEIR_API]}}, "theirs1"),
    "log group": (
        add_log_group(TRACK, LogGroup(7, TEAM))(EMPTY),
        {},
        f"the log group {HERE.log_group(TRACK)}",
    ),
}
foreign = pytest.mark.parametrize(("there", "more", "named"), FOREIGN.values(), ids=FOREIGN)


@foreign
def test_what_only_has_gimels_name_is_refused(
    script: Script, there: State, more: dict[str, Any], named: str
) -> None:
    """The plan of a deploy raises, and names it with its id and what can be done."""
    wanted = desired()
    found = observed(script, there, wanted, **more)

    with pytest.raises(GimelError, match=named) as failure:
        plan(wanted, found)

    assert "aws.name" in (failure.value.hint or "")


@foreign
def test_a_destroy_leaves_what_only_has_gimels_name(
    script: Script, there: State, more: dict[str, Any], named: str
) -> None:
    """What is Gimel's beside it goes. It is named."""
    found = observed(script, there, **more)
    steps = plan_destroy(found)
    assert re.search(named, "; ".join(found.foreign))

    left = after(there, steps)
    assert left.functions == {
        name: each for name, each in there.functions.items() if each.tags == TEAM
    }
    assert left.log_groups == {
        name: each for name, each in there.log_groups.items() if each.tags == TEAM
    }
    if there.role and there.role.tags != settled().functions[TRACK].tags:
        assert left.role == there.role
    if not there.key_is_marked:
        assert left.key == there.key
    if more:
        assert not [each for each in steps if "theirs" in repr(each)]


def test_everything_foreign_is_named_at_once(script: Script) -> None:
    """Whoever renames one thing need not find the next one by another deploy."""
    there = deviate(with_role(EMPTY), add_log_group(TRACK, LogGroup(7, TEAM)))
    wanted = desired()
    found = observed(script, there, wanted, GetRestApis={"items": [THEIR_API]})

    with pytest.raises(GimelError, match=r"REST API .*; the role .*; the log group"):
        plan(wanted, found)


def test_a_function_that_nobody_asks_for_does_not_stop_a_deploy(script: Script) -> None:
    """A team wires its own into Gimel's API by hand."""
    there = deviate(
        settled(extra_wiring=[OWN_FUNCTION]),
        change_function("our-experiment", role=THEIR_ROLE, tags=TEAM),
        add_log_group("our-experiment", LogGroup(7, TEAM)),
        change_role(policy=role_policy(HERE, FUNCTIONS)),
    )

    assert not observed(script, there, desired()).foreign


RECOGNIZED = {
    "deployed": settled(),
    "deployed, its role without the policy": deviate(settled(), change_role(policy=None)),
    "deployed, its role deleted": replace(settled(), role=None),
    "deployed before there were marks": deviate(
        replace(settled(), key_is_marked=False),
        change_api(tags={}),
        change_role(tags={}),
        *(change_function(name, tags={}) for name in FUNCTIONS),
        *(add_log_group(name, LogGroup(30)) for name in FUNCTIONS),
    ),
    "of 1.5.0": left_by_1_5_0(extra_wiring=[OWN_FUNCTION]),
    "of 1.5.0, half taken over": after(
        left_by_1_5_0(), planned(left_by_1_5_0())[: len(planned(left_by_1_5_0())) // 2]
    ),
}


@pytest.mark.parametrize("there", RECOGNIZED.values(), ids=RECOGNIZED)
def test_what_gimel_made_is_recognized(script: Script, there: State) -> None:
    """Also what 1.5.0 made: its API by the description, its role by its policy, the rest by them.

    A deploy marks it, so that nothing else is ever taken for it.
    """
    wanted = desired()
    found = observed(script, there, wanted)
    assert not found.foreign
    steps = plan(wanted, found)
    assert {*map(str, steps)} == {*map(str, planned(there))}

    done = after(there, steps)

    assert existing(done.role).tags == {"gimel": "gimel"}
    assert existing(done.api).tags == {"gimel": "gimel"}
    assert done.key_is_marked
    tagged = [each.tags for each in done.functions.values()]
    tagged += [each.tags for each in done.log_groups.values()]
    assert all(tags == {"gimel": "gimel"} for tags in tagged)


def test_the_key_of_1_5_0_is_the_one_of_its_stage(script: Script) -> None:
    """Among several of its name; else the first, which 1.5.0 chose."""
    key = {"name": "gimel", "value": "a", "enabled": True}
    keys = [{**key, "id": "theirs"}, {**key, "id": KEY, "stageKeys": [f"{API}/prod"]}]
    wanted = desired()

    found = observed(script, left_by_1_5_0(), wanted, GetApiKeys={"items": keys})

    assert not found.foreign
    assert [each for each in plan(wanted, found) if isinstance(each, MarkKey)]
    assert existing(found.of(API_KEY)).id == KEY


def test_where_the_role_proves_it_no_tags_are_asked_for(script: Script) -> None:
    """A second deploy keeps to its number of calls."""
    observed(script, settled(), desired())

    assert not {"ListTags", "ListTagsForResource"} & set(script.made)


SHOP = Place(name="shop")
SHOP_EMPTY = replace(EMPTY, place=SHOP)
NAMED: dict[str, Any] = {**CHANGE, "aws": {**CHANGE["aws"], "name": "shop"}}


def test_another_name_is_another_deployment(script: Script) -> None:
    """All its resources have the name, and a second deploy has nothing to do."""
    made = settled(SHOP, aws={"name": "shop"})
    steps = planned(SHOP_EMPTY, aws={"name": "shop"})

    assert after(SHOP_EMPTY, steps) == made
    assert planned(made, aws={"name": "shop"}) == ()
    assert all(name.startswith("shop-") for name in made.functions)
    assert {each.name for each in steps if hasattr(each, "name")} == {"shop"}
    assert existing(made.role).tags["gimel"] == existing(made.api).tags["gimel"] == "shop"
    assert not [each for each in steps if "gimel-" in str(each)]


@pytest.mark.parametrize("place", [HERE, SHOP], ids=lambda place: place.name)
def test_deployments_of_two_names_do_not_see_each_other(script: Script, place: Place) -> None:
    """Neither what to deploy, nor what to destroy."""
    other = settled(SHOP, aws={"name": "shop"}) if place == HERE else settled()
    script.answers = {**answers(other)}
    if place == HERE:  # roles are asked for by their names
        script.answers |= answers(EMPTY) | {
            name: script.answers[name] for name in ("GetRestApis", "GetApiKeys", "GetUsagePlans")
        }
        script.answers["ListFunctions"] = answers(other)["ListFunctions"]
    else:
        script.answers |= {name: answers(EMPTY)[name] for name in ("GetRole", "GetRolePolicy")}
    wanted = desired(aws={"name": place.name})

    found = look(script.aws(place), wanted)

    assert not found.foreign
    assert plan(wanted, found) == planned(replace(EMPTY, place=place), aws={"name": place.name})
    assert plan_destroy(look(script.aws(place))) == ()


def test_a_deployment_of_another_name_is_destroyed_as_a_whole() -> None:
    """Wherever it is interrupted."""
    made = settled(SHOP, **NAMED)

    for state in states(made, plan_destroy(seen(made))):
        assert after(state, plan_destroy(seen(state))) == SHOP_EMPTY


def test_a_plan_that_has_the_stage_is_used_whoever_made_it(script: Script) -> None:
    """A team may have added the API to its own plan."""
    theirs = {"id": "x", "name": "gimel", "apiStages": [{"apiId": API, "stage": "prod"}]}
    there = deviate(settled(), change_plan(ours=False, stages=frozenset({OUR_STAGE})))
    wanted = desired()

    found = observed(script, there, wanted, GetUsagePlans={"items": [theirs]})

    assert plan(wanted, found) == ()
