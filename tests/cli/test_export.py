"""`gimel export` and `gimel import`: files, options, messages and exit codes."""

from __future__ import annotations

import gzip
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from gimel.deploy import store_access
from gimel.deploy.checks import secrets
from gimel.deploy.checks.findings import Finding, warning
from gimel.transfer import files
from gimel.transfer.function import execute
from tests.cli.conftest import Done
from tests.cli.test_output import shell
from tests.support.moving import counted, process_of, send
from tests.support.servers import Store

Run = Callable[..., Done]


@pytest.fixture
def url(session_store: Store, store: redis.Redis) -> str:
    """The URL of a store with two experiments in two namespaces."""
    process = process_of(session_store.port)
    send(process, "button", "a1", "b1")
    send(process, "button", "a1", namespace="shop")
    process.redis.close()
    return session_store.url


def experiments(export: str) -> list[tuple[str, str]]:
    found = [json.loads(line).get("experiment") for line in export.splitlines()]
    return [(each["namespace"], each["experiment"]) for each in found if each]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [("alephbet", "button")]),
        (("--namespace", "shop"), [("shop", "button")]),
        (("--all",), [("alephbet", "button"), ("shop", "button")]),
        (
            ("--namespace", "shop", "--namespace", "alephbet"),
            [("shop", "button"), ("alephbet", "button")],
        ),
    ],
)
def test_an_export_without_a_file_is_printed(
    url: str, run: Run, options: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    """Everything else goes to stderr."""
    done = run("export", "--redis", url, *options)
    assert done.code == 0
    assert experiments(done.stdout) == expected
    assert done.stderr.startswith(f"Exported {len(expected)} experiment")


def test_output_that_cannot_be_written_is_an_error(
    url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its reason, as for every command; a reader such as `head` may also stop."""
    with Path("/dev/full").open("w", encoding="utf-8") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        done = run("export", "--redis", url)
    assert done == Done(1, "", "Error: The output could not be written: No space left on device.\n")


def test_a_file_is_private_and_compressed_by_its_name(url: str, run: Run, tmp_path: Path) -> None:
    """It replaces an earlier one when it is complete."""
    file = tmp_path / "counters.json.gz"
    file.write_text("earlier")
    done = run("export", "--redis", url, str(file))
    assert (done.code, done.stdout) == (0, "")
    assert f" to {file} in " in done.stderr
    assert experiments(gzip.decompress(file.read_bytes()).decode()) == [("alephbet", "button")]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["counters.json.gz"]


def test_a_failed_export_leaves_no_file(
    url: str, run: Run, tmp_path: Path, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the experiment is deleted while it is read."""

    def values(*_: object) -> list[object]:
        store.hset("alephbet:button:meta", "since", "1")
        return []

    monkeypatch.setattr("gimel.transfer.export._values", values)
    done = run("export", "--redis", url, "counters.json")
    assert done.code == 1
    assert "experiment 'button' of 'alephbet' was deleted, concluded or reopened" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--namespace", "none"), "has no experiments in 'none'."),
        (("--namespace", "none", "--namespace", "shop"), "has no experiments in 'none'."),
    ],
)
def test_without_experiments_nothing_is_exported(
    url: str, run: Run, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    """A name may be misspelled."""
    done = run("export", "--redis", url, *options, "counters.json")
    assert done.code == 1
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_was_exported_is_imported(
    url: str, run: Run, store: redis.Redis, other_store: Store, target: redis.Redis
) -> None:
    """Again, too; a dry run says what would be done."""
    run("export", "--all", "--redis", url, "counters.json")
    where = ("--redis", other_store.url, "counters.json")
    name = f"127.0.0.1:{other_store.port}"
    done = run("import", "--dry-run", *where)
    assert done.stdout == (
        f"Would import 2 experiments into {name}: 2 new, 0 merged with what it had.\n"
    )
    assert counted(target) == {}
    for new, merged in ((2, 0), (0, 2)):
        done = run("import", *where)
        assert (done.code, done.stderr) == (0, "")
        assert done.stdout.startswith(f"Imported 2 experiments into {name} in ")
        assert done.stdout.endswith(f" s: {new} new, {merged} merged with what it had.\n")
        assert counted(target) == counted(store)


def test_what_cannot_be_imported_is_named(
    url: str, run: Run, other_store: Store, target: redis.Redis
) -> None:
    """The others are imported, and the exit code is 1."""
    run("export", "--all", "--redis", url, "counters.json")
    target.rpush("shop:button:meta", "x")
    done = run("import", "--redis", other_store.url, "counters.json")
    assert done.code == 1
    assert "Imported 1 experiment into " in done.stdout
    assert done.stderr.startswith(
        "Error: 1 experiment cannot be imported: button (shop): the key 'shop:button:meta' of the"
        " target holds something else.\n"
    )


def test_a_truncated_file_is_not_imported(
    url: str, run: Run, tmp_path: Path, other_store: Store, target: redis.Redis
) -> None:
    """Nothing is written before the whole file is checked."""
    file = tmp_path / "counters.json"
    run("export", "--redis", url, str(file))
    file.write_bytes(file.read_bytes()[:-40])
    done = run("import", "--redis", other_store.url, str(file))
    assert done.code == 1
    assert "is not complete" in done.stderr
    assert counted(target) == {}


@pytest.mark.parametrize("command", [("export",), ("import", "file")], ids=lambda each: each[0])
@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--redis", "redis://localhost", "--local"), 2, "--redis and --local exclude each other"),
        (("--local",), 1, "store.sock does not exist.\nStart `gimel serve`"),
        (("--redis", "http://localhost"), 1, "The Redis URL must be like"),
        (("--redis", "redis://:secret@127.0.0.1:1"), 1, "The Redis at 127.0.0.1:1 failed"),
        ((), 1, "redis.host is not set (no configuration file found)"),
    ],
)
def test_a_redis_that_cannot_be_used(
    run: Run,
    tmp_path: Path,
    command: tuple[str, ...],
    options: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    """The message says what to do, without the password."""
    with (tmp_path / "file").open("wb") as stream:
        files.write(stream, [], 1)
    done = run(*command, *options)
    assert done.code == code
    assert message in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "password", "says"),
    [
        (("requirepass", "right"), "wrong", "disabled.\nCheck the user, the password"),
        (("maxmemory", "1"), "", "'maxmemory'. (HSETNX alephbet:button:meta).\nFix what Redis"),
    ],
    ids=["password", "memory"],
)
def test_what_redis_refuses_is_not_about_the_network(
    url: str,
    run: Run,
    tmp_path: Path,
    session_store: Store,
    store: redis.Redis,
    setting: tuple[str, str],
    password: str,
    says: str,
) -> None:
    """The hint fits the error."""
    file = tmp_path / "counters.json"
    assert run("export", "--redis", url, str(file)).code == 0
    store.config_set(*setting)
    try:
        user = f":{password}@" if password else ""
        done = run("import", "--redis", f"redis://{user}127.0.0.1:{session_store.port}", str(file))
    finally:
        store.config_set(setting[0], "" if password else "0")
    assert done.code == 1
    assert says in done.stderr


def test_the_url_may_come_from_the_environment(
    url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that its password is in no shell history."""
    monkeypatch.setenv("GIMEL_REDIS_URL", url)
    assert experiments(run("export").stdout) == [("alephbet", "button")]
    done = run("export", "--local")
    assert done.code == 2
    assert "$GIMEL_REDIS_URL and --local exclude each other" in done.stderr


def test_an_earlier_deploy_and_a_url_exclude_each_other(run: Run) -> None:
    """One store is exported."""
    done = run("export", "--deploy", "3", "--redis", "redis://localhost")
    assert done.code == 2
    assert "--redis and --deploy exclude each other" in done.stderr


def test_all_and_a_namespace_exclude_each_other(run: Run) -> None:
    """It is wrong usage."""
    done = run("export", "--all", "--namespace", "shop")
    assert done.code == 2
    assert "--namespace and --all exclude each other" in done.stderr


def test_a_store_that_only_the_functions_reach(
    url: str, session_store: Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `gimel deploy` creates is reached through a function; --redis still names another."""
    process = process_of(session_store.port)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    (tmp_path / "config.json").write_text('{"redis": {"provision": "valkey-serverless"}}')
    monkeypatch.setattr(
        store_access, "asking", lambda *_: lambda event: execute(event["transfer"], process)
    )
    done = run("export", "counters.json")
    assert done.code == 0
    assert done.stderr.startswith("Exported 1 experiment with 4 counters from gimel in eu-west-1 ")
    done = run("import", "counters.json")
    assert done.stdout.startswith("Imported 1 experiment into gimel in eu-west-1 in ")
    assert f"from 127.0.0.1:{session_store.port}" in run("export", "--redis", url).stderr
    process.redis.close()


def test_the_configured_redis_is_the_default(
    run: Run, url: str, session_store: Store, tmp_path: Path
) -> None:
    """That of config.json in the current directory."""
    redis = {"host": "127.0.0.1", "port": session_store.port}
    (tmp_path / "config.json").write_text(json.dumps({"redis": redis}))
    assert experiments(run("export").stdout) == [("alephbet", "button")]


def test_the_password_may_be_a_secret_on_aws(
    run: Run, session_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read with the credentials of this machine; without them the message says what to do."""
    secret = {"ssm": "/gimel/redis"}
    redis = {"host": "127.0.0.1", "port": session_store.port, "password": secret}
    (tmp_path / "config.json").write_text(json.dumps({"redis": redis}))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    read: list[object] = []

    def read_secret(of: object, aws: object) -> tuple[str | None, Finding]:
        read.append(of)
        return None, warning("Redis password", f"you may not read {of}")

    monkeypatch.setattr(secrets, "read_secret", read_secret)
    done = run("export")
    assert done.code == 1
    assert "The password of Redis is missing: you may not read" in done.stderr
    assert "$GIMEL_REDIS_URL" in done.stderr
    assert len(read) == 1


@pytest.mark.parametrize(
    ("target", "message"),
    [("| true", ""), (">/dev/full", "could not be written: No space left on device")],
)
def test_an_output_that_cannot_be_written_is_not_a_bug(
    url: str, tmp_path: Path, target: str, message: str
) -> None:
    """`gimel export | head` shows no error, and a full disk is named."""
    done = shell(tmp_path, f"{{ gimel export --redis {url}; echo $? >&2; }} {target}")

    assert done.stderr.endswith("1\n")
    assert message in done.stderr
    assert "bug" not in done.stderr
