"""What a plan says beside its steps: what cannot be undone, and what changes for pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gimel.deploy.notices import Notice, destroy_notices, notices, rollback_notices
from gimel.deploy.plan import plan_destroy
from gimel.deploy.rollback import plan_rollback
from tests.support.state.after import states
from tests.support.state.cases import planned
from tests.support.state.cloud import ALL, EMPTY, TRACK, Place, State
from tests.support.state.deviations import (
    change_api,
    change_function,
    change_plan,
    deploy_with,
    deviate,
    existing,
    remove,
)
from tests.support.state.seen import seen
from tests.support.state.settled import desired, left_by_1_5_0, settled


def noticed(there: State, **document: Any) -> list[Notice]:
    """Return the notices of a deploy."""
    wanted = desired(**document)
    return list(notices(wanted, seen(there, wanted)))


def at(host: str, **more: Any) -> dict[str, Any]:
    """Return a configuration with this Redis."""
    return {"redis": {"host": host, **more}}


def throttled(rate: float) -> dict[str, Any]:
    """Return a configuration with this throttle."""
    return {"aws": {"throttle": {"rate": rate}}}


FORMER_THROTTLE = deviate(settled(), change_api(rate=1000.0))
NO_API = deviate(settled(), remove("api"), change_plan(stages=frozenset()))
NO_KEY = deviate(settled(), remove("key"), change_plan(keys=frozenset()))


@pytest.mark.parametrize(
    ("there", "document"),
    [
        (EMPTY, {}),
        (settled(), {}),
        (settled(), {"precision": 64}),
        (FORMER_THROTTLE, throttled(1000)),
        (FORMER_THROTTLE, throttled(5)),
        (deviate(settled(), change_api(rate=2.0)), {}),
        (settled(), at("redis.example.com", password="n3w", username="me")),
        (deviate(settled(), remove("role")), {}),
        (deviate(settled(), deploy_with(TRACK, memory=512)), {}),
        (deviate(settled(), change_function(ALL, live=None)), {}),
    ],
    ids=[
        "first deploy",
        "no change",
        "settings",
        "former throttle kept",
        "throttle configured",
        "lower throttle",
        "password",
        "role",
        "memory",
        "no alias",
    ],
)
def test_an_ordinary_deploy_has_none(there: State, document: dict[str, Any]) -> None:
    """What its steps say is all."""
    assert noticed(there, **document) == []


def test_a_first_deploy_that_was_interrupted_is_continued_unasked() -> None:
    """Its API and its key do not exist yet, and nothing of theirs was lost."""
    for there in states(EMPTY, planned(EMPTY)):
        assert noticed(there) == []


@pytest.mark.parametrize(
    ("there", "document", "words", "asks"),
    [
        (
            left_by_1_5_0(),
            throttled(5),
            ["takes over", "1.5.0", "rollback", "not possible"],
            True,
        ),
        (NO_API, {}, ["REST API no longer exists", "another URL", "every page"], True),
        (NO_KEY, {}, ["API key no longer exists", "new one"], False),
        (
            FORMER_THROTTLE,
            {"aws": {"throttle": {"burst": 5000}}},
            [
                "takes 1,000 requests per second",
                "it takes 3 per second",
                "$237",
                "429",
                "with 1000",
            ],
            True,
        ),
        (settled(**throttled(25)), {}, ["takes 25 requests per second", "3 per second"], True),
        (
            settled(),
            at("other.example.com"),
            ["redis.example.com:6379", "other.example.com:6379", "counts so far are missing"],
            True,
        ),
        (
            settled(**at("redis.example.com", db=1)),
            at("redis.example.com", port=6380),
            ["redis.example.com:6379, database 1.", "redis.example.com:6380,"],
            True,
        ),
    ],
    ids=[
        "takeover",
        "API deleted",
        "key deleted",
        "former throttle",
        "throttle no longer configured",
        "another Redis",
        "another database",
    ],
)
def test_what_cannot_be_undone_is_said(
    there: State, document: dict[str, Any], words: list[str], asks: bool
) -> None:
    """In one sentence or two, and asked for where counts or pages are concerned."""
    (notice,) = noticed(there, **document)

    assert all(word in notice.text for word in words), notice.text
    assert notice.asks == asks


def test_a_takeover_asks_about_the_throttle_too() -> None:
    """1.5.0 set none, so its API takes what the account allows."""
    takeover, throttle = noticed(left_by_1_5_0())

    assert "takes over" in takeover.text
    assert throttle.asks
    assert (
        "takes as many requests as the account allows. Afterwards it takes 3 per" in throttle.text
    )


ROLE_OF_1_5_0 = replace(EMPTY, place=Place("eu-west-1"), role=left_by_1_5_0().role)


def test_a_role_that_1_5_0_uses_in_another_region_is_asked_about() -> None:
    """Its API there invokes the functions by the role, which a deploy limits."""
    (notice,) = noticed(ROLE_OF_1_5_0)

    assert notice.asks
    assert "another region" in notice.text
    assert "aws.name" in notice.text


def test_a_destroy_leaves_a_role_that_1_5_0_uses_in_another_region() -> None:
    """And says so. A wrong --region must not stop what is live elsewhere."""
    observed = seen(ROLE_OF_1_5_0)

    assert plan_destroy(observed) == ()
    assert "role gimel" in " ".join(destroy_notices(observed))
    assert not list(destroy_notices(seen(left_by_1_5_0())))
    assert not list(destroy_notices(seen(settled())))


def test_a_password_is_never_shown() -> None:
    """Only where the counts are, and not how to log in."""
    before = settled(**at("redis.example.com", username="m3", password="0ld-w0rd"))

    (notice,) = noticed(before, **at("other.example.com", username="m3", password="n3w-w0rd"))

    assert "w0rd" not in notice.text
    assert "m3" not in notice.text


def test_several_live_stores_are_all_named() -> None:
    """After a deploy that was interrupted, functions may count in two of them."""
    elsewhere = existing(settled(**at("a.example.com")).functions[TRACK].serving).settings
    there = deviate(settled(), deploy_with(TRACK, settings=elsewhere))

    texts = [notice.text for notice in noticed(there, **at("c.example.com"))]

    assert len(texts) == 2
    assert "a.example.com:6379" in texts[0] + texts[1]
    assert "redis.example.com:6379" in texts[0] + texts[1]


@pytest.mark.parametrize(("redis", "asks"), [({"host": "old"}, True), ({"password": "x"}, False)])
def test_a_rollback_to_another_redis_asks(redis: dict[str, str], asks: bool) -> None:
    """The counts are not moved. Another login leads to the same ones."""
    old, new = (
        desired(redis={"host": "redis.example.com", **each}).functions[0].configuration
        for each in (redis, {})
    )
    versions = {"versions": {1: old, 2: new}, "latest": new, "live": 2}
    there = deviate(settled(), change_function(TRACK, **versions, history="gimel 2:2 1:1"))
    observed = seen(there, versions=True)

    found = list(rollback_notices(observed, plan_rollback(observed)))

    assert [notice.asks for notice in found] == [True] * asks
    assert all("the Redis at redis.example.com:6379" in notice.text for notice in found)


STORE = {"redis": {"provision": "valkey-serverless"}}


@pytest.mark.parametrize(
    ("before", "after", "places"),
    [
        (STORE, {}, ("the store gimel on ElastiCache", "the Redis at redis.example.com:6379")),
        ({}, STORE, ("the Redis at redis.example.com:6379", "the store gimel on ElastiCache")),
    ],
    ids=["away from it", "to it"],
)
def test_a_created_store_is_named_for_what_it_is(
    before: dict[str, Any], after: dict[str, Any], places: tuple[str, str]
) -> None:
    """Its address says little. The counts can be moved, and the plan says how."""
    (notice,) = [each for each in noticed(settled(**before), **after) if each.asks]

    assert notice.text == (
        f"The live functions count in {places[0]}. Afterwards they count in {places[1]}, where the "
        "counts so far are missing. `gimel export` and `gimel import` move them."
    )


def test_a_store_that_somebody_deleted_asks() -> None:
    """The new one has the same name, and no counts."""
    (notice,) = [each for each in noticed(settled(**STORE), **STORE) if each.asks]

    assert notice.text == (
        "The store gimel no longer exists. The new one is empty: the counts so far are missing."
    )
