"""Packages from npm that tests read as data or load in a browser.

They are kept in a folder of the repository that git ignores. npm checks what it downloads against
the registry's digests. A package appears under its final name only when it is complete, so an
interrupted run leaves nothing behind that a later one would use.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.support.programs import program

FOLDER = Path(__file__).parents[2] / ".npm-cache-for-tests"


def package(name: str, version: str, folder: Path = FOLDER) -> Path:
    """Return the directory of an npm package in exactly this version, downloaded if necessary."""
    kept = folder / f"{name.replace('/', '+')}@{version}"
    if not kept.exists():
        npm = program("npm")
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="fetching-") as temporary:
            fetched = Path(temporary) / "fetched"
            fetched.mkdir()
            options = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
            command = [npm, "install", "--prefix", str(fetched), *options, f"{name}@{version}"]
            result = subprocess.run(command, capture_output=True, text=True, timeout=300)
            assert result.returncode == 0, (
                f"npm could not install {name}@{version}: {result.stderr}"
            )
            try:
                fetched.rename(kept)
            except OSError:  # another process was faster
                if not kept.exists():
                    raise
    return kept / "node_modules" / name
