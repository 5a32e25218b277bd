"""What every test may ask for: a real store, emptied, and the runtime's settings pointing to it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterator
from typing import Any

import hypothesis
import pytest
import redis

from tests.support.clients import client as client
from tests.support.servers import Store, running_store

# How fast examples are made and run is the machine's business.
hypothesis.settings.register_profile(
    "gimel", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("gimel")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """CI installs everything that the tests need, so a skipped test has failed there."""
    report = yield
    if report.skipped and "CI" in os.environ:
        report.outcome, report.longrepr = "failed", f"skipped in CI: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def session_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with running_store(tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture
def store(session_store: Store) -> Iterator[redis.Redis]:
    """A redis-py client of the real store, which is empty."""
    with session_store.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, session_store: Store) -> Callable[..., None]:
    """Set the runtime's settings: those given, and the real store unless `redis` is given too."""

    def configure(**settings: Any) -> None:
        settings.setdefault("redis", {"host": "127.0.0.1", "port": session_store.port})
        monkeypatch.setenv("GIMEL_SETTINGS", json.dumps(settings))

    return configure


@pytest.fixture
def gimel_store(store: redis.Redis, configure: Callable[..., None]) -> redis.Redis:
    """The empty store, with the runtime configured by its defaults to use it."""
    configure()
    return store
