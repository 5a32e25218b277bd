"""Packages from npm that tests read as data or load in a browser.

They are kept in a folder of the repository that git ignores. npm checks what it downloads against
the registry's digests. A package appears under its final name only when it is complete, so an
interrupted run leaves nothing behind that a later one would use.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.programs import program

FOLDER = Path(__file__).parents[2] / ".npm-cache-for-tests"


def package(name: str, version: str, folder: Path = FOLDER) -> Path:
    """Return the directory of an npm package in exactly this version, downloaded if necessary."""
    kept = folder / f"{name.replace('/', '+')}@{version}"
    if not kept.exists():
        with _fetching(kept) as fetched:
            options = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
            _npm("install", "--prefix", str(fetched), *options, f"{name}@{version}")
    return kept / "node_modules" / name


def files(name: str, version: str, folder: Path = FOLDER) -> Path:
    """Return the directory of an npm package like `package`, without what it depends on."""
    kept = folder / f"{name.replace('/', '+')}@{version}-alone"
    if not kept.exists():
        with _fetching(kept) as fetched:
            _npm("pack", "--silent", "--pack-destination", str(fetched), f"{name}@{version}")
            (packed,) = fetched.glob("*.tgz")
            with tarfile.open(packed) as archive:
                archive.extractall(fetched, filter="data")
    return kept / "package"


@contextmanager
def _fetching(kept: Path) -> Iterator[Path]:
    """Give a new directory for the length of a with block, and rename it to `kept` afterwards."""
    kept.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="fetching-") as temporary:
        fetched = Path(temporary) / "fetched"
        fetched.mkdir()
        yield fetched
        try:
            fetched.rename(kept)
        except OSError:  # another process was faster
            if not kept.exists():
                raise


def _npm(*arguments: str) -> None:
    command = [program("npm"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, f"npm {arguments[-1]} failed: {result.stderr}"
