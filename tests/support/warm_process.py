"""Gimel's commands as processes that start at once: forks of one that has imported everything.

`python -m gimel` needs 0.9 seconds of CPU time before its first call, a fork 0.1. A fork has its
own arguments, environment, folder, streams, exit code and signals, like any process. One thing
differs: sleeping takes no time. The clock moves on instead.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn, SupportsIndex

from tests.support.command import REPOSITORY, environment

_LARGEST_REQUEST = 100_000


class Process:
    """A running command."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self.pid = pid
        self._control = control
        self._lock = threading.Lock()
        self._exit_code: int | None = None

    def kill(self) -> None:
        """End it with SIGKILL. Does nothing where it was waited for."""
        if self._exit_code is None:
            os.kill(self.pid, 9)

    def wait(self) -> int:
        """Return its exit code, or minus the signal that ended it."""
        with self._lock:
            if self._exit_code is None:
                self._exit_code = int(_receive(self._control))
            return self._exit_code


class Commands:
    """Starts commands, one after the other."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    def start(
        self, *arguments: str, home: Path, stdout: IO[bytes], stderr: IO[bytes], **variables: str
    ) -> Process:
        """Start a command, without input, in a folder that is also its HOME."""
        with Path(os.devnull).open("rb") as stdin:
            return self._start(arguments, home, [stdin, stdout, stderr], variables)

    def start_on(
        self, terminal: IO[bytes], *arguments: str, home: Path, **variables: str
    ) -> Process:
        """Start a command on a terminal."""
        return self._start(arguments, home, [terminal] * 3, variables)

    def _start(
        self,
        arguments: tuple[str, ...],
        home: Path,
        streams: list[IO[bytes]],
        variables: dict[str, str],
    ) -> Process:
        request = {
            "arguments": arguments,
            "folder": str(home),
            "environment": environment(home, **variables),
        }
        descriptors = [stream.fileno() for stream in streams]
        socket.send_fds(self._control, [json.dumps(request).encode()], descriptors)
        pid = int(_receive(self._control))
        assert pid > 0
        return Process(pid, self._control)

    def run(
        self, *arguments: str, home: Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            process = self.start(*arguments, home=home, stdout=stdout, stderr=stderr, **variables)
            code = process.wait()
            said = []
            for stream in (stdout, stderr):
                stream.seek(0)
                said.append(stream.read().decode())
        return subprocess.CompletedProcess(arguments, code, *said)


@contextlib.contextmanager
def warm_commands() -> Iterator[Commands]:
    """Run the process that commands are forks of for the length of a with block."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        program = [sys.executable, "-m", "tests.support.warm_process", str(theirs.fileno())]
        descriptors = [theirs.fileno()]
        with subprocess.Popen(program, cwd=REPOSITORY, pass_fds=descriptors) as process:
            theirs.close()
            assert _receive(ours) == "ready"
            try:
                yield Commands(ours)
            finally:
                ours.close()  # which ends it
                process.wait()


def _receive(control: socket.socket) -> str:
    told = control.recv(_LARGEST_REQUEST).decode()
    assert told, "the process that commands are forks of has ended"
    return told


def _serve(control: socket.socket) -> None:
    """Fork a command per request and send its pid, then its exit code, until the client closes."""
    _hurry()
    _import_all()
    control.send(b"ready")
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, _LARGEST_REQUEST, 3)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become(json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(str(pid).encode())
        control.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _hurry() -> None:
    """Make sleeping move the clock on instead."""
    real = time.monotonic
    slept = 0.0

    def sleep(seconds: SupportsIndex | float) -> None:
        nonlocal slept
        slept += float(seconds)

    time.sleep = sleep
    time.monotonic = lambda: real() + slept


def _import_all() -> None:
    from gimel import cli
    from gimel.deploy import aws
    from tests.support.account import variables
    from tests.support.kept_clients import read_service_models_once

    for module in pkgutil.iter_modules(cli.__path__, "gimel.cli."):
        importlib.import_module(module.name)
    read_service_models_once()
    kept = dict(os.environ)
    os.environ.update(variables("http://127.0.0.1:1"))
    aws.Aws()
    os.environ.clear()
    os.environ.update(kept)


def _become(request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Run `python -m gimel` in this process, which a fork has just made."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["gimel", *request["arguments"]]
    sys.stdin = open(0)  # noqa: SIM115
    sys.stdout = open(1, "w")  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace")  # noqa: SIM115
    code = 1
    try:
        runpy.run_module("gimel", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as inherited:
        _serve(inherited)
