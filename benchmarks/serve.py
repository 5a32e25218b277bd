"""How many events per second `gimel serve` counts on one core.

    python -m benchmarks.serve [--seconds 10]

The same web server answering a constant is measured for comparison. Needs wrk and taskset (Debian:
wrk, util-linux). The server runs on the first core; wrk and Redis share the others. At the end the
number of visitors counted is compared with the number of requests that wrk saw answered.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.support.command import REPOSITORY, environment
from tests.support.servers import free_port, running_store

# Each request comes from another visitor.
SCRIPT = """
local made = 0
local threads = 0
function setup(thread) threads = threads + 1; thread:set("name", threads) end
function request()
  made = made + 1
  local event = "experiment=e&variant=v&event=participate"
  return wrk.format("GET", string.format("/e?%s&uuid=%d-%d", event, name, made))
end
"""

CONSTANT = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
async def answer(request):
    return Response('{"status": "ok"}', headers={"Content-Type": "application/json"})
app = Starlette(routes=[Route("/{path:path}", answer)])
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""


@contextlib.contextmanager
def on_first_core(*command: str, home: Path) -> Iterator[None]:
    process = subprocess.Popen(
        ["taskset", "-c", "0", sys.executable, *command],
        cwd=home,
        env=environment(home),
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            urllib.request.urlopen(url).read()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def load(port: int, seconds: int, script: Path) -> tuple[int, float]:
    """Return the number of requests answered with 200, in all and per second."""
    command = ["wrk", "-t1", "-c32", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in report, report
    requests = re.search(r"(\d+) requests in", report)
    rate = re.search(r"Requests/sec: +([\d.]+)", report)
    assert requests, report
    assert rate, report
    return int(requests[1]), float(rate[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder, running_store(Path(folder)) as store:
        home = Path(folder)
        script = home / "visitors.lua"
        script.write_text(SCRIPT)
        port = free_port()
        options = ["--port", str(port), "--redis", store.url, "--api-key", "benchmark"]
        with on_first_core("-m", "gimel", "serve", *options, home=home):
            wait_for(f"http://127.0.0.1:{port}/nope")
            answered, rate = load(port, seconds, script)
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/experiments", headers={"x-api-key": "benchmark"}
            )
            counted = json.load(urllib.request.urlopen(request))[1]["participants"][0]["trials"]
        with on_first_core("-c", CONSTANT, str(port), home=REPOSITORY):
            wait_for(f"http://127.0.0.1:{port}/nope")
            _, constant = load(port, seconds, script)
    print(
        f"gimel serve: {rate:,.0f} events per second, counted {counted:,} of {answered:,}"
        f" ({counted / answered - 1:+.2%})"
    )
    print(
        f"Starlette and uvicorn answering a constant: {constant:,.0f} per second;"
        f" ratio {rate / constant:.2f}"
    )
    if abs(counted / answered - 1) > 0.01:
        sys.exit("the counts differ by more than the counting error allows")


if __name__ == "__main__":
    main()
