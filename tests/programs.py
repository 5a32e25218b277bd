"""Programs that pip cannot install: without one its tests fail in CI, and are skipped elsewhere."""

from __future__ import annotations

import os
import shutil

import pytest


def program(*names: str) -> str:
    """Return the path of the first of these programs that is on PATH."""
    for name in names:
        if found := shutil.which(name):
            return found
    reason = f"no {' or '.join(names)} on PATH"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
