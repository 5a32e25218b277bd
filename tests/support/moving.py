"""Exports and imports between the stores of the tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from gimel.runtime import counts
from gimel.runtime.counting import count
from gimel.runtime.event import TrackEvent
from gimel.runtime.process import Process
from gimel.runtime.redis.client import Client
from gimel.runtime.settings import RedisOptions, Settings
from gimel.transfer import export, files, restore
from gimel.transfer.restore import Outcome
from tests.support.redis_content import Contents, snapshot

if TYPE_CHECKING:
    from gimel.runtime.redis.resp import Command, Reply


class WatchedClient(Client):
    """A client that calls `before` each command, which may raise to end the import there."""

    def __init__(self, options: RedisOptions, before: Callable[[], None]) -> None:
        super().__init__(options)
        self._before = before

    def execute(self, commands: Any, *, idempotent: bool = True) -> list[Reply]:
        return [self._one(command, idempotent) for command in commands]

    def _one(self, command: Command, idempotent: bool) -> Reply:
        self._before()
        return super().execute([command], idempotent=idempotent)[0]


def options(port: int, login: tuple[str, str] | None = None) -> RedisOptions:
    username, password = login or (None, None)
    redis = {"host": "127.0.0.1", "port": port, "socket_timeout": 20}
    return RedisOptions({**redis, "username": username, "password": password})


@contextlib.contextmanager
def opened(
    port: int,
    before: Callable[[], None] | None = None,
    login: tuple[str, str] | None = None,
) -> Iterator[Client]:
    """Open a client of a store on loopback."""
    redis = options(port, login)
    client = WatchedClient(redis, before) if before else Client(redis)
    try:
        yield client
    finally:
        client.close()


def process_of(port: int, precision: int = 4, **settings: Any) -> Process:
    """Return a process that counts in the store of that port."""
    redis = {"host": "127.0.0.1", "port": port, "socket_timeout": 20}
    return Process(Settings({"redis": redis, "precision": precision, **settings}))


def send(process: Process, experiment: str, *uuids: str, namespace: str = "alephbet") -> None:
    """Count visitors who take part and reach a goal, in the variant of their first character."""
    for uuid in uuids:
        for event in ("participate", "sale"):
            names = (namespace, experiment, event, f"variant {uuid[0]}")
            assert count(process, [TrackEvent(names, uuid)]) == {}


def results(port: int, namespace: str = "alephbet") -> list[dict[str, Any]]:
    """Return what is counted in a namespace, as the API describes it."""
    with opened(port) as redis:
        found = counts.find(redis, namespace, None)
        for each in found:
            each.read_meta(*redis.read([each.meta_command()]))
            each.read(redis, redis.stream(each.commands()))
        return [each.described(each.goals()) for each in found]


def counted(*stores: redis.Redis) -> Contents:
    """Return the content of a store, or of the nodes of a cluster, without what PFCOUNT caches."""
    return {
        key: value[:8] + value[16:] if isinstance(value, bytes) else value
        for store in stores
        for key, value in snapshot(store).items()
    }


def export_all(
    port: int,
    path: Path,
    namespaces: tuple[str, ...] = (),
    warn: Callable[[str], None] = print,
    login: tuple[str, str] | None = None,
) -> files.Totals:
    """Export these namespaces of the store of that port, or all, into a file."""
    with opened(port, login=login) as redis:
        return export_from(redis, path, namespaces, warn)


def export_from(
    redis: Client,
    path: Path,
    namespaces: tuple[str, ...] = (),
    warn: Callable[[str], None] = print,
) -> files.Totals:
    """Export these namespaces, or all, into a file."""
    names = {
        namespace: export.experiments(redis, namespace)
        for namespace in namespaces or export.namespaces(redis)
    }
    with path.open("wb") as stream:
        lines = export.export(redis, names, warn, lambda _: None)
        return files.write(stream, lines, 1_800_000_000)


def import_all(
    port: int,
    path: Path,
    before: Callable[[], None] | None = None,
    *,
    only_check: bool = False,
    login: tuple[str, str] | None = None,
) -> Outcome:
    """Import a file into the store of that port."""
    with opened(port, before, login) as redis:
        return import_into(redis, path, only_check=only_check)


def import_into(redis: Client, path: Path, *, only_check: bool = False) -> Outcome:
    """Import a file."""
    files.check(path)
    return restore.restore(redis, files.read(path), lambda _: None, only_check=only_check)
