"""What is checked before a deploy, where no AWS is needed for it."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any, get_args

import pytest
import redis

from gimel.config import Config, load
from gimel.config.aws import Aws as AwsSection
from gimel.deploy.checks import preflight
from gimel.deploy.checks import redis as redis_check
from gimel.deploy.checks.findings import Finding
from tests.support.servers import Store, free_port
from tests.support.state.cloud import ALL
from tests.support.state.settled import configuration

TODAY = datetime.date(2026, 1, 15)
LOCAL = {"host": "localhost", "port": 6379}
REMOTE = {"host": "redis.example.com", "password": "s3cr3t", "ssl": True}
GOOD = {"redis_version": "7.2.4", "maxmemory_policy": "noeviction", "role": "master"}


@pytest.mark.parametrize(
    ("name", "today", "status"),
    [
        ("python3.13", datetime.date(2026, 1, 15), "ok"),
        ("python3.10", datetime.date(2026, 5, 3), "ok"),
        ("python3.10", datetime.date(2026, 5, 5), "warning"),
        ("python3.10", datetime.date(2026, 10, 31), "warning"),
        ("python3.10", datetime.date(2026, 11, 1), "warning"),
        ("python3.13", datetime.date(2029, 1, 1), "ok"),
        ("python3.13", datetime.date(2029, 1, 2), "warning"),
        ("python3.14", datetime.date(2040, 1, 1), "warning"),
    ],
)
def test_a_runtime_is_supported_until_its_date(
    name: str, today: datetime.date, status: str
) -> None:
    """Half a year ahead a warning begins; a deploy is never stopped, for AWS still takes it."""
    found = preflight.check_runtime(name, today)

    assert (found.name, found.status) == ("runtime", status)
    assert str(preflight.END_OF_LIFE[name]) in found.message
    assert ("python3.13" in found.hint) == (status == "warning")


def test_an_unsupported_runtime_is_told_from_one_that_soon_will_be() -> None:
    """The day after the last one, the sentence is another."""
    end = preflight.END_OF_LIFE["python3.11"]
    last = preflight.check_runtime("python3.11", end)
    after = preflight.check_runtime("python3.11", end + datetime.timedelta(days=1))

    assert last.status == after.status == "warning"
    assert last.message != after.message


def test_every_runtime_that_can_be_configured_has_its_date() -> None:
    """A new one in the schema needs one in the table."""
    assert set(get_args(AwsSection.model_fields["runtime"].annotation)) == set(
        preflight.END_OF_LIFE
    )


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


def test_a_redis_that_is_not_entered_is_a_failure() -> None:
    """With what to do about it."""
    (finding,) = check({})

    assert finding.status == "failed"
    assert "gimel configure" in finding.hint


def preflighted(tmp_path: Path, **document: Any) -> dict[str, str]:
    """Return the statuses of all checks of a file, without AWS."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"redis": {"host": "127.0.0.1", "port": free_port()}, **document}))
    return {each.name: each.status for each in preflight.preflight(load(file), None, TODAY)}


def test_without_a_file_only_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the file would hold is not missed line by line."""
    findings = preflight.preflight(
        Config(None, configuration().document, configuration().wiring), None, TODAY
    )

    assert [each.name for each in findings if each.status == "failed"] == ["configuration"]
    assert "Redis" not in {each.name for each in findings}


def test_each_check_is_reported(tmp_path: Path) -> None:
    """The file, the runtime and Redis; the settings only where they cannot be deployed."""
    assert preflighted(tmp_path) == {"configuration": "ok", "runtime": "ok", "Redis": "failed"}


def test_settings_that_are_too_long_are_a_failure(tmp_path: Path) -> None:
    """Before a deploy finds it out."""
    long = ["x" * 190 + str(number) for number in range(30)]

    assert preflighted(tmp_path, allowed_experiments=long)["settings"] == "failed"


def timed(name: str, handler: str, seconds: int, **access: Any) -> dict[str, Any]:
    """Return an entry of extra_wiring with a time-out."""
    path = {"pathPart": "mine", "method": {"httpMethod": "GET", "apiKeyRequired": True}}
    function = {"FunctionName": name, "Handler": handler, "Timeout": seconds}
    return {"lambda": function, **(access or {"api_gateway": path})}


@pytest.mark.parametrize(
    ("document", "warned"),
    [
        ({}, set()),
        ({"extra_wiring": [timed(ALL, "gimel.all", 60)]}, {f"{ALL} timeout"}),
        ({"extra_wiring": [timed("mine", "gimel.experiment", 30)]}, {"mine timeout"}),
        ({"extra_wiring": [timed("mine", "gimel.experiment", 29)]}, set()),
        ({"extra_wiring": [timed("mine", "gimel.track", 60, function_url=True)]}, set()),
        ({"aws": {"functions": {ALL: {"timeout": 30}}}}, {f"{ALL} timeout"}),
        (
            {
                "extra_wiring": [timed(ALL, "gimel.all", 60)],
                "aws": {"functions": {ALL: {"timeout": 20}}},
            },
            set(),
        ),
    ],
    ids=[
        *("the wiring's own", "as in 1.5.0", "a new function", "just in time", "a function URL"),
        *("overridden", "shortened"),
    ],
)
def test_a_function_that_may_outlast_api_gateway_is_a_warning(
    tmp_path: Path, document: dict[str, Any], warned: set[str]
) -> None:
    """Nobody would get its answer. Only what a path leads to is behind API Gateway."""
    found = preflighted(tmp_path, **document)

    assert {name for name, status in found.items() if status == "warning"} == warned


def route(handler: str, path: str, method: str = "GET", key: bool = False) -> dict[str, Any]:
    """Return an entry of extra_wiring."""
    names = {"gimel.all": ALL}
    return {
        "lambda": {"FunctionName": names.get(handler, f"our-{path}"), "Handler": handler},
        "api_gateway": {
            "pathPart": path,
            "method": {"httpMethod": method, "apiKeyRequired": key},
        },
    }


@pytest.mark.parametrize(
    ("entry", "warned"),
    [
        (route("gimel.all", "open"), {"GET /open"}),
        (route("gimel.all", "experiments"), {"GET /experiments"}),
        (route("gimel.delete", "remove", "POST"), {"POST /remove"}),
        (route("gimel.experiment", "one"), {"GET /one"}),
        (route("gimel.all", "closed", key=True), set()),
        (route("gimel.track", "t"), set()),
    ],
    ids=["results", "Gimel's own route", "delete", "one experiment", "with the key", "tracking"],
)
def test_results_that_anybody_can_read_are_a_warning(
    tmp_path: Path, entry: dict[str, Any], warned: set[str]
) -> None:
    """A route without the key may be intended, so it is a warning; tracking is open to everyone."""
    found = preflighted(tmp_path, extra_wiring=[entry])

    assert {name for name, status in found.items() if status == "warning"} == warned
