"""Servers in trouble: each error has its type, and the client recovers with the server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from gimel.runtime import errors
from tests.support.clients import MakeClient
from tests.support.servers import (
    Proxy,
    Store,
    free_port,
    running_store,
    wait_until,
)
from tests.support.waiting import PING, connections_made


def test_a_primary_that_became_a_replica_is_given_up(own_store: Store, client: MakeClient) -> None:
    """READONLY makes a new connection, which may reach a new primary; else the error is typed."""
    with own_store.client() as admin:
        ours = client(own_store.port)
        ours.execute([("SADD", "set", "a")])
        before = connections_made(admin)
        admin.replicaof("127.0.0.1", free_port())
        (reply,) = ours.execute([("SADD", "set", "b")])
        assert isinstance(reply, errors.ReadOnlyError)
        assert connections_made(admin) - before == 1
        admin.replicaof("NO", "ONE")
        assert ours.execute([("SADD", "set", "b")]) == [1]


def test_other_commands_are_not_sent_to_a_replica_again(
    own_store: Store, client: MakeClient
) -> None:
    """After READONLY, commands that are not idempotent are not repeated: some may have run."""
    with own_store.client() as admin, Proxy(own_store.port) as proxy:
        ours = client(proxy.port)
        ours.execute(PING)
        admin.replicaof("127.0.0.1", free_port())
        (reply,) = ours.execute([("INCR", "n")], idempotent=False)
    assert isinstance(reply, errors.ReadOnlyError)
    assert proxy.received.count(b"INCR") == 1


def test_after_a_failover_the_new_primary_takes_the_commands(
    own_store: Store, session_store: Store, store: redis.Redis, client: MakeClient
) -> None:
    """If the host name leads to the new primary, the call that met READONLY succeeds there."""
    with own_store.client() as admin, Proxy(own_store.port) as name:
        ours = client(name.port)
        ours.execute(PING)
        admin.replicaof("127.0.0.1", free_port())
        name.target = session_store.port
        assert ours.execute([("SADD", "set", "a")]) == [1]
    assert store.smembers("set") == {b"a"}


def refuse_writes_after_a_failed_save(running: Store, admin: redis.Redis) -> None:
    (running.directory / "dump.rdb").mkdir()
    admin.config_set("save", "3600 1")
    admin.bgsave()
    wait_until(lambda: admin.info("persistence")["rdb_last_bgsave_status"] == "err")


def lose_the_primary(running: Store, admin: redis.Redis) -> None:
    admin.config_set("replica-serve-stale-data", "no")
    admin.config_set("replica-read-only", "no")
    admin.replicaof("127.0.0.1", free_port())


@pytest.mark.parametrize(
    ("trouble", "kind", "code"),
    [
        pytest.param(
            lambda _, admin: admin.config_set("maxmemory", 1),
            errors.OutOfMemoryError,
            "OOM",
            id="out of memory",
        ),
        pytest.param(
            lambda _, admin: admin.config_set("min-replicas-to-write", 1),
            errors.NotReadyError,
            "NOREPLICAS",
            id="no replicas",
        ),
        pytest.param(
            refuse_writes_after_a_failed_save, errors.NotReadyError, "MISCONF", id="failed save"
        ),
        pytest.param(lose_the_primary, errors.NotReadyError, "MASTERDOWN", id="primary lost"),
        pytest.param(
            lambda _, admin: admin.set("key", "text"),
            errors.WrongTypeError,
            "WRONGTYPE",
            id="wrong type",
        ),
        pytest.param(
            lambda _, admin: admin.execute_command("ACL SETUSER", "default", "-pfadd"),
            errors.AuthenticationError,
            "NOPERM",
            id="no permission",
        ),
    ],
)
def test_error_replies_are_typed(
    own_store: Store,
    client: MakeClient,
    trouble: Callable[[Store, redis.Redis], object],
    kind: type[Exception],
    code: str,
) -> None:
    """Each error of a real server has its type, and the connection stays in step."""
    ours = client(own_store.port)
    with own_store.client() as admin:
        trouble(own_store, admin)
        reply, pong = ours.execute([("PFADD", "key", "uuid"), ("CLIENT", "GETNAME")])
    assert isinstance(reply, kind)
    assert getattr(reply, "code", None) == code
    assert pong in (None, b"") or isinstance(pong, errors.NotReadyError)


def test_a_server_that_is_loading_is_not_ready(tmp_path: Path, client: MakeClient) -> None:
    """While a restarted server reads its data, LOADING is a NotReadyError."""
    with running_store(tmp_path) as running, running.client() as admin:
        admin.mset({f"key{number}": "x" * 2000 for number in range(3000)})
        admin.save()
    slowly = ["--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024"]
    with running_store(tmp_path, *slowly) as running:
        (reply,) = client(running.port).execute([("GET", "key1")])
    assert isinstance(reply, errors.NotReadyError)


def test_a_server_that_is_busy_is_not_ready(own_store: Store, client: MakeClient) -> None:
    """While a script does not end, BUSY is a NotReadyError."""
    ours = client(own_store.port)
    ours.execute(PING)
    with (
        own_store.client() as admin,
        socket.create_connection(("127.0.0.1", own_store.port)) as looping,
    ):
        admin.config_set("busy-reply-threshold", 1)
        looping.sendall(b"EVAL 'while true do end' 0\r\n")
        wait_until(lambda: isinstance(ours.execute([("GET", "key")])[0], errors.NotReadyError))
        admin.script_kill()
    wait_until(lambda: ours.execute([("GET", "key")]) == [None])


def test_a_server_with_too_many_clients_fails_the_call(
    own_store: Store, client: MakeClient
) -> None:
    """A refused connection is an error that callers handle, and the server is used again later."""
    with own_store.client() as admin:
        admin.config_set("maxclients", 1)
        ours = client(own_store.port)
        try:
            failed: object = ours.execute(PING)[0]
        except errors.RedisError as error:
            failed = error
        assert isinstance(failed, errors.RedisError)
        admin.config_set("maxclients", 100)
    assert ours.execute(PING) == [b"ping"]
