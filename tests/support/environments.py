"""Virtual environments for what the tests run beside Gimel: other releases, and pinned libraries.

They are made once, from PyPI, below `.environments/` in the repository, which git ignores.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_CACHE = Path(__file__).parents[2] / ".environments"


def python_with(*requirements: str, dependencies: bool = True) -> Path:
    """Return the interpreter of the environment that holds these, which is created where it is missing.

    It is renamed into place as a whole: neither an interruption nor a second test run at the same time leaves half of one.
    """
    name = "-".join([*requirements, f"python{sys.version_info.major}.{sys.version_info.minor}"])
    environment = _CACHE / name.replace("==", "").replace("<", "below")
    python = environment / "bin" / "python"
    if not python.exists():
        shutil.rmtree(environment, ignore_errors=True)
        _CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE, prefix="unfinished-") as unfinished:
            new = Path(unfinished) / "environment"
            _run(sys.executable, "-m", "venv", new)
            _run(
                new / "bin" / "python",
                "-m",
                "pip",
                "install",
                *([] if dependencies else ["--no-deps"]),
                *requirements,
            )
            with contextlib.suppress(OSError):  # another run was first
                new.rename(environment)
    return python


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
