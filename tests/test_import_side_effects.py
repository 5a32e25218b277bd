"""Importing a module does nothing: it reads no file, makes no client, changes no setting."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import REPOSITORY, environment

# Imports every module in a fresh process and prints what happened meanwhile.
_SCRIPT = """
import importlib, json, logging, pkgutil, signal, sys, warnings

seen = []

def watch(event, arguments):
    if event == "open":
        path = str(arguments[0])
        ours = path.startswith((sys.argv[1], sys.argv[2])) and "site-packages" not in path
        if ours and not path.endswith((".py", ".pyc")) and "__pycache__" not in path:
            seen.append(f"opened {path}")
    elif event.split(".")[0] in ("socket", "subprocess", "urllib", "http") or event in (
        "os.mkdir", "os.remove", "os.rename", "os.system", "os.putenv", "shutil.rmtree"
    ):
        frame = sys._getframe()
        while frame is not None:  # what a library does at its own import is its own affair
            name = str(frame.f_globals.get("__name__"))
            if name.startswith("gimel"):
                seen.append(f"{event} in {name}")
                break
            if "importlib" in name:
                break
            frame = frame.f_back

import gimel
names = [each.name for each in pkgutil.walk_packages(gimel.__path__, "gimel.")]
handlers, warned = list(logging.getLogger().handlers), list(warnings.filters)
signals = {each: signal.getsignal(each) for each in signal.valid_signals()}
sys.addaudithook(watch)
for name in names:
    if not name.endswith("__main__"):
        module = importlib.import_module(name)
        for key, value in vars(module).items():
            made_by = type(value).__module__.split(".")[0]
            if made_by in ("boto3", "botocore", "httpx", "jinja2", "redis", "urllib3"):
                if type(value).__name__ not in ("Retry", "Timeout"):  # plain values
                    seen.append(f"{name}.{key} is a {type(value).__name__}")
if logging.getLogger().handlers != handlers:
    seen.append("the root logger has a handler")
if [each for each in signal.valid_signals() if signal.getsignal(each) != signals[each]]:
    seen.append("a signal is handled")
print(json.dumps({"modules": len(names), "seen": seen}))
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Import everything once, in an empty folder that is HOME."""
    home = tmp_path_factory.mktemp("home")
    (home / "config.json").write_text("not JSON")
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(REPOSITORY), str(home)],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert (done.stderr, sorted(path.name for path in home.iterdir())) == ("", ["config.json"])
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_importing_does_nothing(imported: dict[str, object]) -> None:
    """No file, socket, process, client, log handler or signal handler."""
    assert imported["seen"] == []


def test_every_module_was_imported(imported: dict[str, object]) -> None:
    """All that are files of the package; a module that cannot be imported fails the others."""
    files = set(Path(REPOSITORY, "gimel").rglob("*.py"))
    assert imported["modules"] == len(files) - 1  # the package itself
