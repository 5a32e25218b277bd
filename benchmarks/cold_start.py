"""The whole start of a Lambda function up to the first answer of `track`, against 1.5.0.

Both versions run as on AWS: AWS's runtime client (awslambdaric) imports the handler from the
unpacked zip, takes one event from the Runtime API and posts the answer. The versions have no
bytecode, because Lambda's file system is read-only; the standard library and the runtime client
have theirs. The interpreter is that of the runtime client's environment. 1.5.0 gets the zip that
its `deploy` would build, with redis-py 3.5.3, and the event that its mapping template would make.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.competitors import (
    OLD,
    THIS,
    Row,
    Setup,
    empty_store,
    in_words,
    oracle_packages,
    pin,
    ratio,
)
from benchmarks.event_path import EVENTS
from gimel import config
from gimel.deploy.desired import DesiredFunction, desired_state
from tests.support.sandbox import running
from tests.support.servers import Store

NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}


def rows(setup: Setup, rounds: int) -> list[Row]:
    """Measure one start of each version per round."""
    walls: dict[str, list[float]] = {THIS: [], OLD: []}
    cpus: dict[str, list[float]] = {THIS: [], OLD: []}
    with empty_store() as store:
        os.sched_setaffinity(0, {setup.store})  # this process serves the Runtime API
        pin(store.process.pid, setup.store)
        functions = {THIS: this_function(store), OLD: old_function(store)}
        for name, function in functions.items():  # let Python write the bytecode of its modules
            start(name, function, setup, {})
        for turn in range(rounds):
            print(f"start: round {turn + 1} of {rounds}", file=sys.stderr)
            for name, function in functions.items():
                wall, cpu = start(name, function, setup, NO_BYTECODE)
                walls[name].append(wall)
                cpus[name].append(cpu)
    os.sched_setaffinity(0, {setup.client, setup.store})
    return [_compare("CPU time", cpus), _compare("time", walls)]


def start(
    name: str, function: DesiredFunction, setup: Setup, variables: Mapping[str, str]
) -> tuple[float, float]:
    """Start the function. Return the time and the CPU time up to its first answer, in seconds."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(function, Path(folder), HOME=folder, **variables) as sandbox,
    ):
        pin(sandbox.process_id, setup.client)
        report = sandbox.invoke(EVENTS[name])
        cpu = cpu_seconds(sandbox.process_id)
    if report.kind != "response" or (name == THIS and report.value["statusCode"] != 200):
        sys.exit(f"{name} answered {report.value}")
    return report.arrived - sandbox.started, cpu


def cpu_seconds(process: int) -> float:
    """Return the CPU time that all threads of a process have used.

    https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat
    """
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def this_function(store: Store) -> DesiredFunction:
    """Return `track` as `gimel deploy` would upload it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.json"
        file.write_text(json.dumps({"redis": {"host": "127.0.0.1", "port": store.port}}))
        functions = desired_state(config.load(file)).functions
    (track,) = [each for each in functions if each.configuration.handler == "gimel.track"]
    return track


def old_function(store: Store) -> DesiredFunction:
    """Return `track` as 1.5.0's `deploy` would upload it."""
    packages = oracle_packages()
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        redis = {"host": "127.0.0.1", "port": store.port}
        archive.writestr("config.json", json.dumps({"redis": redis}))
        for name in ("config.py", "gimel.py", "logger.py"):
            archive.write(packages / "gimel" / name, name)
        for path in (packages / "redis").rglob("*.py"):
            archive.write(path, Path("vendor") / path.relative_to(packages))
    this = this_function(store)
    without_settings = dataclasses.replace(this.configuration, settings=None)
    return dataclasses.replace(this, code=code.getvalue(), configuration=without_settings)


def _compare(figure: str, seconds: Mapping[str, list[float]]) -> Row:
    return Row(
        f"start under awslambdaric to the first answer of `track`: {figure} against 1.5.0",
        f"{ratio(seconds[THIS], seconds[OLD]):.2f}",
        f"{in_words(median(seconds[THIS]))}; 1.5.0: {in_words(median(seconds[OLD]))}",
    )
