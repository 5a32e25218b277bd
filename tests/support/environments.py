"""Virtual environments for other releases, and for tools that pin their own libraries.

They are created once, from PyPI, in `.environments/` in the repository, which git ignores. uv fills
them in a tenth of pip's time; pip does it where uv is missing.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_CACHE = Path(__file__).parents[2] / ".environments"


def python_with(*requirements: str, dependencies: bool = True) -> Path:
    """Return the interpreter of an environment with these requirements, created on first use.

    A complete environment is renamed into place, so an interruption leaves no incomplete one.
    A second test run waits.
    """
    name = "-".join([*requirements, f"python{sys.version_info.major}.{sys.version_info.minor}"])
    environment = _CACHE / name.replace("==", "").replace("<", "below")
    python = environment / "bin" / "python"
    if python.exists():
        return python
    _CACHE.mkdir(exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not python.exists():
            _create(environment, [*([] if dependencies else ["--no-deps"]), *requirements])
    return python


def create_environment(folder: Path, *requirements: str | Path) -> None:
    """Create a virtual environment with these requirements, which may be pip's options too."""
    uv, python = _uv(), folder / "bin" / "python"
    if uv is None:
        _run(sys.executable, "-m", "venv", folder)
        _run(python, "-m", "pip", "install", *requirements)
    else:
        _run(uv, "venv", "-q", "--python", sys.executable, folder)
        _run(uv, "pip", "install", "-q", "--python", python, *requirements)


def _create(environment: Path, requirements: list[str]) -> None:
    with tempfile.TemporaryDirectory(dir=_CACHE, prefix="unfinished-") as unfinished:
        new = Path(unfinished) / "environment"
        create_environment(new, *requirements)
        shutil.rmtree(environment, ignore_errors=True)  # whose interpreter is gone
        new.rename(environment)


def _uv() -> str | None:
    return shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
