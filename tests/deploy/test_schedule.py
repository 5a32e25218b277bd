"""The function that a schedule calls: its rule, target and permission, and deploys without them.

A deployment of Gimel 2.0.0 is one without snapshots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.plan import plan, plan_destroy
from gimel.deploy.resources.rules import describe_schedule, describe_snapshots
from gimel.deploy.rollback import plan_rollback
from gimel.errors import GimelError
from tests.support.aws import Script, scripted
from tests.support.state.after import after, states
from tests.support.state.answers import answers
from tests.support.state.cases import Case, planned
from tests.support.state.cloud import (
    DAILY,
    EMPTY,
    HERE,
    SNAPSHOT,
    WITH_ROUTES,
    Place,
    Rule,
    State,
)
from tests.support.state.deviations import (
    add_rule,
    change_function,
    change_rule,
    deviate,
    remove_function,
    remove_rule,
)
from tests.support.state.expected import assert_order, assert_steps, step, steps
from tests.support.state.look import look
from tests.support.state.names import (
    AllowRule,
    CreateAlias,
    CreateFunction,
    CreateLogGroup,
    CreateRule,
    DeleteFunction,
    DeleteLogGroup,
    DeleteRule,
    Desired,
    MoveAlias,
    Observed,
    PublishVersion,
    PutRolePolicy,
    PutTarget,
    TryVersions,
    UpdateFunctionConfiguration,
    UpdateRule,
)
from tests.support.state.seen import role_policy, seen
from tests.support.state.settled import desired, settled

OFF: dict[str, Any] = {"snapshots": False}
SHOP: dict[str, Any] = {"aws": {"name": "shop"}}
MARK = {"gimel": "gimel"}
TOPIC = "arn:aws:sns:us-east-1:123456789012:experiments"
THEIR_RULE = Rule("rate(1 hour)", theirs=frozenset({"theirs"}), tags={"team": "theirs"})


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


def observed(script: Script, there: State, wanted: Desired | None = None) -> Observed:
    """Return what is seen of an account."""
    script.answers = answers(there)
    return look(script.aws(there.place), wanted)


PLANS = {
    "rule deleted": Case(
        [step(CreateRule, schedule=DAILY, tags=MARK), step(PutTarget)], [remove_rule(SNAPSHOT)]
    ),
    "rule disabled": Case(
        [step(UpdateRule, schedule=DAILY)], [change_rule(SNAPSHOT, is_enabled=False)]
    ),
    "another schedule": Case(
        [step(UpdateRule, schedule=DAILY)], [change_rule(SNAPSHOT, schedule="rate(1 day)")]
    ),
    "an event pattern": Case(
        [step(UpdateRule, schedule=DAILY)], [change_rule(SNAPSHOT, schedule="")]
    ),
    "target removed": Case([step(PutTarget)], [change_rule(SNAPSHOT, target=None)]),
    "target changed": Case([step(PutTarget)], [change_rule(SNAPSHOT, target="")]),
    "target of an old version": Case(
        [step(PutTarget)], [change_rule(SNAPSHOT, target=f"{HERE.function(SNAPSHOT)}:1")]
    ),
    "another target beside it": Case([], [change_rule(SNAPSHOT, theirs=frozenset({"theirs"}))]),
    "permission removed": Case(
        [step(AllowRule, replace=False)], [change_function(SNAPSHOT, rule=None)]
    ),
    "permission for anyone": Case(
        [step(AllowRule, replace=True)], [change_function(SNAPSHOT, rule="")]
    ),
    "permission for another rule": Case(
        [step(AllowRule, replace=True)], [change_function(SNAPSHOT, rule=HERE.rule("theirs"))]
    ),
    "alias deleted": Case(
        [step(TryVersions), step(CreateAlias), step(AllowRule, replace=False)],
        [change_function(SNAPSHOT, live=None, rule=None)],
    ),
    "function deleted": Case(
        [
            step(CreateFunction, function=SNAPSHOT),
            step(TryVersions),
            step(CreateAlias),
            step(AllowRule, replace=False),
        ],
        [remove_function(SNAPSHOT)],
    ),
    "switched on, as by an upgrade of 2.0.0": Case(
        [
            step(CreateLogGroup, function=SNAPSHOT),
            step(PutRolePolicy, interim=False),
            step(CreateFunction, function=SNAPSHOT),
            step(TryVersions),
            step(CreateAlias, function=SNAPSHOT),
            step(AllowRule, replace=False),
            step(CreateRule, schedule=DAILY, tags=MARK),
            step(PutTarget),
        ],
        now={},
        before=OFF,
    ),
    "switched off": Case(
        [
            step(DeleteRule, targets=("gimel",)),
            step(DeleteFunction, function=SNAPSHOT),
            step(DeleteLogGroup, function=SNAPSHOT),
            *steps(PutRolePolicy, "interim", [False]),
        ],
        now=OFF,
        before={},
    ),
    "a topic added": Case(
        [
            step(PutRolePolicy, interim=False),
            step(UpdateFunctionConfiguration, function=SNAPSHOT),
            step(PublishVersion, function=SNAPSHOT),
            step(TryVersions),
            step(MoveAlias, function=SNAPSHOT),
        ],
        now={"alerts": {"sns": TOPIC}},
        before={},
    ),
}


@pytest.mark.parametrize("case", PLANS.values(), ids=PLANS)
def test_a_deviation_has_its_steps(case: Case) -> None:
    """These and no others; after them, nothing is left to do."""
    case.check()


@pytest.mark.parametrize("case", PLANS.values(), ids=PLANS)
def test_a_deviation_is_seen(script: Script, case: Case) -> None:
    """Read from AWS's answers, it has the same plan."""
    assert_steps(plan(case.wanted, observed(script, case.there, case.wanted)), case.expected)


def test_the_function_comes_before_its_rule_and_goes_after_it() -> None:
    """A rule never calls what does not exist."""
    assert_order(
        planned(EMPTY),
        step(CreateAlias, function=SNAPSHOT),
        step(AllowRule),
        step(CreateRule),
        step(PutTarget),
    )
    for removing in (planned(settled(), **OFF), plan_destroy(seen(settled()))):
        assert_order(
            removing,
            step(DeleteRule),
            step(DeleteFunction, function=SNAPSHOT),
            step(DeleteLogGroup, function=SNAPSHOT),
        )


@pytest.mark.parametrize(("before", "now"), [({}, OFF), (OFF, {})], ids=["off", "on"])
def test_a_switch_that_was_interrupted_is_completed(
    before: dict[str, Any], now: dict[str, Any]
) -> None:
    """Or undone, whatever step was the last one."""
    there = settled(**before)

    for state in states(there, planned(there, **now)):
        for document in (before, now):
            done = after(state, planned(state, **document))
            assert planned(done, **document) == ()
            assert (SNAPSHOT in done.functions) == (SNAPSHOT in done.rules) == (not document)
            assert (SNAPSHOT in done.log_groups) == (not document)
        assert after(state, plan_destroy(seen(state))) == EMPTY


FOREIGN = {
    "alone": add_rule(SNAPSHOT, THEIR_RULE)(EMPTY),
    "beside Gimel": deviate(settled(), add_rule(SNAPSHOT, THEIR_RULE)),
    "of another deployment": add_rule(SNAPSHOT, Rule(tags={"gimel": "shop"}))(EMPTY),
}


@pytest.mark.parametrize("there", FOREIGN.values(), ids=FOREIGN)
def test_a_rule_that_only_has_the_name_is_refused_and_left(script: Script, there: State) -> None:
    """A deploy changes nothing, a destroy leaves it, and both name it."""
    wanted = desired()
    named = re.escape(f"the EventBridge rule {HERE.rule(SNAPSHOT)}")

    with pytest.raises(GimelError, match=named):
        plan(wanted, observed(script, there, wanted))

    left = after(there, plan_destroy(observed(script, there)))
    assert left == replace(EMPTY, rules=there.rules)


def test_without_snapshots_a_rule_of_somebody_else_does_not_matter(script: Script) -> None:
    """Nothing is asked of EventBridge: the operator may lack the permission."""
    there = add_rule(SNAPSHOT, THEIR_RULE)(settled(**OFF))
    wanted = desired(**OFF)

    assert plan(wanted, observed(script, there, wanted)) == ()
    plan_destroy(observed(script, there))

    assert "DescribeRule" not in script.made


def test_a_marked_rule_without_a_target_is_gimels(script: Script) -> None:
    """An interrupted deploy leaves it."""
    there = deviate(settled(), change_rule(SNAPSHOT, target=None))

    assert after(there, plan_destroy(observed(script, there))) == EMPTY
    assert "ListTagsForResource" in script.made


def test_the_schedule_of_another_deployment_has_another_name() -> None:
    """Both may be in one region."""
    place = Place(name="shop")
    made = after(replace(EMPTY, place=place), planned(replace(EMPTY, place=place), **SHOP))

    assert list(made.rules) == ["shop-snapshot"]
    assert made.rules["shop-snapshot"].target == place.alias("shop-snapshot")
    assert made == settled(**SHOP)


def test_a_rollback_before_the_upgrade_leaves_the_schedule() -> None:
    """Only functions go back, and one that the deploy created stays: it takes further snapshots.

    What it writes is beside the counts, and earlier versions do not read it.
    """
    before = settled(**OFF, precision=4)
    upgraded = after(before, planned(before, precision=1))

    back = after(upgraded, plan_rollback(seen(upgraded, versions=True)))

    assert {name: back.functions[name].live for name in back.functions} == {
        **dict.fromkeys(WITH_ROUTES, 1),
        SNAPSHOT: 1,
    }
    assert back.rules == upgraded.rules
    again = after(back, planned(back, precision=1))
    assert planned(again, precision=1) == ()
    assert again.functions[SNAPSHOT].live == 1


def test_a_rollback_takes_the_snapshots_back_to_the_version_before() -> None:
    """Like any other function that the deploy changed."""
    there = after(settled(), planned(settled(), precision=1))

    back = after(there, plan_rollback(seen(there, versions=True)))

    assert {each.live for each in back.functions.values()} == {1}
    assert back.rules == settled().rules


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("cron(5 0 * * ? *)", "daily at 00:05 UTC"),
        ("cron(30 13 * * ? *)", "daily at 13:30 UTC"),
        ("cron(5 0 ? * MON *)", "cron(5 0 ? * MON *)"),
        ("rate(1 day)", "rate(1 day)"),
    ],
)
def test_a_schedule_in_words(expression: str, said: str) -> None:
    """Where it is once a day; others are shown as they are."""
    assert describe_schedule(expression) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([], "daily at 00:05 UTC"),
        ([change_rule(SNAPSHOT, schedule="rate(1 hour)")], "rate(1 hour)"),
        (
            [change_rule(SNAPSHOT, is_enabled=False)],
            "off, because the EventBridge rule is disabled",
        ),
        (
            [change_rule(SNAPSHOT, target=None)],
            "off, because the EventBridge rule does not call the function",
        ),
        (
            [change_rule(SNAPSHOT, schedule="")],
            "off, because the EventBridge rule has no schedule",
        ),
        ([remove_rule(SNAPSHOT)], "off, because the EventBridge rule does not exist"),
        (
            [change_function(SNAPSHOT, rule=None)],
            "off, because the function gimel-snapshot does not admit the EventBridge rule",
        ),
        (
            [remove_function(SNAPSHOT)],
            "off, because no version of the function gimel-snapshot is live",
        ),
        (
            [change_function(SNAPSHOT, live=None, rule=None)],
            "off, because no version of the function gimel-snapshot is live",
        ),
        ([remove_function(SNAPSHOT), remove_rule(SNAPSHOT)], None),
    ],
)
def test_status_says_when_snapshots_are_taken(changes: list[Any], said: str | None) -> None:
    """Or why none is. Without function and rule it says nothing."""
    there = deviate(settled(), *changes)

    assert list(describe_snapshots(seen(there))) == ([said] if said else [])


def test_the_role_may_publish_to_the_topic_alone_and_only_where_alerts_use_it() -> None:
    """Another region's topic stays allowed until that region gives it up."""
    elsewhere = role_policy(Place("eu-west-1"), [SNAPSHOT], topic="arn:aws:sns:eu-west-1:1:t")
    policy = role_policy(HERE, [SNAPSHOT], topic=TOPIC, before=elsewhere)

    published = {
        each["Sid"]: each["Resource"]
        for each in policy["Statement"]
        if each["Action"] == ["sns:Publish"]
    }
    assert published == {"AlertsUsEast1": [TOPIC], "AlertsEuWest1": ["arn:aws:sns:eu-west-1:1:t"]}
    assert role_policy(HERE, [SNAPSHOT], before=policy) == role_policy(
        HERE, [SNAPSHOT], before=elsewhere
    )
