"""The Redis user of `gimel serve --redis`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gimel.errors import GimelError
from gimel.serve.gateway import check_redis
from tests.support.servers import running_store

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_it_needs_ping(tmp_path: Path) -> None:
    """Redis is checked at the start; a permission that is missing is named."""
    (line,) = re.findall(r"^ACL SETUSER gimel (.*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    with running_store(tmp_path) as store, store.client() as admin:
        user = ["ACL", "SETUSER", "gimel", *line.split()]
        admin.execute_command(*user)
        options = {"host": "127.0.0.1", "port": store.port}
        options |= {"username": "gimel", "password": "PASSWORD"}

        with pytest.raises(GimelError, match="'ping' command"):
            check_redis(options)

        admin.execute_command(*user, "+ping")
        check_redis(options)
