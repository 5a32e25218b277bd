"""An emulated AWS account: ministack, which runs functions and, on demand, enforces IAM policies.

It has a virtual environment to itself because it pins botocore. It runs functions on its own
Python, knows none of AWS's timing, and serves an API's methods without a deployment. Faults between
botocore and the emulator test what it hides.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support.cache import Cache
from tests.support.environments import python_with
from tests.support.servers import free_port

REQUIREMENT = "ministack==1.5.33"
_PROGRAM = Path(__file__).with_name("emulator_program.py")


class Emulator:
    """A running emulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.notes: dict[str, Any] = {}
        """What was learned while building a snapshot, for those who restore it."""
        self._snapshots: set[str] = set()

    def reset(self) -> None:
        """Empty the account."""
        self._request("POST", "/_ministack/reset")

    def prepare(self, name: str, build: Callable[[], object]) -> None:
        """Bring the account to the state that `build` makes of an empty one.

        The state is built once. After that it is restored by its name.
        """
        if not self.saved(name):
            self.reset()
            build()
            self.save(name)
        else:
            self.restore(name)

    def saved(self, name: str) -> bool:
        """Return whether a snapshot of this name exists."""
        return name in self._snapshots

    def save(self, name: str) -> None:
        """Make a snapshot of the account."""
        self._request("PUT", f"/_snapshot/{name}")
        self._snapshots.add(name)

    def restore(self, name: str) -> None:
        """Bring the account to the state of a snapshot."""
        self._request("POST", f"/_snapshot/{name}")

    def issue_certificates(self) -> None:
        """Have every certificate issued, as if its record were at another DNS provider."""
        self._request("POST", "/_certificates/")

    def _request(self, method: str, path: str) -> None:
        request = urllib.request.Request(f"{self.url}{quote(path)}", method=method)
        with urllib.request.urlopen(request, timeout=30):
            pass


@contextlib.contextmanager
def running_emulator(*, auth: bool = False, cache: Cache | None = None) -> Iterator[Emulator]:
    """Run an emulator for the length of a with block; with `auth` it enforces IAM policies.

    `cache` is what a serverless cache of ElastiCache leads to.
    """
    with tempfile.TemporaryDirectory() as home:
        process, url = _start(Path(home), auth, cache.environment if cache else {})
        try:
            yield Emulator(url)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(home: Path, auth: bool, cache: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    """Start an emulator with all its files in a folder; return its process and address.

    It ends with this process, when its stdin does. If another program takes the port first, it is
    started again on another.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings = {
        "BIND_HOST": "127.0.0.1",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "AUTH": str(auth).lower(),
        "HOME": str(home),
        "TMPDIR": str(home),
        **cache,
    }
    log = home / "log"
    for _ in range(3):
        port = free_port()
        with log.open("ab") as output:
            process = subprocess.Popen(
                [python_with(REQUIREMENT), "-I", _PROGRAM],
                cwd=home,
                env={**inherited, **settings, "GATEWAY_PORT": str(port)},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while process.poll() is None:
            if _pid_at(url) == process.pid:
                return process, url
            if time.monotonic() > deadline:
                process.kill()
                process.wait()
            time.sleep(0.05)
    raise AssertionError(log.read_text("utf-8", "replace"))


def _pid_at(url: str) -> int | None:
    """Return the process id of the emulator at an address, None where there is none."""
    try:
        with urllib.request.urlopen(f"{url}/_snapshot/", timeout=2) as answer:
            return int(json.load(answer)["pid"])
    except (OSError, ValueError, KeyError):
        return None


if __name__ == "__main__":
    with running_emulator(auth="--auth" in sys.argv) as running:
        print(running.url, flush=True)  # noqa: T201 - for trying things by hand
        sys.stdin.read()
