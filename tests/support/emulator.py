"""An AWS account to deploy into: ministack, which runs the functions for real and enforces IAM policies when asked to.

It has an environment of its own, since it pins its own botocore. It runs functions on its own Python, knows none of AWS's
timing and serves an API's methods without a deployment; what that hides is tested with faults put between botocore and it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.support.environments import python_with
from tests.support.servers import free_port

REQUIREMENT = "ministack==1.5.33"


class Emulator:
    """A running emulator. Its account is emptied by `reset`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def reset(self) -> None:
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/_ministack/reset", method="POST"), timeout=30
        ):
            pass


@contextlib.contextmanager
def running_emulator(*, auth: bool = False) -> Iterator[Emulator]:
    """Run an emulator for the length of a with block; `auth` has it enforce IAM policies."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "AUTH": str(auth).lower(),
    }
    with tempfile.TemporaryDirectory() as home:
        log = Path(home, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [python_with(REQUIREMENT), "-m", "ministack"],
                cwd=home,
                env={**environment, "HOME": home},
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
                    time.sleep(0.1)
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
