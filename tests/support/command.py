"""Gimel's command line as a user types it: a process of its own, with an empty HOME."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a user whose HOME is this folder and who has set these variables."""
    inherited = {
        name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ
    }
    return {**inherited, "HOME": str(home), "PYTHONPATH": str(REPOSITORY), **variables}


def gimel(
    *arguments: str, home: Path, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "gimel", *arguments],
        cwd=home,
        env=environment(home, **variables),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )
