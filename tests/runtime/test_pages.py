"""An answer that Lambda would refuse for its size comes in pages: nobody can make it unreadable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis

import gimel
from gimel.runtime.errors import BadRequest
from tests.support.events import read, rest
from tests.support.sending import send

MOST_BYTES = 6_291_556  # of a Lambda's answer
LONGEST = "\N{GRINNING FACE}" * 195
PARTICIPATE = "participate"


def fill(store: redis.Redis, names: list[tuple[str, str, str]]) -> None:
    """List counters of these experiments, goals and variants, each with one visitor."""
    with store.pipeline(transaction=False) as pipeline:
        for experiment, goal, variant in names:
            counter = f"alephbet:counters:{experiment}:{goal}:{variant}::4"
            pipeline.sadd("alephbet:experiments", experiment)
            pipeline.sadd("alephbet:counter_keys", counter)
            pipeline.sadd(f"alephbet:{experiment}:counter_keys", counter)
            pipeline.pfadd(f"{counter}:0", "visitor")
            for shard in range(1, 4):
                pipeline.pfadd(f"{counter}:{shard}")
        pipeline.execute()


def pages(**query: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the items of each page. Each fits into a Lambda's answer."""
    page = ""
    while page is not None:
        answer = gimel.all(rest(query={**query, "page": page}), None)
        assert len(json.dumps(answer)) <= MOST_BYTES
        status, (meta, *items) = read(answer)
        assert status == 200
        yield items
        page = meta["meta"]["next"]


def goals_of(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["experiment"], goal["goal"]) for item in items for goal in item["goals"]]


def test_small_answers_are_one_page(gimel_store: redis.Redis) -> None:
    """An answer that fits names no next page."""
    send()

    meta, button = gimel.all({})

    assert meta["meta"]["next"] is None
    assert gimel.all({"page": ""}) == [meta, button]


def test_many_experiments(gimel_store: redis.Redis) -> None:
    """What a stranger can write with long names is read in pages, each experiment once."""
    names = [f"{LONGEST}{number:05}" for number in range(2000)]
    fill(gimel_store, [(name, goal, "v") for name in names for goal in (PARTICIPATE, "buy")])

    read_pages = list(pages())

    assert len(read_pages) > 1
    assert [item["experiment"] for items in read_pages for item in items] == names


def test_one_large_experiment(gimel_store: redis.Redis) -> None:
    """An experiment that is larger than a page is continued with its next goal.

    120 goals of one variant each and 120 variants are 14,400 results.
    """
    variants = [f"{LONGEST[:50]}{number:03}" for number in range(120)]
    goals = [f"goal {number:03}" for number in range(120)]
    fill(gimel_store, [("large", PARTICIPATE, variant) for variant in variants])
    fill(gimel_store, [("large", goal, variants[0]) for goal in goals])
    fill(gimel_store, [("later", PARTICIPATE, "v"), ("later", "buy", "v")])

    found: list[tuple[str, str]] = []
    for items in pages():
        found += goals_of(items)
        for item in items:
            assert len(item["participants"]) == (120 if item["experiment"] == "large" else 1)
            assert all(len(goal["results"]) == len(item["participants"]) for goal in item["goals"])

    assert found == [*(("large", goal) for goal in goals), ("later", "buy")]


def test_the_largest_goal(gimel_store: redis.Redis) -> None:
    """Even one goal of an experiment with as many and as long names as allowed fits."""
    variants = [f"{LONGEST}{number:05}" for number in range(999)]
    fill(gimel_store, [("large", PARTICIPATE, variant) for variant in variants])
    fill(gimel_store, [("large", LONGEST, variants[0])])
    gimel_store.sadd("gimel:namespaces", *variants[:50], *(f"{n:0200}" for n in range(200)))

    (items,) = pages()

    assert goals_of(items) == [("large", LONGEST)]
    fill(gimel_store, [("large", "another", variants[0])])
    with pytest.raises(BadRequest, match=r"^the answer is too large"):
        gimel.experiment({"experiment": "large"})


def test_scope(gimel_store: redis.Redis) -> None:
    """The pages of a scope have its experiments in its order, also the unknown ones."""
    variants = [f"{LONGEST}{number:05}" for number in range(600)]
    fill(gimel_store, [(name, PARTICIPATE, v) for name in ("a", "b", "c") for v in variants])

    read_pages = list(pages(scope="c,a,unknown,b"))

    assert len(read_pages) > 1
    assert [item["experiment"] for page in read_pages for item in page] == [
        "c",
        "a",
        "unknown",
        "b",
    ]


def test_deleted_between_two_pages(gimel_store: redis.Redis) -> None:
    """Where the experiment that a page begins with is gone, it begins with the next one."""
    for name in ("a", "b", "c"):
        send(experiment=name)

    gimel.delete({"experiment": "b"})

    _, *items = gimel.all({"page": "b:buy"})
    assert [item["experiment"] for item in items] == ["c"]


@pytest.mark.parametrize("page", [7, ["a"]], ids=str)
def test_malformed(gimel_store: redis.Redis, page: object) -> None:
    """A page that is not text is refused."""
    with pytest.raises(BadRequest, match=r"^page must be text$"):
        gimel.all({"experiment": "", "page": page})
