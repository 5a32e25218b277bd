"""An emulated AWS account: ministack, which runs the functions and, if asked, enforces IAM policies.

It runs in a separate virtual environment because it pins botocore. It runs functions on its own Python, knows none of AWS's
timing, and serves an API's methods without a deployment. Faults injected between botocore and the emulator test what it hides.
"""

from __future__ import annotations

import contextlib
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
        """Bring the account to the state that `build` makes of an empty one. It is built once, then restored by its name."""
        if name in self._snapshots:
            self._request("POST", f"/_snapshot/{name}")
            return
        self.reset()
        build()
        self._request("PUT", f"/_snapshot/{name}")
        self._snapshots.add(name)

    def _request(self, method: str, path: str) -> None:
        request = urllib.request.Request(f"{self.url}{quote(path)}", method=method)
        with urllib.request.urlopen(request, timeout=30):
            pass


@contextlib.contextmanager
def running_emulator(*, auth: bool = False) -> Iterator[Emulator]:
    """Run an emulator for the length of a with block; with `auth` it enforces IAM policies.

    Its files are in a separate folder and its port was free, so that test runs side by side do not meet.
    """
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "AUTH": str(auth).lower(),
    }
    with tempfile.TemporaryDirectory() as home:
        log = Path(home, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [python_with(REQUIREMENT), "-I", _PROGRAM],
                cwd=home,
                env={**inherited, **settings, "HOME": home, "TMPDIR": home},
                stdout=output,
                stderr=output,
            )
        try:
            emulator = Emulator(f"http://127.0.0.1:{port}")
            deadline = time.monotonic() + 60
            while True:
                try:
                    with urllib.request.urlopen(f"{emulator.url}/_ministack/health", timeout=2):
                        break
                except OSError:
                    ended = process.poll() is not None or time.monotonic() > deadline
                    assert not ended, log.read_text("utf-8", "replace")
                    time.sleep(0.05)
            yield emulator
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


if __name__ == "__main__":
    with running_emulator(auth="--auth" in sys.argv) as running:
        print(running.url, flush=True)  # noqa: T201 - for trying things by hand
        sys.stdin.read()
