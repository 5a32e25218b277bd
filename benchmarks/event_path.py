"""What one event costs, beside Gimel 1.5.0 and beside redis-py as it is today.

    python -m benchmarks.event_path [--rounds 15] [--events 3000]

Cold: the CPU time that a fresh interpreter needs to import the handler, once it has what Lambda's own runtime client has always
loaded. Warm: the time of one `track` call on a store of this machine, all competitors in turn in each round; the
median over the rounds. 1.5.0 runs on its own redis-py 3.5 in an environment of its own (tests/oracle.py).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.command import REPOSITORY
from tests.oracle import oracle_python
from tests.servers import running_store

LOADED = "import http.client, importlib, json, logging, socket, time, traceback; t = time.process_time()\n"
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
    p.sadd('o:experiments', 'e'); p.sadd('o:counter_keys', 'k'); p.sadd('o:e:counter_keys', 'k'); p.pfadd('o:k', event['uuid'])
    p.execute()
"""
WARM = {
    "Gimel": "import gimel; track = gimel.track" + TIME,
    "Gimel 1.5.0": "from gimel import gimel as g; g.config['redis'] = dict(port={port}); track = g.track" + TIME,
    "redis-py alone": REDIS_PY + TIME,
}


def run(name: str, code: str, home: Path, **variables: str) -> float:
    """Run the code in a fresh interpreter; return the number that it prints."""
    python = str(oracle_python()) if name == "Gimel 1.5.0" else sys.executable
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], **variables}
    if name == "Gimel":
        environment["PYTHONPATH"] = str(REPOSITORY)
    done = subprocess.run([python, "-c", code], cwd=home, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--events", type=int, default=3000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_store(Path(folder)) as store:
        home = Path(folder)
        settings = json.dumps({"redis": {"host": "127.0.0.1", "port": store.port}})
        cold: dict[str, list[float]] = {name: [] for name in COLD}
        warm: dict[str, list[float]] = {name: [] for name in WARM}
        for _ in range(arguments.rounds):
            for name, code in COLD.items():
                cold[name].append(run(name, f"{LOADED}{code}\nprint(time.process_time() - t)", home))
            for name, code in WARM.items():
                timed = code.format(port=store.port, events=arguments.events)
                warm[name].append(run(name, timed, home, GIMEL_SETTINGS=settings))
    imports = {name: statistics.median(times) for name, times in cold.items()}
    calls = {name: statistics.median(times) for name, times in warm.items()}
    print(f"{'':16}{'cold import':>14}{'ratio':>8}{'warm call':>14}{'ratio':>8}")
    for name in imports:
        import_ratio, call_ratio = imports[name] / imports["Gimel"], calls[name] / calls["Gimel"]
        print(f"{name:16}{imports[name] * 1e3:11.1f} ms{import_ratio:8.1f}{calls[name] * 1e6:11.0f} us{call_ratio:8.1f}")


if __name__ == "__main__":
    main()
