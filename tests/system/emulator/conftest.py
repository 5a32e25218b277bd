"""An emulated AWS account, empty, with a real store as its Redis."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from botocore.loaders import JSONFileLoader

from gimel import track
from tests.support.account import Account, variables
from tests.support.emulator import Emulator, running_emulator
from tests.support.events import EVENT, rest
from tests.support.operator import Operator, operating
from tests.support.proxy import AwsProxy
from tests.support.servers import Store

_LOADER = JSONFileLoader()


@pytest.fixture(scope="session", autouse=True)
def service_models_are_read_once() -> Iterator[None]:
    """Every new boto3 session reads megabytes of JSON: here hundreds are made."""
    read = functools.cache(JSONFileLoader.load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda self, path: read(_LOADER, path))
        yield


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with running_emulator() as running:
        yield running


@pytest.fixture
def account(
    emulator: Emulator,
    session_store: Store,
    store: redis.Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Account:
    """The emulator's account, emptied, and the environment that leads to it."""
    emulator.reset()
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in variables(emulator.url).items():
        monkeypatch.setenv(name, value)
    return Account(
        emulator.url, tmp_path / "config.json", {"host": "127.0.0.1", "port": session_store.port}
    )


@pytest.fixture(scope="session")
def strict() -> Iterator[Emulator]:
    """An emulator that enforces IAM policies."""
    with running_emulator(auth=True) as running:
        yield running


@pytest.fixture
def operator(
    strict: Emulator,
    session_store: Store,
    gimel_store: redis.Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Operator]:
    """A user of little right, with FIRST as configuration and an event in the store."""
    track(rest(query=EVENT))
    with operating(
        strict, tmp_path, {"host": "127.0.0.1", "port": session_store.port}, monkeypatch
    ) as operator:
        yield operator


@pytest.fixture
def proxy(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    """What stands between boto3 and the emulator from now on; the account's own clients pass it by."""
    with AwsProxy(account.url) as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL", between.url)
        yield between
