"""The dashboard of `gimel serve` reads the runtime's own answers."""

from __future__ import annotations

import os
import time

import pytest
import redis

import gimel
from gimel.analysis.concluded import record
from gimel.analysis.experiment import analyse
from gimel.runtime import results
from gimel.serve.handlers import Handlers


def test_an_answer_of_many_pages_is_read_as_a_whole(
    gimel_store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pages of one goal each, the experiments are those of a single page."""
    for name in ("a", "b", "ü:1"):
        for variant in ("red", "blue"):
            for goal in ("participate", "add:to cart", "buy", "x%"):
                gimel.track(
                    {"experiment": name, "variant": variant, "event": goal, "uuid": goal + variant}
                )
    handlers = Handlers(os.environ["GIMEL_SETTINGS"])
    try:
        whole = handlers.experiments("alephbet")
        assert pages_of_the_namespace() == 1
        monkeypatch.setattr(results, "_PAGE", 1)

        in_pages = handlers.experiments("alephbet")

        assert in_pages == whole
        assert [len(each.goals) for each in whole.experiments] == [3, 3, 3]
        assert pages_of_the_namespace() == 9
        assert handlers.experiment("alephbet", "b") == whole.experiments[1]
    finally:
        handlers.close()


def test_the_history_is_read_if_it_is_asked_for(
    gimel_store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking at results adds a point per day."""
    gimel.track({"experiment": "a", "variant": "red", "event": "participate", "uuid": "1"})
    handlers = Handlers(os.environ["GIMEL_SETTINGS"])
    now = int(time.time())
    try:
        assert handlers.experiment("alephbet", "a", history=True).history == ()
        monkeypatch.setattr(time, "time", lambda: now + 86_400)
        (counts,) = handlers.experiments("alephbet", history=True).experiments
        assert [point.visitors["red"].value for point in counts.history] == [1]
        assert handlers.experiment("alephbet", "a").history == ()
    finally:
        handlers.close()


def test_an_experiment_is_concluded_and_reopened(gimel_store: redis.Redis) -> None:
    """Its record is what the dashboard sends."""
    gimel.track({"experiment": "a", "variant": "red", "event": "participate", "uuid": "1"})
    handlers = Handlers(os.environ["GIMEL_SETTINGS"])
    try:
        kept = record(analyse(handlers.experiment("alephbet", "a"), now=time.time()), "red", "ü")
        assert handlers.conclude("alephbet", "a", kept) == 1
        (concluded,) = handlers.concluded("alephbet")
        assert (concluded.name, concluded.winner, concluded.note) == ("a", "red", "ü")
        assert handlers.reopen("alephbet", "a") == 1
        assert handlers.concluded("alephbet", "a") == ()
    finally:
        handlers.close()


def pages_of_the_namespace() -> int:
    """Return how many pages the runtime's answer has."""
    pages, following = 1, gimel.all({})[0]["meta"]["next"]
    while following:
        pages, following = pages + 1, gimel.all({"page": following})[0]["meta"]["next"]
    return pages
