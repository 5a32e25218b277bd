"""Counters are moved exactly: between servers, into a cluster and out of it, of every version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis

from gimel.deploy.checks.redis_permissions import DELETES, READS, RECORDS, WRITES
from gimel.runtime import conclude
from gimel.runtime.counter import Experiment
from gimel.runtime.redis.client import slot_of
from gimel.runtime.removal import remove
from gimel.transfer.writing import helper_key
from tests.support.moving import counted, export_all, import_all, opened, process_of, results, send
from tests.support.redis_content import Contents
from tests.support.servers import Store

PAGE = Path(__file__).parents[2] / "docs/moving.md"
DAY = 86_400
NOW = 1_800_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "counters.json.gz"


def test_everything_is_moved(
    session_store: Store,
    before: Contents,
    other_store: Store,
    target: redis.Redis,
    cluster_nodes: list[Store],
    cluster: list[redis.Redis],
    path: Path,
) -> None:
    """Key by key, to another server, from there into a cluster, and out of it again."""
    totals = export_all(session_store.port, path)
    assert (totals.experiments, totals.namespaces) == (5, ("alephbet", "sh:op"))
    outcome = import_all(other_store.port, path)
    assert (outcome.new, outcome.merged, outcome.failed) == (5, 0, {})
    assert counted(target) == before

    export_all(other_store.port, path)
    import_all(cluster_nodes[1].port, path)
    assert counted(*cluster) == before

    target.flushall()
    export_all(cluster_nodes[2].port, path)
    import_all(other_store.port, path)
    assert counted(target) == before


def test_a_repeated_import_changes_nothing(
    session_store: Store,
    before: Contents,
    cluster_nodes: list[Store],
    cluster: list[redis.Redis],
    path: Path,
) -> None:
    """On a cluster too, where what is merged must be in the slot of its counter."""
    export_all(session_store.port, path)
    for number in range(2):
        outcome = import_all(cluster_nodes[0].port, path)
        assert (outcome.merged, outcome.failed) == (5 * number, {})
        assert counted(*cluster) == before


def test_a_user_with_the_permissions_that_the_page_names(
    session_store: Store, before: Contents, other_store: Store, target: redis.Redis, path: Path
) -> None:
    """What docs/moving.md adds to the permissions of the runtime is enough, for merging too."""
    more = [
        word
        for line in re.findall(r"^ACL SETUSER gimel (.*)$", PAGE.read_text("utf-8"), re.M)
        for word in line.split()
    ]
    commands = [*READS, *WRITES, *DELETES, *RECORDS]
    target.acl_setuser(
        "mover",
        enabled=True,
        passwords=["+secret"],
        keys=["alephbet:*", "sh*", "gimel:namespaces"],
        commands=[*(f"+{command.lower()}" for command in commands), *more],
    )
    export_all(session_store.port, path)
    process = process_of(other_store.port)
    send(process, "button", "a2", "d1")
    process.redis.close()
    login = ("mover", "secret")
    for _ in range(2):
        assert import_all(other_store.port, path, login=login).failed == {}
    export_all(other_store.port, path, login=login)
    target.acl_deluser("mover")


def test_a_dry_run_writes_nothing(
    session_store: Store, before: Contents, other_store: Store, target: redis.Redis, path: Path
) -> None:
    """It says what would be done."""
    export_all(session_store.port, path)
    outcome = import_all(other_store.port, path, only_check=True)
    assert (outcome.new, outcome.merged, outcome.failed) == (5, 0, {})
    assert counted(target) == {}


def test_a_namespace_alone_is_moved(
    session_store: Store, before: Contents, other_store: Store, target: redis.Redis, path: Path
) -> None:
    """Nothing of another one is in the file."""
    export_all(session_store.port, path, ("sh:op",))
    import_all(other_store.port, path)
    expected = {key: each for key, each in before.items() if key.startswith("sh%3Aop:")}
    assert counted(target) == {**expected, "gimel:namespaces": {b"sh:op"}}


def test_visitors_of_both_stores_count_once(
    session_store: Store, store: redis.Redis, other_store: Store, target: redis.Redis, path: Path
) -> None:
    """What the target counted already is merged with what it gets, and begins earlier."""
    visitors = [f"{variant}{number}" for number in range(40) for variant in "ab"]
    for port, some, now in (
        (session_store.port, visitors[:60], NOW),
        (other_store.port, visitors[30:], NOW + DAY),
    ):
        process = process_of(port)
        process.at = now
        send(process, "button", *some)
        process.redis.close()
    export_all(session_store.port, path)
    assert import_all(other_store.port, path).merged == 1
    merged = results(other_store.port)

    target.flushall()
    process = process_of(other_store.port)
    process.at = NOW
    send(process, "button", *visitors)
    process.redis.close()
    assert merged == results(other_store.port)
    assert merged[0]["since"] == NOW


def test_what_1_5_0_counted_is_moved_and_continues(
    session_store: Store, store: redis.Redis, other_store: Store, target: redis.Redis, path: Path
) -> None:
    """Its keys stay as they are, with the precision noted, so that events continue at it."""
    for name, goal in (("old", "sale"), ("a:b", "c:d")):
        key = f"alephbet:counters:{name}:{goal}:variant a"
        store.sadd("alephbet:experiments", name)
        store.sadd("alephbet:counter_keys", key)
        store.sadd(f"alephbet:{name}:counter_keys", key)
        store.pfadd(key, "a1", "a2")
    before = counted(store)
    export_all(session_store.port, path)
    import_all(other_store.port, path)
    assert counted(target) == {
        **before,
        "alephbet:old:meta": {b"precision": b"1"},
        "alephbet:a%3Ab:meta": {b"precision": b"1"},
        "gimel:namespaces": {b"alephbet"},
    }
    for port in (session_store.port, other_store.port):
        process = process_of(port)
        send(process, "old", "a2", "a3")
        send(process, "a:b", "a2", "a3")
        process.redis.close()
    ours, theirs = results(session_store.port), results(other_store.port)
    for each in (*ours, *theirs):
        del each["precision"], each["since"]
    assert ours == theirs


def test_integers_that_lamed_left(
    session_store: Store, store: redis.Redis, other_store: Store, target: redis.Redis, path: Path
) -> None:
    """They are exact counts, which are copied."""
    key = "alephbet:counters:old:sale:red"
    store.sadd("alephbet:experiments", "old")
    store.sadd("alephbet:old:counter_keys", key)
    store.set(key, "12")
    export_all(session_store.port, path)
    for _ in range(2):
        assert import_all(other_store.port, path).failed == {}
        assert target.get(key) == b"12"


def test_a_counter_that_is_not_a_count_is_skipped(
    session_store: Store, store: redis.Redis, path: Path
) -> None:
    """An export says so."""
    for name, kind in (("list", "rpush"), ("text", "set")):
        key = f"alephbet:counters:{name}:sale:red"
        store.sadd("alephbet:experiments", name)
        store.sadd(f"alephbet:{name}:counter_keys", key)
        getattr(store, kind)(key, "hello")
    warnings: list[str] = []
    totals = export_all(session_store.port, path, warn=warnings.append)
    assert (totals.experiments, totals.counters) == (2, 0)
    assert [each.partition(":")[0] for each in warnings] == [
        "experiment 'list' of 'alephbet'",
        "experiment 'text' of 'alephbet'",
    ]


@pytest.mark.parametrize(
    ("key", "kind", "value"),
    [
        ("alephbet:counters:button:sale:variant a::4:1", "rpush", "x"),
        ("alephbet:counters:button:sale:variant a::4:1", "set", "12"),
        ("alephbet:button:counter_keys", "set", "x"),
        ("alephbet:button:meta", "set", "x"),
        ("alephbet:experiments", "set", "x"),
        ("alephbet:counter_keys", "set", "x"),
        ("alephbet:button:deleting", "set", "x"),
    ],
)
def test_a_key_of_another_type_in_the_target_is_reported(
    session_store: Store,
    store: redis.Redis,
    other_store: Store,
    target: redis.Redis,
    path: Path,
    key: str,
    kind: str,
    value: str,
) -> None:
    """With its experiment, and before anything is written for that."""
    process = process_of(session_store.port)
    send(process, "button", "a1", "b1")
    process.redis.close()
    export_all(session_store.port, path)
    getattr(target, kind)(key, value)
    outcome = import_all(other_store.port, path)
    assert list(outcome.failed) == [("alephbet", "button")]
    assert repr(key) in outcome.failed["alephbet", "button"]
    assert [each.decode() for each in target.scan_iter()] == [key]


def test_another_precision_in_the_target_is_reported(
    session_store: Store, store: redis.Redis, other_store: Store, target: redis.Redis, path: Path
) -> None:
    """Its counts cannot be merged; other experiments are imported all the same."""
    process = process_of(session_store.port)
    for name in ("button", "new"):
        send(process, name, "a1", "b1")
    process.redis.close()
    process = process_of(other_store.port, precision=16)
    send(process, "button", "a1")
    process.redis.close()
    before = counted(target)
    export_all(session_store.port, path)
    outcome = import_all(other_store.port, path)
    assert list(outcome.failed) == [("alephbet", "button")]
    assert outcome.new == 1
    after = counted(target)
    assert {key: after[key] for key in before if "button" in key} == {
        key: each for key, each in before.items() if "button" in key
    }


def test_a_concluded_experiment_can_be_reopened_after_it_was_moved(
    session_store: Store, before: Contents, other_store: Store, target: redis.Redis, path: Path
) -> None:
    """With its counters, within the usual time."""
    export_all(session_store.port, path)
    import_all(other_store.port, path)
    for port in (session_store.port, other_store.port):
        process = process_of(port)
        process.at = NOW + 2 * DAY
        conclude._reopen(process, Experiment("alephbet", "kept"))
        process.redis.close()
    ours, theirs = results(session_store.port), results(other_store.port)
    assert ours == theirs
    assert "kept" in [each["experiment"] for each in theirs]


def test_what_the_target_has_concluded_stays_concluded(
    session_store: Store, before: Contents, other_store: Store, target: redis.Redis, path: Path
) -> None:
    """And what only the file has concluded continues in the target, with all counts."""
    export_all(session_store.port, path)
    import_all(other_store.port, path)
    process = process_of(other_store.port)
    process.at = NOW + 2 * DAY
    conclude._conclude(process, Experiment("alephbet", "button"), {})
    conclude._reopen(process, Experiment("alephbet", "kept"))
    process.redis.close()
    changed = counted(target)
    outcome = import_all(other_store.port, path)
    assert list(outcome.skipped) == [("alephbet", "button")]
    assert list(outcome.notes) == [("alephbet", "kept")]
    assert counted(target) == changed


def test_an_interrupted_delete_is_not_moved(
    session_store: Store, before: Contents, store: redis.Redis, path: Path
) -> None:
    """Only counters with their mark exist."""
    store.delete("alephbet:new:counter_keys")
    store.sadd("alephbet:new:deleting", "token 0 alephbet:counters:new:sale:variant a::4")
    export_all(session_store.port, path)
    with opened(session_store.port) as client:
        remove(client, Experiment("alephbet", "new"))
    assert "new" not in [each["experiment"] for each in results(session_store.port)]
    assert export_all(session_store.port, path).experiments == 4


@pytest.mark.parametrize(
    "key",
    ["a:counters:b:c:d::4:0", "a:{b}:c", "{a}", "a{b", "a}b", "a{}b{c}", "}{", "ä:{", ""],
)
def test_what_is_merged_is_in_the_slot_of_its_counter(key: str) -> None:
    """Whatever braces a name has; where possible it begins like the counter."""
    helper = helper_key(key, "import-1")
    assert slot_of(helper.encode()) == slot_of(key.encode())
    assert helper != key
    assert helper.startswith(key) or "{" in key
