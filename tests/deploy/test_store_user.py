"""The user that the functions log in to a store as: a real server says what it may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from gimel.deploy.checks.redis_permissions import DELETES, ON_CLUSTERS, READS, RECORDS, WRITES
from gimel.deploy.resources.store_user import ACCESS

OF_THE_RUNTIME = {**READS, **WRITES, **DELETES, **RECORDS}
OF_EXPORT_AND_IMPORT = {"GET": (), "SET": ("value",), "PFMERGE": ("b",), "EXPIRE": (1,)}
REFUSED = {
    "CONFIG": ("GET", "*"),
    "EVAL": ("return 1", 0),
    "FLUSHALL": (),
    "KEYS": ("*",),
    "SHUTDOWN": (),
}


@pytest.fixture
def user(store: redis.Redis) -> Iterator[Any]:
    """The store, which knows the user."""
    client: Any = store
    client.execute_command("ACL", "SETUSER", "shop", "nopass", *ACCESS.split())
    yield client
    client.execute_command("ACL", "DELUSER", "shop")


@pytest.mark.parametrize("command", [*OF_THE_RUNTIME, *OF_EXPORT_AND_IMPORT, ON_CLUSTERS])
def test_it_may_run_what_gimel_sends(user: Any, command: str) -> None:
    """A real server accepts each command of the runtime, of exports and of imports."""
    known = {**OF_THE_RUNTIME, **OF_EXPORT_AND_IMPORT}
    arguments = ("key", *known[command]) if command in known else ()
    said = user.execute_command("ACL", "DRYRUN", "shop", command, *arguments)
    assert said in ("OK", b"OK")


@pytest.mark.parametrize("command", REFUSED)
def test_it_may_not_administer_the_store(user: Any, command: str) -> None:
    """A real server refuses what could read other data or change its settings."""
    said = user.execute_command("ACL", "DRYRUN", "shop", command, *REFUSED[command])
    assert "no permissions" in str(said)
