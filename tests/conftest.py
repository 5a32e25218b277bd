"""Fixtures for every test: an empty real store, and the runtime's settings that point to it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import redis

from gimel.runtime import process
from tests.support.clients import client as client
from tests.support.servers import Store, running_store

_REAL_ACCOUNT = Path(__file__).parent / "system" / "aws"

# Examples take as long as the machine needs.
hypothesis.settings.register_profile(
    "gimel", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("gimel")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--aws",
        metavar="CONFIG",
        help="Run tests/system/aws on a real AWS account, with this config.json.",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests on a real account unless they are asked for."""
    if config.getoption("--aws") is None:
        real = [item for item in items if item.path.is_relative_to(_REAL_ACCOUNT)]
        config.hook.pytest_deselected(items=real)
        items[:] = [item for item in items if item not in real]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, which installs everything that the tests need, a skipped test has failed."""
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
    """A redis-py client of the real store, emptied, with a runtime that has no state."""
    with session_store.client() as client:
        client.flushall()
        process.forget()
        yield client


@pytest.fixture(scope="session")
def other_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Another server than that of `session_store`."""
    with running_store(tmp_path_factory.mktemp("other")) as store:
        yield store


@pytest.fixture
def target(other_store: Store) -> Iterator[redis.Redis]:
    """A redis-py client of the other server, emptied."""
    with other_store.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, session_store: Store) -> Callable[..., None]:
    """Configure the runtime with these settings, and the real store unless `redis` is given."""

    def configure(**settings: Any) -> None:
        settings.setdefault("redis", {"host": "127.0.0.1", "port": session_store.port})
        monkeypatch.setenv("GIMEL_SETTINGS", json.dumps(settings))

    return configure


@pytest.fixture
def gimel_store(store: redis.Redis, configure: Callable[..., None]) -> redis.Redis:
    """The empty store, which the runtime uses with its default settings."""
    configure()
    return store
