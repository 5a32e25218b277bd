"""Programs that pip cannot install: without one its tests are skipped, which fails them in CI."""

from __future__ import annotations

import shutil

import pytest


def program(*names: str) -> str:
    """Return the path of the first of these programs that is on PATH."""
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.skip(f"no {' or '.join(names)} on PATH")
