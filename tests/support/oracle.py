"""The releases that this one continues, running on a store of the tests."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.environments import python_with

# 1.5.0 ran with redis-py 3, which imports distutils: since Python 3.12, setuptools provides it.
REQUIREMENTS = ("gimel==1.5.0", "lamed==0.4.3", "redis==3.5.3", "setuptools<80")

# What `gimel deploy` of 1.5.0 needs: today's boto3 and its dependencies.
DEPLOY_REQUIREMENTS = (
    "gimel==1.5.0",
    "redis==3.5.3",
    "setuptools<80",
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "python-dateutil",
    "six",
    "urllib3",
    "click",
)

_SCRIPT = Path(__file__).parent / "oracle_1_5_0.py"


class Oracle:
    """A process that runs the functions of the old releases on a store."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def call(self, function: str, event: dict[str, Any], package: str = "gimel") -> Any:
        """Return what `gimel.gimel.<function>(event, None)` of 1.5.0 returns, or that of Lamed."""
        return self.call_all([(package, function, event)])[0]

    def call_all(self, calls: Sequence[tuple[str, str, dict[str, Any]]]) -> list[Any]:
        """Return the results of many calls `(package, function, event)`, made in this order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(calls) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._log.read_text("utf-8")
        results: list[Any] = json.loads(line)
        return results


@contextlib.contextmanager
def running_oracle(port: int, directory: Path) -> Iterator[Oracle]:
    """Run the old releases on the store at this port during a with block.

    The directory is their HOME, so that they read no configuration file.
    """
    log = directory / "oracle.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [oracle_python(), "-I", _SCRIPT, "127.0.0.1", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=directory,
            env={**os.environ, "HOME": str(directory)},
            encoding="utf-8",
        )
    with process:  # on exit it closes standard input, which ends the process
        yield Oracle(process, log)


def oracle_python(requirements: Sequence[str] = REQUIREMENTS) -> Path:
    """Return the interpreter of an environment with these requirements."""
    return python_with(*requirements, dependencies=False)
