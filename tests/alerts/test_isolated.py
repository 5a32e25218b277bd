"""What ships with the snapshot's function needs nothing but Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("__init__.py", "errors.py", "alerts", "analysis", "runtime")

LOAD = """
import sys
sys.path.insert(0, sys.argv[1])
import gimel
handler = gimel.snapshot
assert not any(name.startswith("gimel.analysis") for name in sys.modules)
from gimel.alerts import notify, receivers, records, watch
assert not any(name.startswith("boto") for name in sys.modules)
print(sys.modules["gimel"].__file__)
"""


def test_it_loads_without_any_package(tmp_path: Path) -> None:
    """And without a receiver not even the analysis is loaded."""
    (tmp_path / "gimel").mkdir()
    for part in PARTS:
        source, copy = ROOT / "gimel" / part, tmp_path / "gimel" / part
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)

    command = [sys.executable, "-I", "-S", "-c", LOAD, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "gimel" / "__init__.py")
