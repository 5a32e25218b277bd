"""Gimel 1.5.0 and Lamed 0.4.3, running on the store of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.oracle import Oracle, running_oracle
from tests.support.releases import NEW, OLD, Call, this_version
from tests.support.servers import Store


@pytest.fixture(scope="module")
def oracle(session_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """A process that runs the functions of the old releases."""
    with running_oracle(session_store.port, tmp_path_factory.mktemp("oracle")) as oracle:
        yield oracle


@pytest.fixture
def call(oracle: Oracle) -> dict[str, Call]:
    """How to call a handler of each version."""
    return {OLD: oracle.call, NEW: this_version}
