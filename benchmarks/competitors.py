"""Runs this version, Gimel 1.5.0 and a C client: each in a fresh process, pinned to one core.

Knows how a competitor is started, on which core, and on which store. It does not know what is
called or how times are compared. One interpreter runs both versions. 1.5.0 and redis-py 3.5.3 come
from the environment that the tests use (tests/support/oracle.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tests.support.command import REPOSITORY
from tests.support.oracle import oracle_python
from tests.support.servers import Store, running_store

THIS, OLD = "this version", "1.5.0"

Command = tuple[str, ...]

_FOLDER = Path(__file__).parent
_COMMANDS_AT_ONCE = 2000  # a batch of these fits into the buffers of a loopback connection


@dataclass(frozen=True)
class Setup:
    """The interpreter that calls both versions, and the cores of the client and of Redis."""

    python: str
    where: str
    client: int
    store: int


@dataclass(frozen=True)
class Row:
    """A row of the table: what was measured, the result, and the figures behind it."""

    measured: str
    result: str
    figures: str


@dataclass(frozen=True)
class Usage:
    """What the calls of one process took, in seconds, and its peak resident memory in bytes."""

    seconds: float
    cpu_seconds: float
    peak_memory: int


def setups(python: str = sys.executable) -> tuple[Setup, Setup]:
    """Return client and Redis on one core, and on a core each."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("the benchmark needs two cores")
    return (
        Setup(python, "on one core", cores[0], cores[0]),
        Setup(python, "on a core each", cores[0], cores[1]),
    )


def pin(process: int, core: int) -> None:
    """Keep every thread of a process on a core."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


@contextlib.contextmanager
def empty_store() -> Iterator[Store]:
    """Run a Redis server during a with block."""
    with tempfile.TemporaryDirectory() as folder, running_store(Path(folder)) as store:
        yield store


def settings(store: Store) -> str:
    """Return GIMEL_SETTINGS with the defaults and this store, which may be slow once."""
    return json.dumps({"redis": {"host": "127.0.0.1", "port": store.port, "socket_timeout": 20}})


def call(
    version: str,
    handler: str,
    event: Mapping[str, Any],
    calls: Sequence[Mapping[str, str]],
    store: Store,
    setup: Setup,
    *,
    warm: bool = True,
) -> Usage:
    """Call a handler once for each of the calls, each of which changes the query of the event."""
    pin(store.process.pid, setup.store)
    job = {
        "packages": str(REPOSITORY if version == THIS else oracle_packages()),
        "module": "gimel" if version == THIS else "gimel.gimel",
        "redis": {"host": "127.0.0.1", "port": store.port},
        "handler": handler,
        "event": event,
        "calls": calls,
        "warm": warm,
    }
    with tempfile.TemporaryDirectory() as home:  # without a configuration file
        printed = _output(
            [*_on(setup.client), setup.python, "-IS", _FOLDER / "caller.py"],
            input=json.dumps(job),
            cwd=home,
            env={"HOME": home, "PATH": os.environ["PATH"], "GIMEL_SETTINGS": settings(store)},
        )
    return Usage(**json.loads(printed))


def oracle_packages() -> Path:
    """Return the folder that contains the packages of 1.5.0 and redis-py 3.5.3."""
    (packages,) = oracle_python().parents[1].glob("lib/python*/site-packages")
    return packages


def compile_client(folder: Path) -> Path:
    """Compile blocking_client.c. Return the program."""
    program = folder / "blocking_client"
    _output(["cc", "-O2", "-o", program, _FOLDER / "blocking_client.c"])
    return program


def send_blocking(
    program: Path, requests: Sequence[Sequence[Command]], store: Store, setup: Setup
) -> float:
    """Send each request as one pipeline with the C client. Return the seconds they took.

    All requests have the same number of commands, and Redis answers each command with an integer.
    """
    pin(store.process.pid, setup.store)
    encoded = [encode(request) for request in requests]
    with tempfile.NamedTemporaryFile() as file:
        for request in encoded:
            file.write(len(request).to_bytes(4, sys.byteorder) + request)
        file.flush()
        arguments = [str(store.port), file.name, str(len(requests[0]))]
        return float(_output([*_on(setup.client), program, *arguments]))


def encode(commands: Iterable[Command]) -> bytes:
    """Return commands as one pipeline of RESP."""
    parts = []
    for command in commands:
        parts.append(f"*{len(command)}\r\n")
        parts += [f"${len(argument.encode())}\r\n{argument}\r\n" for argument in command]
    return "".join(parts).encode()


def fill(store: Store, commands: Iterable[Command]) -> None:
    """Execute commands that Redis answers with integers, much faster than redis-py would."""
    remaining = iter(commands)
    with socket.create_connection(("127.0.0.1", store.port)) as connection:
        while batch := list(islice(remaining, _COMMANDS_AT_ONCE)):
            connection.sendall(encode(batch))
            lines = 0
            while lines < len(batch):
                received = connection.recv(1 << 16)
                assert received, "Redis closed the connection"
                assert b"-" not in received, received
                lines += received.count(b"\n")


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios, each of figures from one round."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def in_words(seconds: float) -> str:
    """Return a time with two significant digits or more."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _on(core: int) -> list[str]:
    return ["taskset", "-c", str(core)]


def _output(command: Sequence[str | Path], **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{command[-1]}: {done.stderr or done.stdout}")
    return str(done.stdout)
