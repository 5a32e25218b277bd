"""What Redis' answers say about it, and that a real one is understood."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from gimel.deploy.checks import redis as redis_check
from gimel.deploy.checks.findings import Finding
from tests.support.servers import Store, free_port
from tests.support.state.settled import configuration

LOCAL = {"host": "localhost", "port": 6379}
REMOTE = {"host": "redis.example.com", "password": "s3cr3t", "ssl": True}
GOOD = {"redis_version": "7.2.4", "maxmemory_policy": "noeviction", "role": "master"}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """redis-py repeats a failed connection for several seconds."""
    monkeypatch.setattr("redis.retry.sleep", lambda seconds: None)


def found(
    info: dict[str, Any], options: dict[str, Any], saves: bool | None = True
) -> dict[str, Finding]:
    """Return what is found in Redis' INFO, by name."""
    findings = list(redis_check.redis_findings("somewhere", info, options, saves))
    assert len({each.name for each in findings}) == len(findings)
    return {each.name: each for each in findings}


def statuses(findings: dict[str, Finding]) -> dict[str, str]:
    """Return the status of each finding, without the name of the server."""
    return {
        name.removeprefix("Redis ").removeprefix("Redis"): each.status
        for name, each in findings.items()
    }


FINE = {"": "ok", "TLS": "ok", "maxmemory-policy": "ok", "persistence": "ok"}


@pytest.mark.parametrize(
    ("info", "options", "saves", "expected"),
    [
        ({}, {}, True, {}),
        ({}, {"ssl": False}, True, {"TLS": "warning"}),
        ({}, {"password": None}, True, {"password": "warning"}),
        ({"role": "slave"}, {}, True, {"role": "failed"}),
        ({"maxmemory_policy": "allkeys-lru"}, {}, True, {"maxmemory-policy": "warning"}),
        ({"maxmemory_policy": None}, {}, True, {"maxmemory-policy": "warning"}),
        ({"maxmemory_policy": ""}, {}, True, {"maxmemory-policy": "warning"}),
        ({"maxmemory_policy": "volatile-lru"}, {}, True, {}),
        ({"maxmemory": 1000, "used_memory": 900}, {}, True, {"memory": "warning"}),
        ({"maxmemory": 1000, "used_memory": 899}, {}, True, {}),
        ({"maxmemory": 0, "used_memory": 900}, {}, True, {}),
        ({"cluster_enabled": 1}, {}, True, {"cluster": "ok"}),
        ({"cluster_enabled": 0}, {}, True, {}),
        ({"aof_enabled": 1}, {}, False, {}),
        ({"aof_enabled": 0}, {}, False, {"persistence": "warning"}),
        ({"aof_enabled": 0}, {}, None, {"persistence": "warning"}),
        ({"aof_enabled": 1}, {}, None, {}),
    ],
    ids=[
        "all is well",
        "not encrypted",
        "no password",
        "a replica",
        "evicts",
        "policy not told",
        "policy empty",
        "evicts nothing of Gimel's",
        "nearly full",
        "not full",
        "no limit",
        "a cluster",
        "no cluster",
        "AOF alone",
        "no persistence",
        "persistence not told",
        "AOF, snapshots not told",
    ],
)
def test_what_info_says_of_redis(
    info: dict[str, Any], options: dict[str, Any], saves: bool | None, expected: dict[str, str]
) -> None:
    """What endangers the counts is a warning, what makes counting impossible a failure."""
    assert statuses(found({**GOOD, **info}, {**REMOTE, **options}, saves)) == {**FINE, **expected}


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("volatile-lru", "volatile-lru: only keys with an expiry are evicted, and Gimel sets none"),
        ("allkeys-lfu", "allkeys-lfu: counters are evicted when the memory is full"),
        ("", "not known: the server does not say"),
        (None, "not known: the server does not say"),
    ],
)
def test_eviction_is_described(policy: str | None, says: str) -> None:
    """A policy that the server hides is not called a danger."""
    assert redis_check.eviction_finding({"maxmemory_policy": policy}).message == says


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_redis_on_this_machine_needs_neither_tls_nor_password(host: str) -> None:
    """Nobody else reaches it."""
    assert {"TLS", "password"}.isdisjoint(statuses(found(GOOD, {"host": host})))


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ({"redis_version": "7.2.4"}, "Redis 7.2.4"),
        ({"redis_version": "7.2.4", "valkey_version": "8.0.1"}, "Valkey 8.0.1"),
        ({}, "Redis unknown"),
    ],
    ids=["Redis", "Valkey", "not told"],
)
def test_the_server_is_named_with_its_version(info: dict[str, Any], name: str) -> None:
    """Valkey gives a version of Redis too, for old clients."""
    assert name in found(info, LOCAL)["Redis"].message


def check(redis_options: dict[str, Any], **more: Any) -> list[Finding]:
    """Ask a Redis that these options lead to."""
    return redis_check.check_redis(configuration(redis=redis_options, **more))


def test_a_real_redis_answers(session_store: Store) -> None:
    """Each of its answers is understood: nothing is found twice, and nothing is unknown."""
    findings = check({"host": "127.0.0.1", "port": session_store.port})

    assert findings[0].status == "ok"
    assert not any("unknown" in each.message for each in findings)
    assert {"Redis", "Redis maxmemory-policy", "Redis persistence"} <= {
        each.name for each in findings
    }


VPC = {"aws": {"vpc": {"subnets": ["subnet-a1"], "security_groups": ["sg-a1"]}}}


@pytest.mark.parametrize(("document", "status"), [({}, "failed"), (VPC, "warning")])
def test_a_redis_that_cannot_be_reached(document: dict[str, Any], status: str) -> None:
    """Is a failure; inside a VPC it may be reached by the functions alone."""
    (finding,) = check({"host": "127.0.0.1", "port": free_port()}, **document)

    assert (finding.name, finding.status) == ("Redis", status)
    assert finding.hint


@pytest.mark.parametrize(
    ("given", "status"),
    [({"username": "counter", "password": "wrong"}, "failed"), ({}, "warning")],
    ids=["wrong password", "may not ask INFO"],
)
def test_a_redis_that_refuses(
    store: redis.Redis, session_store: Store, given: dict[str, str], status: str
) -> None:
    """A refused login is a failure; a user who may count but not run INFO is let through."""
    login = {"username": "counter", "password": "r1ght-w0rd", **given}
    permissions = ["on", ">r1ght-w0rd", "~*", "+@all", "-info"]
    store.execute_command("ACL", "SETUSER", "counter", *permissions)  # type: ignore[no-untyped-call]
    try:
        finding, *more = check({"host": "127.0.0.1", "port": session_store.port, **login})
    finally:
        store.acl_deluser("counter")
    assert [(each.name, each.status) for each in more] == (
        [("Redis permissions", "ok")] if status == "warning" else []
    )

    assert (finding.name, finding.status) == ("Redis", status)
    assert "w0rd" not in finding.message


@pytest.mark.parametrize(
    "given", [{}, {"unix_socket_path": "/tmp/socket"}], ids=["empty", "socket"]
)
def test_a_redis_that_is_not_entered_is_a_failure(given: dict[str, str]) -> None:
    """With what to do about it."""
    (finding,) = check(given)

    assert finding.status == "failed"
    assert "gimel configure" in finding.hint
