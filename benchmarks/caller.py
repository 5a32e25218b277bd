"""Calls a handler of this version or of 1.5.0 many times and prints what the calls took.

benchmarks.competitors starts it without any installed packages. It imports nothing of this
repository but the handler. Standard input is a JSON object: `packages` (the folder that contains
the version), `module` and `handler`, `redis` (options for 1.5.0), `event`, `calls` (what changes in
the query of the event with each call) and `warm` (make one call first, which is not measured).
Standard output is a JSON object: `seconds` and `cpu_seconds` of all calls, and `peak_memory` of the
process in bytes.
"""

import json
import site
import sys
import time
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import would add to the memory that is measured
    from typing import Any


class Context:
    """The part of Lambda's context that a handler reads."""

    def __init__(self, seconds: float) -> None:
        self._deadline = (time.time() + seconds) * 1000

    def get_remaining_time_in_millis(self) -> int:
        return max(int(self._deadline - time.time() * 1000), 0)


def load_handler(job: "dict[str, Any]") -> "Any":
    """Return the handler of the version that the job names."""
    site.addsitedir(job["packages"])
    module = import_module(job["module"])
    if hasattr(module, "config"):  # 1.5.0; this version reads GIMEL_SETTINGS
        module.config["redis"] = job["redis"]
    return getattr(module, job["handler"])


def check(answer: "Any") -> None:
    """Stop if a gateway's event was answered with an error."""
    if isinstance(answer, dict) and answer.get("statusCode", 200) != 200:
        sys.exit(f"answered {answer['statusCode']}: {answer['body']}")


def peak_memory() -> int:
    """Return the largest resident memory of this process until now, in bytes."""
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib would add to it
        (line,) = [line for line in status if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def main() -> None:
    job = json.load(sys.stdin)
    handler, event, context = load_handler(job), job["event"], Context(600)
    query = event.get("queryStringParameters", event)
    if job["warm"]:
        check(handler(event, context))
    answer = None
    cpu, begin = time.process_time(), time.perf_counter()
    for changes in job["calls"]:
        query.update(changes)
        answer = handler(event, context)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
    check(answer)
    usage = {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_memory": peak_memory()}
    print(json.dumps(usage))


main()
