"""The cost of one event, compared with Gimel 1.5.0 and with today's redis-py.

    python -m benchmarks.event_path [--rounds 15] [--events 3000]

Cold: the CPU time that a fresh interpreter needs to import the handler from source, as in a Lambda
function, which cannot keep bytecode. Modules that Lambda's own runtime client (awslambdaric 4.2)
has loaded before are not counted. Warm: the time of one `track` call on a store of this machine.

In each round the competitors run one after the other; the figures are medians over the rounds.
1.5.0 runs with redis-py 3.5 in a separate environment (tests/support/oracle.py).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.command import REPOSITORY
from tests.support.oracle import oracle_python
from tests.support.servers import running_store

LOADED = """
import decimal, importlib, json, logging, textwrap, threading, time, traceback
t = time.process_time()
"""
SOURCES = {"Gimel": ["gimel"], "Gimel 1.5.0": ["gimel", "redis"], "redis-py alone": ["redis"]}
COLD = {
    "Gimel": "import gimel; gimel.track",
    "Gimel 1.5.0": "import gimel.gimel",
    "redis-py alone": "import redis",
}

TIME = """
import time; t = time.perf_counter()
for i in range({events}):
    track(dict(experiment='e', variant='v', event='participate', uuid=str(i)), None)
print((time.perf_counter() - t) / {events})
"""
REDIS_PY = """
import redis; r = redis.Redis(port={port})
def track(event, _):
    p = r.pipeline(transaction=False)
    p.sadd('o:experiments', 'e')
    p.sadd('o:counter_keys', 'k')
    p.sadd('o:e:counter_keys', 'k')
    p.pfadd('o:k', event['uuid'])
    p.execute()
"""
WARM = {
    "Gimel": "import gimel; track = gimel.track" + TIME,
    "Gimel 1.5.0": "from gimel import gimel as g\n"
    "g.config['redis'] = dict(port={port}); track = g.track" + TIME,
    "redis-py alone": REDIS_PY + TIME,
}


def interpreter(name: str) -> str:
    return str(oracle_python()) if name == "Gimel 1.5.0" else sys.executable


def bare_sources(name: str, folder: Path) -> Path:
    """Copy a competitor's packages without their bytecode. Return the folder with the copy."""
    for package in SOURCES[name]:
        find = (
            f"import sys; sys.path.append({str(REPOSITORY)!r})\n"
            f"import {package}; print({package}.__path__[0])"
        )
        found = subprocess.run(
            [interpreter(name), "-c", find], cwd="/", capture_output=True, text=True, check=True
        ).stdout
        shutil.copytree(
            found.strip(), folder / name / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return folder / name


def run(name: str, code: str, home: Path, path: Path | None = None, **variables: str) -> float:
    """Run the code in a fresh interpreter with this path. Return the number that it prints."""
    python = interpreter(name)
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        **variables,
    }
    if path is not None or name == "Gimel":
        environment["PYTHONPATH"] = str(path or REPOSITORY)
    done = subprocess.run(
        [python, "-c", code], cwd=home, env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--events", type=int, default=3000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_store(Path(folder)) as store:
        home = Path(folder)
        settings = json.dumps({"redis": {"host": "127.0.0.1", "port": store.port}})
        bare = {name: bare_sources(name, home) for name in COLD}
        cold: dict[str, list[float]] = {name: [] for name in COLD}
        warm: dict[str, list[float]] = {name: [] for name in WARM}
        for _ in range(arguments.rounds):
            for name, code in COLD.items():
                cold[name].append(
                    run(name, f"{LOADED}{code}\nprint(time.process_time() - t)", home, bare[name])
                )
            for name, code in WARM.items():
                timed = code.format(port=store.port, events=arguments.events)
                warm[name].append(run(name, timed, home, GIMEL_SETTINGS=settings))
    imports = {name: statistics.median(times) for name, times in cold.items()}
    calls = {name: statistics.median(times) for name, times in warm.items()}
    print(f"{'':16}{'cold import':>14}{'ratio':>8}{'warm call':>14}{'ratio':>8}")
    for name in imports:
        import_ratio, call_ratio = imports[name] / imports["Gimel"], calls[name] / calls["Gimel"]
        print(
            f"{name:16}{imports[name] * 1e3:11.1f} ms{import_ratio:8.1f}"
            f"{calls[name] * 1e6:11.0f} us{call_ratio:8.1f}"
        )


if __name__ == "__main__":
    main()
