"""docs/costs.md and docs/redis.md: their figures are those of the program and of a real server."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import redis

import gimel
from gimel import config
from gimel.deploy.checks import redis as redis_check
from gimel.deploy.checks import redis_permissions
from gimel.deploy.cost import cost_per_million
from gimel.runtime import keys
from tests.support.events import OK, read, rest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that writes the figures."""
    monkeypatch.syspath_prepend(DOCS)
    return importlib.import_module("costs_page")


def test_a_million_events_cost_what_deploy_says(costs: Any) -> None:
    """The parts add up to the costs that `gimel deploy` prints."""
    through_api, through_url = costs.totals(1)

    expected = cost_per_million(128, "arm64")
    assert (round(through_api, 2), round(through_url, 2)) == (
        expected.through_api,
        expected.through_url,
    )
    assert costs.totals(10) == pytest.approx([10 * through_api, 10 * through_url])


def test_the_free_tier_is_taken_off_once(costs: Any) -> None:
    """It covers a million events but for API Gateway; of ten million, a million requests."""
    assert costs.totals(1, free_tier=True) == (3.5, 0)
    # Nine million requests are left; 6,250 GB-seconds and 3.3 GB of logs are free.
    assert costs.totals(10, free_tier=True) == pytest.approx([35 + 9 * 0.2, 9 * 0.2])


@pytest.mark.parametrize("precision", [1, 4, 16])
def test_a_full_counter_needs_no_more_memory(
    costs: Any, store: redis.Redis, precision: int
) -> None:
    """A counter whose HyperLogLogs have all their registers takes at most what the page says."""
    names = keys.shard_keys(keys.counter_id("alephbet", "button colour", "buy", "red", precision))
    pipeline = store.pipeline()
    for name in names:
        pipeline.pfadd(name, *range(8000))
    pipeline.execute()

    size = sum(store.memory_usage(name) or 0 for name in names)

    assert precision * 12_304 < size <= costs.counter_bytes(precision)


def test_few_visitors_need_less(store: redis.Redis) -> None:
    """The size that redis.md names for 10,000 visitors at the default precision."""
    names = keys.shard_keys(keys.counter_id("alephbet", "button", "buy", "red", 16))
    pipeline = store.pipeline()
    for number in range(10_000):
        pipeline.pfadd(names[number % 16], f"{number:032x}")
    pipeline.execute()

    size = sum(store.memory_usage(name) or 0 for name in names)

    assert size == pytest.approx(25_000, rel=0.1)
    assert "of 10,000\nvisitors takes about 25 KB" in (DOCS / "redis.md").read_text("utf-8")


def commands(store: redis.Redis) -> int:
    """Return how many commands the server has executed, without those that ask for it."""
    info: Any = store.info("commandstats")
    return sum(each["calls"] for name, each in info.items() if name != "cmdstat_info")


def test_commands_of_an_event_and_of_a_look(costs: Any, gimel_store: redis.Redis) -> None:
    """A Redis that is billed by the command executes as many as the page says."""
    for variant in ("blue", "red"):
        for goal in ("participate", "a", "b", "c"):
            event = {"experiment": "e", "variant": variant, "event": goal, "uuid": "1"}
            assert read(gimel.track(rest(query=event))) == (200, OK)

    before = commands(gimel_store)
    gimel.track(rest(query={**event, "uuid": "2"}))
    between = commands(gimel_store)
    assert read(gimel.all(rest(query={})))[0] == 200
    after = commands(gimel_store)

    assert between - before == costs.COMMANDS_PER_EVENT
    assert after - between == costs.commands_per_look(variants=2, goals=3, precision=16)


def test_configurations_are_valid(tmp_path: Path) -> None:
    """Each JSON block is a complete config.json."""
    blocks = re.findall(r"```json\n(.*?)```", (DOCS / "redis.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "redis_ca.pem").write_text("a certificate")
    assert len(blocks) == 4
    for block in blocks:
        assert json.loads(block)
        file = tmp_path / "config.json"
        file.write_text(block)
        assert config.load(file).lambda_redis()["ssl"]


def test_every_check_of_redis_is_explained() -> None:
    """The names in the table are those that `gimel preflight` prints."""
    page = (DOCS / "redis.md").read_text("utf-8").partition("## Check it")[2]
    explained = set(re.findall(r"`(Redis(?: [\w-]+)?)`", page))
    folder = Path(redis_check.__file__).parent
    source = "".join((folder / name).read_text("utf-8") for name in ("redis.py", "address.py"))
    source += Path(redis_permissions.__file__).read_text("utf-8")
    names = set(re.findall(r'"(Redis(?: [\w-]+)?)"', source))

    assert explained == names - {"Redis cluster"}
