"""An emulated AWS account, empty, with a real store as its Redis.

Emulators, proxies and boto3's clients live as long as the test process. Each test starts from a
state that it restores.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from gimel import track
from tests.support.account import Account, variables
from tests.support.cache import Cache, running_cache
from tests.support.emulator import Emulator, running_emulator
from tests.support.events import EVENT, rest
from tests.support.kept_clients import kept_clients
from tests.support.operator import Operator, operating
from tests.support.proxy import AwsProxy
from tests.support.servers import Store
from tests.support.warm_process import Commands, warm_commands


@pytest.fixture(scope="session", autouse=True)
def clients_are_kept() -> Iterator[None]:
    with kept_clients():
        yield


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cache]:
    with running_cache(tmp_path_factory.mktemp("cache")) as running:
        yield running


@pytest.fixture
def cache(session_cache: Cache) -> Cache:
    """What the account's serverless caches lead to, empty."""
    with session_cache.client() as client:
        client.flushall()
    return session_cache


@pytest.fixture(scope="session")
def emulator(session_cache: Cache) -> Iterator[Emulator]:
    with running_emulator(cache=session_cache) as running:
        yield running


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    """Starts Gimel's commands as separate processes, in which sleeping takes no time."""
    with warm_commands() as commands:
        yield commands


@pytest.fixture
def unprepared(
    emulator: Emulator,
    session_store: Store,
    store: redis.Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Account:
    """The emulator's account as the last test left it, and the environment that leads to it."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in variables(emulator.url).items():
        monkeypatch.setenv(name, value)
    redis_section = {"host": "127.0.0.1", "port": session_store.port}
    return Account(emulator, tmp_path / "config.json", redis_section)


@pytest.fixture
def account(unprepared: Account) -> Account:
    """The emulator's account, empty."""
    unprepared.emulator.reset()
    return unprepared


@pytest.fixture
def deployed(unprepared: Account) -> Account:
    """The emulator's account with the default configuration deployed once."""
    unprepared.prepare("deployed", unprepared.deploy)
    unprepared.configure()
    return unprepared


@pytest.fixture(scope="session")
def session_proxy(emulator: Emulator) -> Iterator[AwsProxy]:
    with AwsProxy(emulator.url) as between:
        yield between


@pytest.fixture
def proxy(
    unprepared: Account, session_proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AwsProxy]:
    """A proxy between boto3 and the emulator from now on; the account's own clients bypass it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", session_proxy.url)
    session_proxy.begin()
    yield session_proxy
    session_proxy.begin()


@pytest.fixture(scope="session")
def strict() -> Iterator[tuple[Emulator, AwsProxy]]:
    """An emulator that enforces IAM policies, and a proxy before it."""
    with running_emulator(auth=True) as running, AwsProxy(running.url) as between:
        yield running, between


@pytest.fixture
def operator(
    strict: tuple[Emulator, AwsProxy],
    session_store: Store,
    gimel_store: redis.Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Operator]:
    """A user with few permissions, with FIRST as configuration and an event in the store."""
    track(rest(query=EVENT))
    redis_section = {"host": "127.0.0.1", "port": session_store.port}
    with operating(*strict, tmp_path, redis_section, monkeypatch) as operator:
        yield operator
