"""How fast Gimel is and how much memory it needs; writes the table of docs/performance.md.

    python -m benchmarks.performance [--quick] [--write] [--python FILE] [track start all limits]

It takes three minutes, or half a minute with `--quick`, which is less accurate. Nothing else should
run on the machine. `--python` names the interpreter that calls both versions: how it was built
matters more to the share of the C client's rate than the release does. Needs Linux, two cores,
taskset (Debian: util-linux) and a C compiler.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import cold_start, event_path, reading
from benchmarks.competitors import Row, Setup, empty_store, setups
from tests.support.command import REPOSITORY

PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN = "<!-- benchmarks.performance writes what follows -->"
END = "<!-- benchmarks.performance wrote what precedes -->"


@dataclass(frozen=True)
class Effort:
    """How many rounds are measured; each result is a median over the rounds."""

    track_rounds: int
    track_events: int
    start_rounds: int
    all_rounds: int
    limit_rounds: int


FULL = Effort(9, 5000, 25, 7, 3)
QUICK = Effort(3, 1000, 5, 2, 1)

Part = Callable[[tuple[Setup, Setup], Effort], list[Row]]

PARTS: dict[str, Part] = {
    "track": lambda both, effort: event_path.rows(both, effort.track_rounds, effort.track_events),
    "start": lambda both, effort: cold_start.rows(both[1], effort.start_rounds),
    "all": lambda both, effort: reading.speed_rows(both, effort.all_rounds),
    "limits": lambda both, effort: reading.limit_rows(both[1], effort.limit_rounds),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; by default all of them")
    parser.add_argument("--quick", action="store_true", help="measure fewer rounds")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument(
        "--python", default=sys.executable, help="the interpreter for both versions"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    if options.write and (options.quick or options.parts):
        parser.error("--write needs the complete measurement: no parts, no --quick")
    effort = QUICK if options.quick else FULL
    both = setups(options.python)
    described = machine(options.python)
    measured = [row for name in options.parts or PARTS for row in PARTS[name](both, effort)]
    text = f"{described}\n\n{table(measured)}"
    if options.write:
        PAGE.write_text(insert(PAGE.read_text("utf-8"), text), "utf-8")
    print(text)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [("measured", "result", "figures"), ("---", "---:", "---")]
    lines += [(row.measured, row.result, row.figures) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def insert(page: str, text: str) -> str:
    """Return the page with this text between the markers. Raises ValueError without markers."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def machine(python: str) -> str:
    """Describe when, on which machine, and with which software the benchmark runs.

    The load average shows whether anything else was running before.
    """
    described = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in described if line.startswith("model name")]
    with empty_store() as store, store.client() as redis:
        server: Any = redis.info("server")
    names = [("Valkey", server.get("valkey_version")), ("Redis", server["redis_version"])]
    name, version = next((name, version) for name, version in names if version)
    interpreter = subprocess.run(
        [python, "-V"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return (
        f"Measured on {datetime.date.today().isoformat()}: {len(models)} cores of"
        f" {models[0] if models else platform.machine()}, {platform.system()} {platform.release()},"
        f" {interpreter}, {name} {version}; load average before: {os.getloadavg()[0]:.1f}."
    )


if __name__ == "__main__":
    main()
